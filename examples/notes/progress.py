"""The table background_jobs: what users see of their jobs, and where a job stands.

A batch's vectors and the note it ended with are written in one transaction, by compare-and-set on
the note before. So a batch is either finished and counted, or neither, whatever is killed; and of
two workers that were to hold one job for a moment, one writes each batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update

from examples.notes.embedding import Vectors
from examples.notes.notes import Note, put_vectors
from examples.notes.tables import BACKGROUND_JOBS, engine
from store.engine import insert_of, reading, writing
from store.records import utc_now

EMBEDDING = "embedding_regeneration"
OPEN = ("queued", "running")


@dataclass(frozen=True)
class Tracked:
    """One row."""

    job_id: str
    user_id: int
    job_type: str
    status: str
    progress_percent: int
    total_items: int
    processed_items: int
    failed_items: int
    last_note_id: int
    error_message: str | None
    created_at: datetime
    started_at: datetime | None
    completed_at: datetime | None


def queued(job_id: str, user_id: int) -> None:
    """Show a job as waiting, unless it is shown already."""
    values = {
        "job_id": job_id,
        "user_id": user_id,
        "job_type": EMBEDDING,
        "status": "queued",
        "created_at": utc_now(),
    }
    made = insert_of(engine())(BACKGROUND_JOBS).values(values)
    with writing(engine()) as connection:
        connection.execute(made.on_conflict_do_nothing(index_elements=["job_id"]))


def begun(job_id: str, user_id: int, total: int) -> Tracked:
    """Show it as running; returns where an earlier try left it.

    One that an operator has replayed goes on where it failed; one that was completed begins anew.
    """
    # The worker may be quicker than the API, which writes the row after the job is accepted.
    queued(job_id, user_id)
    values: dict[str, Any] = {
        "status": "running",
        "started_at": func.coalesce(BACKGROUND_JOBS.c.started_at, utc_now()),
        "completed_at": None,
        "total_items": total,
        "error_message": None,
    }
    if get(job_id).status == "completed":
        counts = ("last_note_id", "processed_items", "failed_items", "progress_percent")
        values |= dict.fromkeys(counts, 0)
    with writing(engine()) as connection:
        mine = BACKGROUND_JOBS.c.job_id == job_id
        connection.execute(update(BACKGROUND_JOBS).where(mine).values(**values))
    return get(job_id)


def batch_done(
    before: Tracked, notes: Sequence[Note], good: Sequence[Note], vectors: Vectors
) -> Tracked:
    """Write a batch's vectors, count it and move on, all or nothing; returns where it stands."""
    table = BACKGROUND_JOBS.c
    processed = before.processed_items + len(notes)
    total = max(before.total_items, processed)  # notes that were added meanwhile count too
    mine = (table.job_id == before.job_id) & (table.last_note_id == before.last_note_id)
    moved = (
        update(BACKGROUND_JOBS)
        .where(mine)
        .values(
            status="running",
            last_note_id=notes[-1].id,
            processed_items=processed,
            total_items=total,
            failed_items=before.failed_items + len(notes) - len(good),
            progress_percent=100 * processed // total,
        )
    )
    with writing(engine()) as connection:
        if connection.execute(moved).rowcount == 1:
            put_vectors(connection, before.user_id, good, vectors)
    return get(before.job_id)


def ended(job_id: str, status: str, error: str | None = None) -> None:
    """Show it as completed or failed; one that has ended stays as it is."""
    values: dict[str, Any] = {"status": status, "completed_at": utc_now(), "error_message": error}
    if status == "completed":
        values["progress_percent"] = 100
    _change(job_id, **values)


def waits_again(job_id: str, error: str | None) -> None:
    """Its try ended without an end, and another will come."""
    _change(job_id, status="queued", error_message=error)


def get(job_id: str) -> Tracked:
    """The row; it is known to be there."""
    with reading(engine()) as connection:
        chosen = select(BACKGROUND_JOBS).where(BACKGROUND_JOBS.c.job_id == job_id)
        return Tracked(**connection.execute(chosen).one()._mapping)


def of_user(
    user_id: int, statuses: Sequence[str], *, limit: int, offset: int = 0
) -> tuple[list[Tracked], int]:
    """A user's jobs in these states, newest first, and how many there are in all."""
    table = BACKGROUND_JOBS.c
    mine = (table.user_id == user_id) & table.status.in_(statuses)
    page = select(BACKGROUND_JOBS).where(mine).order_by(table.created_at.desc(), table.job_id)
    with reading(engine()) as connection:
        rows = connection.execute(page.limit(limit).offset(offset)).all()
        counted = select(func.count()).select_from(BACKGROUND_JOBS).where(mine)
        total = int(connection.execute(counted).scalar_one())
    return [Tracked(**row._mapping) for row in rows], total


def find(job_id: str, user_id: int) -> Tracked | None:
    """A job of this user's, or None: another's is not known to be there."""
    table = BACKGROUND_JOBS.c
    chosen = select(BACKGROUND_JOBS).where((table.job_id == job_id) & (table.user_id == user_id))
    with reading(engine()) as connection:
        row = connection.execute(chosen).one_or_none()
    return Tracked(**row._mapping) if row is not None else None


def _change(job_id: str, **values: Any) -> None:
    table = BACKGROUND_JOBS.c
    unfinished = (table.job_id == job_id) & table.status.in_(OPEN)
    with writing(engine()) as connection:
        connection.execute(update(BACKGROUND_JOBS).where(unfinished).values(**values))
