"""`cli.py health`: are Redis, the database and the workers well?"""

from __future__ import annotations

from collections import Counter
from typing import Any

import typer

from commands.connections import servers, wanted_settings
from commands.fleet import living
from commands.inspect import JsonFlag
from commands.output import say, say_json
from config import EXIT_UNAVAILABLE, Settings
from errors import QueueUnavailable, StoreUnavailable
from redis_queue import overview
from redis_queue.connection import connect


def health(as_json: JsonFlag = False) -> None:
    """Check the whole: exit code 0 healthy, 1 jobs wait with nobody to take them, 69 no answer."""
    settings = wanted_settings()
    details: dict[str, str] = {}
    redis_ok, depth, taking = _look_at_redis(settings, details)
    database_ok = _look_at_database(details)
    stuck = bool(depth) and not taking
    if stuck:
        details["problem"] = "jobs wait, and no worker takes any"
    report: dict[str, Any] = {
        "status": "healthy" if redis_ok and database_ok and not stuck else "unhealthy",
        "redis_connected": redis_ok,
        "database_connected": database_ok,
        "queue_depth": depth,
        "details": details,
    }
    if as_json:
        say_json(report)
    else:
        for key, value in [*report.items()][:-1]:
            say(f"{key:20} {value}")
        for key, text in details.items():
            say(f"  {key:18} {text}")
    if not (redis_ok and database_ok):
        raise typer.Exit(EXIT_UNAVAILABLE)
    raise typer.Exit(1 if stuck else 0)


def _look_at_redis(settings: Settings, details: dict[str, str]) -> tuple[bool, int | None, bool]:
    """(Answers, what waits in queues that are not paused, whether some worker takes jobs)."""
    client = connect(settings.redis_url.get_secret_value(), name="cli")
    try:
        lines, rows = overview.queues(client), living(client)
    except QueueUnavailable as error:
        details["redis"] = str(error)
        return False, None, False
    depth = sum(line.depth for line in lines if not line.paused)
    states = Counter(row["state"] for row in rows)
    details["queue_depth"] = str(depth)
    details["workers"] = str(len(rows))
    details |= {f"workers_{state}": str(number) for state, number in sorted(states.items())}
    paused = [line.name for line in lines if line.paused]
    if paused:
        details["paused"] = ", ".join(paused)
    return True, depth, bool(states["idle"] + states["working"])


def _look_at_database(details: dict[str, str]) -> bool:
    try:
        servers().database.jobs.ping()
    except StoreUnavailable as error:
        details["database"] = str(error)
        return False
    return True
