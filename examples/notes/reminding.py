"""Reminders: which are due, and what became of each.

    scheduled --claim--> sending --sent--> sent
                            '--failed--> scheduled (a later run tries again), after five failed

A claim is a compare-and-set, so that no two runs send one reminder. The claim of a run that was
killed is taken over by the same job when it goes on, and by others once it is old. What is
guaranteed: each due reminder reaches the notifier at least once, and more than once only if its
worker died between handing it over and writing `sent`, with the same id each time.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import insert, select, update

from examples.notes.tables import REMINDERS, engine
from store.engine import reading, writing
from store.records import utc_now

#: Longer than any one reminder takes to send: its run is dead.
_STALE = timedelta(minutes=10)
_MOST_FAILURES = 5


@dataclass(frozen=True)
class Reminder:
    """One that is being sent. `id` stays the same through every try."""

    id: str
    address: str
    message: str
    failures: int = 0


def schedule(user_id: int, address: str, message: str, at: datetime) -> str:
    """Remind at a time; returns the reminder's id."""
    reminder_id = str(uuid.uuid4())
    values = {
        "id": reminder_id,
        "user_id": user_id,
        "address": address,
        "message": message,
        "scheduled_at": at,
        "status": "scheduled",
    }
    with writing(engine()) as connection:
        connection.execute(insert(REMINDERS).values(values))
    return reminder_id


def claim_due(job_id: str) -> Reminder | None:
    """Take the next reminder that is due, for this job; None: there is none left."""
    now, table = utc_now(), REMINDERS.c
    # One that this run has tried and put back is left to the next.
    waits = (table.status == "scheduled") & (table.claimed_by.is_distinct_from(job_id))
    dead = (table.status == "sending") & (
        (table.claimed_by == job_id) | (table.claimed_at < now - _STALE)
    )
    due = (table.scheduled_at <= now) & (waits | dead)
    chosen = (
        select(table.id, table.address, table.message, table.failures, table.status)
        .where(due)
        .order_by(table.scheduled_at, table.id)
        .limit(1)
    )
    while True:
        with reading(engine()) as connection:
            row = connection.execute(chosen).one_or_none()
        if row is None:
            return None
        taken = (
            update(REMINDERS)
            .where((table.id == row.id) & due)
            .values(status="sending", claimed_by=job_id, claimed_at=now)
        )
        with writing(engine()) as connection:
            if connection.execute(taken).rowcount == 1:
                return Reminder(row.id, row.address, row.message, row.failures)


def sent(reminder: Reminder) -> None:
    """It was handed over."""
    _change(reminder, status="sent", sent_at=utc_now(), error_message=None)


def put_back(reminder: Reminder, error: str) -> None:
    """It could not be handed over: a later run tries again, up to a limit."""
    failures = reminder.failures + 1
    status = "failed" if failures >= _MOST_FAILURES else "scheduled"
    _change(reminder, status=status, failures=failures, error_message=error)


def _change(reminder: Reminder, **values: object) -> None:
    mine = (REMINDERS.c.id == reminder.id) & (REMINDERS.c.status == "sending")
    with writing(engine()) as connection:
        connection.execute(update(REMINDERS).where(mine).values(**values))
