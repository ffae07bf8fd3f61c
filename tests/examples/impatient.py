"""A queue whose tasks may take a second."""

from __future__ import annotations

from examples.stack.queue_settings import QueueSettings
from examples.stack.tasks.load import io_simulation


class WorkerSettings(QueueSettings):
    queue_name = "impatient"
    functions = (io_simulation,)
    max_jobs = 3
    job_timeout = 1
    max_tries = 1
