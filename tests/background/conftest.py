"""A worker in this process, and the kinds that its tests enqueue."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from background.enqueue import ServersBackend, use_backend
from config import Settings
from runtime.submit import Jobs
from worker import Worker


@pytest.fixture
def worker(null_settings: Settings, client: Any) -> Iterator[Worker]:
    """A started worker whose queue is where this process enqueues."""
    made = Worker(null_settings.model_copy(update={"cron": False}), "worker-b")
    assert made.start()
    before = use_backend(ServersBackend(Jobs(made.database, client, final_ttl_s=3600)))
    yield made
    use_backend(before)
    made.stop()


@pytest.fixture
def work(worker: Worker) -> Callable[[], None]:
    """Run what waits, in this thread, until nothing does."""

    def until_idle() -> None:
        while worker.run_once(wait=False):
            pass

    return until_idle
