"""The worker of one queue: `worker.py` of this project, with the queue's settings."""

from __future__ import annotations

import os
import sys
from typing import NoReturn

from config import ROOT, child_environment
from examples.stack.queue_settings import QueueSettings


def environment_of(settings: type[QueueSettings]) -> dict[str, str]:
    """What `worker.py` is to read: this environment, with what the queue's class says."""
    queue = settings.queue_name
    return child_environment(
        WORKER_QUEUES=queue,
        WORKER_CONCURRENCY=str(settings.max_jobs),
        WORKER_QUEUE_TIMEOUTS=f"{queue}={settings.job_timeout}",
        # Its own functions alone: another queue's libraries are not even imported.
        WORKER_BACKGROUND_MODULES=settings.__module__,
        # Schedules enqueue elsewhere than to these queues.
        WORKER_CRON="false",
    )


def become_worker(
    settings: type[QueueSettings],
    name: str,
    *,
    check: bool = False,
    burst: bool = False,
    watch: str | None = None,
) -> NoReturn:
    """Turn this process into the worker; its signals and exit codes are the worker's own."""
    argv = [sys.executable, str(ROOT / "worker.py"), name]
    argv += ["--check"] if check else []
    argv += ["--burst"] if burst else []
    argv += ["--watch", watch] if watch else []
    os.execve(argv[0], argv, environment_of(settings))  # noqa: S606  # no shell is wanted
