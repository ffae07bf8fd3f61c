"""Is everything there, and does anybody take what waits?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy.exc import OperationalError, ProgrammingError

from background.services import Services
from config import settings
from database import Database
from errors import QueueUnavailable, StoreUnavailable
from examples.stack.registry import WORKER_QUEUES
from jobs.states import JobState
from redis_queue import overview, presence
from redis_queue.connection import connect
from store.listing import JobFilter

#: A queue whose head waits longer than this has too few workers.
_LATE_S = 10.0


@dataclass(frozen=True)
class QueueHealth:
    """One queue: what is set, and what is."""

    name: str
    description: str
    queue_name: str
    max_jobs: int
    timeout_seconds: int
    status: str
    workers: int
    running: int
    waiting: int
    #: How long the one at the head waits, in s.
    delayed: float
    #: Dead letters.
    failed: int


@dataclass(frozen=True)
class Health:
    """`status`: "healthy", "degraded" (somebody ought to look), "unhealthy" (a server is away)."""

    status: str
    redis_connected: bool
    database_connected: bool
    queues: tuple[QueueHealth, ...]


def open_services() -> Services:
    """The servers of the settings; connected when asked, and the schema is left alone."""
    found = settings()
    return Services(
        found,
        Database(found.database_url.get_secret_value()),
        connect(found.redis_url.get_secret_value(), name="stack-health"),
    )


def look(servers: Services) -> Health:
    """A fresh look at all of it. Never raises for a server that is away: it says so."""
    redis_ok, lines, workers = _look_at_redis(servers)
    database_ok, failed = _look_at_database(servers)
    queues = tuple(_queue(name, lines, workers, failed) for name in WORKER_QUEUES)
    if not (redis_ok and database_ok):
        status = "unhealthy"
    elif any(queue.status in ("no worker", "late", "paused") for queue in queues):
        status = "degraded"
    else:
        status = "healthy"
    return Health(status, redis_ok, database_ok, queues if redis_ok and database_ok else ())


def _look_at_redis(
    servers: Services,
) -> tuple[bool, dict[str, overview.QueueLine], list[dict[str, str]]]:
    try:
        lines = {line.name: line for line in overview.queues(servers.client)}
        return True, lines, presence.workers(servers.client)
    except QueueUnavailable:
        return False, {}, []


def _look_at_database(servers: Services) -> tuple[bool, dict[str, int]]:
    listing = servers.database.listing
    try:
        servers.database.jobs.ping()
        return True, {
            name: listing.count(JobFilter(state=JobState.FAILED, queue=str(row["queue_name"])))
            for name, row in WORKER_QUEUES.items()
        }
    except StoreUnavailable:
        return False, {}
    except (OperationalError, ProgrammingError):
        return True, {}  # no worker has made the tables yet


def _queue(
    name: str,
    lines: dict[str, overview.QueueLine],
    workers: list[dict[str, str]],
    failed: dict[str, int],
) -> QueueHealth:
    row: dict[str, Any] = WORKER_QUEUES[name]
    line = lines.get(row["queue_name"])
    serving = [w for w in workers if row["queue_name"] in w.get("queues", "").split(",")]
    waiting = line.depth if line else 0
    delayed = round((line.oldest_s or 0.0) if line else 0.0, 2)
    if line and line.paused:
        status = "paused"
    elif waiting and not serving:
        status = "no worker"
    elif delayed > _LATE_S:
        status = "late"
    else:
        status = "healthy" if serving else "idle"
    return QueueHealth(
        name=name,
        **row,
        status=status,
        workers=len(serving),
        running=sum(int(w.get("running") or 0) for w in serving),
        waiting=waiting,
        delayed=delayed,
        failed=failed.get(name, 0),
    )
