"""The queue of files and pictures: they take memory, so few at once, and time."""

from __future__ import annotations

from examples.stack.queue_settings import QueueSettings
from examples.stack.tasks.media import hash_file, make_thumbnail


class WorkerSettings(QueueSettings):
    description = "File and media processing"
    queue_name = "media"
    functions = (make_thumbnail, hash_file)
    max_jobs = 2
    job_timeout = 600
    max_tries = 3
