"""Real worker processes on a real Valkey, with a database of their own."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from database import Database
from errors import QueueUnavailable, StoreUnavailable
from jobs.states import FINAL
from redis_client import RedisClient
from redis_queue import waiting
from redis_queue.connection import connect
from runtime.submit import Jobs

#: A voice that always fails, and could work if tried again: it gets too little memory.
FAILING_VOICE: dict[str, Any] = {
    "SCRIPT_PROVIDER": "template",
    "VOICE_PROVIDER": "piper",
    "WORKER_CHILD_MEMORY_MB": 64,
}
ROOT = Path(__file__).resolve().parents[2]


def wait_until(condition: Callable[[], Any], *, within_s: float = 60.0, what: str = "") -> Any:
    """Poll until the condition holds and return its value; fail with `what` past the deadline."""
    deadline = time.monotonic() + within_s
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"not within {within_s} s: {what or condition}"
        time.sleep(0.01)


class Stack:
    """A queue, a record, and the workers that a test starts on them."""

    def __init__(self, redis_url: str, database_url: str, folder: Path) -> None:
        self.redis_url = redis_url
        self.database_url = database_url
        self.folder = folder
        self.client = connect(redis_url)
        self.database = Database(database_url)
        self.database.init()
        self.jobs = Jobs(self.database, self.client, final_ttl_s=3600)
        self.queue = RedisClient(redis_url)
        self.workers: list[subprocess.Popen[bytes]] = []
        self.logs: dict[int, Path] = {}

    def environment(self, **settings: object) -> dict[str, str]:
        """A worker's environment: null providers and short times, changed by `settings`."""
        defaults = {
            "REDIS_URL": self.redis_url,
            "DATABASE_URL": self.database_url,
            "ARTIFACT_URL": (self.folder / "artifacts").as_uri(),
            "IMAGE_FOLDERS": str(self.folder / "uploads"),
            "SCRIPT_PROVIDER": "null",
            "VOICE_PROVIDER": "null",
            "VIDEO_PROVIDER": "null",
            "COMPOSITOR": "null",
            "WORKER_CRON": "false",
            "WORKER_LEASE_S": "2",
            "WORKER_RETRY_BASE_S": "0.05",
            "WORKER_LOG_FORMAT": "json",
        }
        changed = {key: str(value) for key, value in settings.items()}
        return {**os.environ, **defaults, **changed}

    def start(self, name: str = "worker-1", *arguments: str, **settings: object) -> Any:
        """Start a worker; it is ready when `worker_started` is in its log."""
        log = self.folder / f"{name}-{uuid.uuid4().hex[:6]}.log"
        with log.open("wb") as file:
            worker = subprocess.Popen(
                [sys.executable, str(ROOT / "worker.py"), name, *arguments],
                cwd=self.folder,
                env=self.environment(**settings),
                stderr=file,
                stdout=file,
                stdin=subprocess.DEVNULL,
            )
        self.workers.append(worker)
        self.logs[worker.pid] = log
        return worker

    def started(self, name: str = "worker-1", *arguments: str, **settings: object) -> Any:
        """Start a worker and wait until it takes jobs."""
        worker = self.start(name, *arguments, **settings)
        wait_until(lambda: self.events(worker, "worker_started"), what="worker_started")
        return worker

    def events(self, worker: Any, event: str | None = None) -> list[dict[str, Any]]:
        """What a worker logged, parsed; lines that are no JSON fail the test."""
        lines = self.logs[worker.pid].read_text().splitlines()
        parsed = [json.loads(line) for line in lines if line.strip()]
        return [line for line in parsed if event in (None, line["event"])]

    def submit(self, job_id: str, **fields: Any) -> str:
        """Accept a job, row first. Its name is its own, so that no stage is shared by chance."""
        self.jobs.submit({"id": job_id, "product_name": f"Product {job_id}", **fields})
        return job_id

    def state(self, job_id: str) -> str:
        try:
            record = self.database.jobs.get(job_id)
        except StoreUnavailable:  # the test has it restarted; the next poll sees it
            return ""
        return record.state.value if record else ""

    def status(self, job_id: str) -> str:
        return str((waiting.status(self.client, job_id) or {}).get("status", ""))

    def wait_state(self, job_id: str, state: str, *, within_s: float = 20.0) -> None:
        """Until the row says so; an end also until Redis does, which the worker tells last."""
        wait_until(
            lambda: self.state(job_id) == state and (state not in FINAL or self._told(job_id)),
            within_s=within_s,
            what=f"{job_id} {state}",
        )

    def _told(self, job_id: str) -> bool:
        try:
            return self.status(job_id) in ("", *FINAL)  # "": wiped since
        except QueueUnavailable:
            return True

    def kill_all(self) -> None:
        for worker in self.workers:
            if worker.poll() is None:
                with contextlib.suppress(ProcessLookupError):
                    worker.send_signal(signal.SIGCONT)
                worker.kill()
            worker.wait()


@pytest.fixture
def stack(redis_url: str, client: Any, tmp_path: Path) -> Iterator[Stack]:
    """Workers over the embedded Valkey and SQLite."""
    opened = Stack(redis_url, f"sqlite:///{tmp_path / 'test.db'}", tmp_path)
    yield opened
    opened.kill_all()
    opened.database.close()


@pytest.fixture
def any_stack(
    redis_url: str, client: Any, any_database_url: str, tmp_path: Path
) -> Iterator[Stack]:
    """Workers over the embedded Valkey and each kind of database."""
    opened = Stack(redis_url, any_database_url, tmp_path)
    yield opened
    opened.kill_all()
    opened.database.close()
