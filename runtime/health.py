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
from redis_queue.connection import Client, connect, translated

log = structlog.get_logger()


class Checked(Protocol):
    """What a health check looks at."""

    worker_id: str
    running: bool
    current_job: str | None
    jobs_done: int
    settings: Settings
    database: Database

    @property
    def client(self) -> Client: ...


class HealthCheck:
    """Asks Redis and the database; logs what they said every `WORKER_HEALTH_INTERVAL_S`."""

    def __init__(self, worker: Checked) -> None:
        self._worker = worker
        self._logged_at = time.monotonic()
        self._started_at = datetime.now(UTC)

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
        return {
            "worker_id": self._worker.worker_id,
            "pid": str(os.getpid()),
            "host": platform.node(),
            "current_job": self._worker.current_job or "",
            "jobs_done": str(self._worker.jobs_done),
            "rss_mb": str(round(resident_mb())),
            "queues": ",".join(self._worker.settings.queues),
            "started_at": self._started_at.isoformat(timespec="seconds"),
        }

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
