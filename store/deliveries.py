"""The outbox of callbacks: queued with the job's end, taken by one worker at a time.

Delivered at least once: a worker that dies between the receiver's answer and the note of it
leaves the callback to be sent again when its turn lapses. Receivers tell repeats by the id.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, Row, select, update

from jobs.payload import callback_of
from jobs.states import FINAL, JobState
from store.engine import insert_of, reading, writing
from store.models import DELIVERIES, JOBS
from store.records import utc_now

WAITING = "waiting"
DELIVERED = "delivered"
GIVEN_UP = "given_up"
#: What is told of a dead letter that nobody has looked after.
REMINDER = "reminder"


@dataclass(frozen=True)
class Delivery:
    """One callback: what is told to whom, and how often that was tried."""

    id: str
    job_id: str
    tenant: str
    url: str
    outcome: str
    state: str
    attempts: int
    last_error: str | None
    due_at: datetime
    created_at: datetime
    ended_at: datetime | None


def queue_callback(connection: Connection, insert: Any, row: Row[Any]) -> None:
    """Within the transaction that wrote `row` (of jobs): queue the callback it asks for, if any."""
    if row.state in FINAL:
        _queue(connection, insert, row, JobState(row.state))


def _queue(connection: Connection, insert: Any, row: Row[Any], outcome: str) -> int:
    """Queue what is told of a job once; returns how many were queued, 0 or 1."""
    url = callback_of(row.payload)
    if url is None:
        return 0
    now = utc_now()
    return connection.execute(
        insert(DELIVERIES)
        .values(
            id=f"{row.id}.{row.generation}.{outcome}",
            job_id=row.id,
            tenant=row.tenant,
            url=url,
            outcome=outcome,
            state=WAITING,
            due_at=now,
            created_at=now,
        )
        .on_conflict_do_nothing(index_elements=["id"])
    ).rowcount


class DeliveryStore:
    """Callbacks as records. Raises StoreUnavailable where the database is away."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._insert = insert_of(engine)

    def take_due(self, *, turn_s: float, limit: int) -> list[Delivery]:
        """Callbacks that are due, now this caller's for `turn_s`; each counts as one more try."""
        now = utc_now()
        due = (DELIVERIES.c.state == WAITING) & (DELIVERIES.c.due_at <= now)
        found = select(DELIVERIES).where(due).order_by(DELIVERIES.c.due_at).limit(limit)
        with reading(self._engine) as connection:
            rows = connection.execute(found).all()
        taken = []
        for row in rows:
            # By compare-and-set: of two workers that saw the row, one gets it.
            mine = (
                update(DELIVERIES)
                .where((DELIVERIES.c.id == row.id) & due & (DELIVERIES.c.due_at == row.due_at))
                .values(due_at=now + timedelta(seconds=turn_s), attempts=row.attempts + 1)
                .returning(*DELIVERIES.c)
            )
            with writing(self._engine) as connection:
                changed = connection.execute(mine).one_or_none()
            if changed is not None:
                taken.append(Delivery(**changed._mapping))
        return taken

    def delivered(self, delivery: Delivery) -> None:
        """The receiver has it."""
        self._end(delivery, DELIVERED, None)

    def give_up(self, delivery: Delivery, error: str) -> None:
        """It will not be tried again by itself."""
        self._end(delivery, GIVEN_UP, error)

    def retry(self, delivery: Delivery, error: str, *, delay_s: float) -> None:
        """Try again later."""
        due_at = utc_now() + timedelta(seconds=delay_s)
        self._change(delivery, last_error=error, due_at=due_at)

    def remind(self, failed_after: datetime, failed_before: datetime, limit: int) -> int:
        """Queue a reminder for each dead letter of that time that has a callback and got none."""
        dead = (
            (JOBS.c.state == JobState.FAILED)
            & (JOBS.c.finished_at >= failed_after)
            & (JOBS.c.finished_at < failed_before)
            & JOBS.c.payload.contains('"callback_url"')
        )
        statement = select(JOBS).where(dead).order_by(JOBS.c.finished_at).limit(limit)
        with writing(self._engine) as connection:
            rows = connection.execute(statement).all()
            return sum(_queue(connection, self._insert, row, REMINDER) for row in rows)

    def again(self, job_id: str) -> int:
        """Queue a job's callbacks anew, by hand; returns how many."""
        values = {"state": WAITING, "due_at": utc_now(), "attempts": 0, "ended_at": None}
        with writing(self._engine) as connection:
            statement = update(DELIVERIES).where(DELIVERIES.c.job_id == job_id).values(**values)
            return connection.execute(statement).rowcount

    def of_job(self, job_id: str) -> list[Delivery]:
        """A job's callbacks, oldest first."""
        where = DELIVERIES.c.job_id == job_id
        statement = select(DELIVERIES).where(where).order_by(DELIVERIES.c.created_at)
        with reading(self._engine) as connection:
            return [Delivery(**row._mapping) for row in connection.execute(statement)]

    def _end(self, delivery: Delivery, state: str, error: str | None) -> None:
        self._change(delivery, state=state, last_error=error, ended_at=utc_now())

    def _change(self, delivery: Delivery, **values: Any) -> None:
        """Write, unless the turn lapsed and the callback is another worker's by now."""
        mine = (
            (DELIVERIES.c.id == delivery.id)
            & (DELIVERIES.c.state == WAITING)
            & (DELIVERIES.c.attempts == delivery.attempts)
        )
        with writing(self._engine) as connection:
            connection.execute(update(DELIVERIES).where(mine).values(**values))
