"""The queue of system maintenance: few at once, each tried until it works."""

from __future__ import annotations

from examples.stack.queue_settings import QueueSettings
from examples.stack.tasks.system import cleanup_temp_files, system_health_check


class WorkerSettings(QueueSettings):
    description = "System maintenance and monitoring tasks"
    queue_name = "system"
    functions = (system_health_check, cleanup_temp_files)
    max_jobs = 15
    job_timeout = 300
