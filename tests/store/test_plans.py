"""A job's row is found by its key, whatever PostgreSQL believes of how many jobs wait."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import event, text

from database import Database
from store.groups import Finish
from store.records import NewJob

_WAITING = 3000


def with_stale_statistics(db: Database) -> None:
    """They were taken when no job waited; many wait now."""
    before = [NewJob(f"before-{number}", "{}") for number in range(_WAITING)]
    db.groups.accept(before)
    pairs = [(job.id, 1) for job in before]
    db.groups.claim(pairs, worker_id="w", instance="i")
    db.groups.complete([Finish(*pair, "{}") for pair in pairs])
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE jobs"))
    db.groups.accept([NewJob(f"now-{number}", "{}") for number in range(_WAITING)])


def plans(db: Database, act: Callable[[], Any]) -> list[str]:
    """Run it, and return how each of its writes to jobs would be run again."""
    seen: list[str] = []

    def note(_connection: Any, cursor: Any, statement: str, values: Any, *_: Any) -> None:
        if "UPDATE jobs" in statement:
            seen.append(cursor.mogrify(statement, values).decode())

    event.listen(db.engine, "before_cursor_execute", note)
    act()
    event.remove(db.engine, "before_cursor_execute", note)
    found = []
    with db.engine.connect() as connection:
        for statement in seen:
            asked = re.sub("UPDATE jobs", "EXPLAIN UPDATE jobs", statement, count=1)
            found.append("\n".join(connection.exec_driver_sql(asked).scalars()))
            connection.rollback()
    return found


@pytest.mark.parametrize("any_database_url", ["postgres"], indirect=True)
def test_a_write_finds_its_rows_by_their_key(any_database: Database) -> None:
    db = any_database
    with_stale_statistics(db)
    many = [(f"now-{number}", 9) for number in range(2, 258)]
    holder = {"worker_id": "w", "instance": "i"}
    acts: list[Callable[[], Any]] = [
        lambda: db.groups.claim([("now-1", 9)], **holder),
        lambda: db.groups.claim(many, **holder),
        lambda: db.groups.complete([Finish("now-1", 9, "{}")]),
        lambda: db.groups.hand_back([("now-2", 9)]),
        lambda: db.jobs.change.claim("now-300", fence=9, **holder),
        lambda: db.jobs.change.complete("now-300", fence=9, result={}),
        lambda: db.jobs.change.cancel_waiting("now-301"),
    ]
    for act in acts:
        (plan,) = plans(db, act)
        assert "using jobs_pkey" in plan, plan
        assert not re.search("Seq Scan|Bitmap|Hash|Merge|ix_jobs", plan), plan
