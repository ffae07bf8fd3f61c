"""Is this worker well, and are the things that it depends on?"""

from __future__ import annotations

import os
import platform
import sys
import time
from datetime import UTC, datetime
from typing import Any, Protocol

import structlog

from config import Settings, variable_of, without_password
from database import Database
from errors import QueueUnavailable, StoreUnavailable
from events import Event
from redis_queue import waiting
from redis_queue.connection import Client, connect, translated

log = structlog.get_logger()


class Checked(Protocol):
    """What a health check looks at."""

    worker_id: str
    running: bool
    current_job: str | None
    loop_at: float
    settings: Settings
    database: Database

    @property
    def client(self) -> Client: ...

    @property
    def jobs_done(self) -> int: ...

    @property
    def jobs_in_hand(self) -> list[str]: ...

    @property
    def state(self) -> str: ...

    @property
    def stage(self) -> str | None: ...


class HealthCheck:
    """Asks Redis and the database; logs what they said every `WORKER_HEALTH_INTERVAL_S`."""

    def __init__(self, worker: Checked) -> None:
        self._worker = worker
        self._logged_at = time.monotonic()
        self._started_at = datetime.now(UTC)
        self._cpu = (time.process_time(), time.monotonic())

    def status(self) -> dict[str, Any]:
        """A fresh check, with exactly the keys that callers know."""
        redis_ok, database_ok = self._redis_answers(), self._database_answers()
        return {
            "worker_id": self._worker.worker_id,
            "running": self._worker.running,
            "current_job": self._worker.current_job,
            "redis_healthy": redis_ok,
            "database_healthy": database_ok,
            "healthy": redis_ok and database_ok and self._worker.running,
            "timestamp": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        }

    def report(self) -> dict[str, Any]:
        """A fresh check as `GET /health` tells it: `status` is "healthy" or "unhealthy".

        `queue_depth` counts what waits in the queues that this worker serves; None with Redis
        away. `details` are texts.
        """
        status = self.status()
        depth = self._queue_depth() if status["redis_healthy"] else None
        return {
            "status": "healthy" if status["healthy"] else "unhealthy",
            "redis_connected": status["redis_healthy"],
            "database_connected": status["database_healthy"],
            "queue_depth": depth,
            "details": {
                "queue_depth": "unknown" if depth is None else str(depth),
                **self._worker_fields(),
                "timestamp": status["timestamp"],
            },
        }

    def is_live(self) -> bool:
        """Whether the main loop moves. Waiting for Redis at the start counts as moving."""
        # A main loop that hangs outside a job must not be kept alive by its heartbeat.
        idle_s = time.monotonic() - self._worker.loop_at
        in_loop = self._worker.running and self._worker.current_job is None
        return not in_loop or idle_s < self._worker.settings.lease_s * 2

    def takes_jobs(self) -> bool:
        """Whether it would claim a job that came now, or when the one in hand is done."""
        return self._worker.running and self._worker.state in ("idle", "working")

    def phase(self) -> tuple[str | None, ...]:
        """What of the description is news as soon as it changes."""
        return self._worker.state, next(iter(self._worker.jobs_in_hand), None), self._worker.stage

    def log_when_due(self) -> None:
        """Called every second or so, from any one thread."""
        now = time.monotonic()
        if now - self._logged_at >= self._worker.settings.health_interval_s:
            self._logged_at = now
            status = self.status()
            write = log.info if status["healthy"] else log.warning
            write(Event.WORKER_HEALTH_CHECKED, rss_mb=round(resident_mb()), **status)

    def description(self) -> dict[str, str]:
        """What the worker tells of itself with each heartbeat."""
        return {**self._worker_fields(), "cpu_percent": f"{self._cpu_percent():.1f}"}

    def _worker_fields(self) -> dict[str, str]:
        return {
            "worker_id": self._worker.worker_id,
            "pid": str(os.getpid()),
            "host": platform.node(),
            "state": self._worker.state,
            "current_job": next(iter(self._worker.jobs_in_hand), ""),
            "running": str(len(self._worker.jobs_in_hand)),
            "stage": self._worker.stage or "",
            "jobs_done": str(self._worker.jobs_done),
            "rss_mb": str(round(resident_mb())),
            "queues": ",".join(self._worker.settings.queues),
            "started_at": self._started_at.isoformat(timespec="seconds"),
        }

    def _cpu_percent(self) -> float:
        """Of one core, by this process without its children, since the last call."""
        before, self._cpu = self._cpu, (time.process_time(), time.monotonic())
        return 100 * (self._cpu[0] - before[0]) / max(0.001, self._cpu[1] - before[1])

    def _queue_depth(self) -> int | None:
        try:
            depths = waiting.depths(self._worker.client)
        except QueueUnavailable:
            return None
        return sum(depths.get(queue, 0) for queue in self._worker.settings.queues)

    def _redis_answers(self) -> bool:
        try:
            with translated():
                return bool(self._worker.client.ping())
        except QueueUnavailable:
            return False

    def _database_answers(self) -> bool:
        try:
            self._worker.database.jobs.ping()
        except StoreUnavailable:
            return False
        return True


def check_connections(settings: Settings) -> list[str]:
    """What `--check` prints: a line per dependency; returns the problems."""
    problems = []
    redis_url = settings.redis_url.get_secret_value()
    database_url = settings.database_url.get_secret_value()
    try:
        with translated():
            connect(redis_url, name="check").ping()
    except QueueUnavailable as error:
        problems.append(
            f"{variable_of('redis_url')}: no answer at {without_password(redis_url)} ({error})"
        )
    try:
        Database(database_url).jobs.ping()
    except StoreUnavailable as error:
        shown = without_password(database_url)
        problems.append(f"{variable_of('database_url')}: no answer at {shown} ({error})")
    for problem in problems:
        print(problem, file=sys.stderr)  # noqa: T201  # this command's product
    if not problems:
        print("settings, Redis and database: ok")  # noqa: T201  # this command's product
    return problems


def resident_mb() -> float:
    """This process's resident memory in MB; 0.0 where /proc cannot say."""
    try:
        with open("/proc/self/statm", "rb") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    except OSError:
        return 0.0
