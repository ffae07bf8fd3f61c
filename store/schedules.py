"""Schedules as records: what is enqueued by the clock, and the compare-and-set that does it.

A tick is taken by moving `next_at` on, in the transaction that accepts its job. Of any number of
workers that see the same tick, one moves it; a worker that dies in between has moved nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, delete, select, update

from store.engine import insert_of, reading, writing
from store.models import JOBS, SCHEDULES
from store.records import NewJob, row_of, utc_now


@dataclass(frozen=True)
class Schedule:
    """One row of schedules. `cron` has five fields and is meant in `timezone`."""

    name: str
    kind: str
    queue: str
    payload: str
    cron: str
    timezone: str
    missed: str
    declared: bool
    paused: bool
    next_at: datetime
    last_at: datetime | None = None
    last_job: str | None = None


class ScheduleStore:
    """Raises StoreUnavailable."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._insert = insert_of(engine)

    def put(self, schedule: Schedule) -> None:
        """Add a schedule, or change one; its next tick is kept where its times are the same.

        Whether it is paused is the operators' and is kept too.
        """
        values = {
            name: getattr(schedule, name)
            for name in ("kind", "queue", "payload", "cron", "timezone", "missed", "declared")
        }
        with writing(self._engine) as connection:
            added = connection.execute(
                self._insert(SCHEDULES)
                .values(
                    name=schedule.name,
                    paused=schedule.paused,
                    next_at=schedule.next_at,
                    created_at=utc_now(),
                    **values,
                )
                .on_conflict_do_nothing(index_elements=["name"])
            ).rowcount
            if added:
                return
            mine = SCHEDULES.c.name == schedule.name
            same = (SCHEDULES.c.cron == schedule.cron) & (SCHEDULES.c.timezone == schedule.timezone)
            connection.execute(
                update(SCHEDULES).where(mine & ~same).values(next_at=schedule.next_at)
            )
            connection.execute(update(SCHEDULES).where(mine).values(**values))

    def due(self, now: datetime) -> list[Schedule]:
        """Schedules that have a tick at or before `now` and are not paused."""
        where = SCHEDULES.c.paused.is_(False) & (SCHEDULES.c.next_at <= now)
        return self._read(select(SCHEDULES).where(where).order_by(SCHEDULES.c.next_at))

    def all(self) -> list[Schedule]:
        """Every schedule, by name."""
        return self._read(select(SCHEDULES).order_by(SCHEDULES.c.name))

    def get(self, name: str) -> Schedule | None:
        """One schedule, or None."""
        return next(iter(self._read(select(SCHEDULES).where(SCHEDULES.c.name == name))), None)

    def take(
        self, schedule: Schedule, next_at: datetime, tick_at: datetime, job: NewJob | None
    ) -> bool:
        """Move on to `next_at` from what `schedule` shows, accepting the job of the tick at
        `tick_at`, or none where it is skipped; False: another moved it."""
        mine = (SCHEDULES.c.name == schedule.name) & (SCHEDULES.c.next_at == schedule.next_at)
        values: dict[str, Any] = {"next_at": next_at}
        if job is not None:
            values |= {"last_at": tick_at, "last_job": job.id}
        with writing(self._engine) as connection:
            moved = connection.execute(
                update(SCHEDULES).where(mine & SCHEDULES.c.paused.is_(False)).values(**values)
            ).rowcount
            if moved and job is not None:
                connection.execute(
                    self._insert(JOBS)
                    .values(row_of(job, utc_now()))
                    # The id is made of name and tick: one that was run before is not run again.
                    .on_conflict_do_nothing(index_elements=["id"])
                )
        return bool(moved)

    def pause(self, name: str) -> bool:
        """Let no tick of it be run from now on; False: it was paused, or is not there."""
        where = (SCHEDULES.c.name == name) & SCHEDULES.c.paused.is_(False)
        with writing(self._engine) as connection:
            statement = update(SCHEDULES).where(where).values(paused=True)
            return bool(connection.execute(statement).rowcount)

    def resume(self, name: str, next_at: datetime) -> bool:
        """Go on with the tick at `next_at`; those of the pause are not made up for."""
        where = (SCHEDULES.c.name == name) & SCHEDULES.c.paused.is_(True)
        with writing(self._engine) as connection:
            statement = update(SCHEDULES).where(where).values(paused=False, next_at=next_at)
            return bool(connection.execute(statement).rowcount)

    def remove(self, name: str) -> bool:
        """Forget a schedule; False: it is not there."""
        with writing(self._engine) as connection:
            gone = connection.execute(delete(SCHEDULES).where(SCHEDULES.c.name == name))
            return bool(gone.rowcount)

    def _read(self, statement: Any) -> list[Schedule]:
        with reading(self._engine) as connection:
            rows = connection.execute(statement).all()
        names = Schedule.__dataclass_fields__
        return [Schedule(**{name: getattr(row, name) for name in names}) for row in rows]
