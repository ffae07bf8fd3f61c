"""All queues of the stack, and the table of them that health reads."""

from __future__ import annotations

from typing import Any

from examples.stack.queue_settings import QueueSettings
from examples.stack.queues import load_test, media, system

#: A further queue is a module in queues/ and a line here.
QUEUES: dict[str, type[QueueSettings]] = {
    "system": system.WorkerSettings,
    "load_test": load_test.WorkerSettings,
    "media": media.WorkerSettings,
}

#: Made of the classes that the workers use, so that the two cannot disagree.
WORKER_QUEUES: dict[str, dict[str, Any]] = {
    name: {
        "description": settings.description,
        "max_jobs": settings.max_jobs,
        "timeout_seconds": settings.job_timeout,
        "queue_name": settings.queue_name,
    }
    for name, settings in QUEUES.items()
}
