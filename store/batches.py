"""Batches: many jobs with one end. A job counts when it ends for the first time.

The count changes in the transaction that ends the job, and the batch's callback is accepted in
the transaction that ends the last one: neither can be lost with a worker, nor happen twice.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, func, insert, select, update

from store.engine import reading, writing
from store.models import BATCHES, JOBS
from store.records import NewJob, row_of, utc_now


@dataclass(frozen=True)
class BatchRecord:
    """A batch, and how many of its jobs are in each state now."""

    id: str
    tenant: str
    description: str
    total: int
    pending: int
    sealed: bool
    callback_job: str | None
    created_at: datetime
    finished_at: datetime | None
    states: dict[str, int]


class BatchStore:
    """Batches as records. Raises StoreUnavailable."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def open(
        self, batch_id: str, *, tenant: str, description: str, callback: NewJob | None
    ) -> None:
        """Make a batch that jobs can be added to; `callback` is accepted when all have ended."""
        told = None
        if callback is not None:
            told = json.dumps(
                {"kind": callback.kind, "queue": callback.queue, "payload": callback.payload}
            )
        values = {"id": batch_id, "tenant": tenant, "description": description, "callback": told}
        with writing(self._engine) as connection:
            connection.execute(insert(BATCHES).values(created_at=utc_now(), **values))

    def seal(self, batch_id: str) -> None:
        """No more jobs are added; if all have ended already, so has the batch. Idempotent."""
        with writing(self._engine) as connection:
            # Locked first: a job that ends now waits, and then sees the seal.
            mine = BATCHES.c.id == batch_id
            row = connection.execute(select(BATCHES).where(mine).with_for_update()).one()
            if row.sealed:
                return
            jobs = JOBS.c.batch_id == batch_id
            total = connection.execute(select(func.count()).where(jobs)).scalar_one()
            connection.execute(
                update(BATCHES)
                .where(mine)
                .values(sealed=True, total=total, pending=BATCHES.c.pending + total)
            )
            _end_if_done(connection, batch_id)

    def get(self, batch_id: str) -> BatchRecord | None:
        """The batch, or None."""
        states = select(JOBS.c.state, func.count()).where(JOBS.c.batch_id == batch_id)
        with reading(self._engine) as connection:
            row = connection.execute(select(BATCHES).where(BATCHES.c.id == batch_id)).first()
            found = connection.execute(states.group_by(JOBS.c.state)).all() if row else []
        return _record(row, dict(found)) if row else None


def count_ended(connection: Connection, batch_id: str, number: int = 1) -> None:
    """Within the transaction that ended `number` jobs of a batch for the first time."""
    connection.execute(
        update(BATCHES).where(BATCHES.c.id == batch_id).values(pending=BATCHES.c.pending - number)
    )
    _end_if_done(connection, batch_id)


def _end_if_done(connection: Connection, batch_id: str) -> None:
    # Before the seal the count runs below zero; the seal adds all jobs at once.
    done = (BATCHES.c.id == batch_id) & BATCHES.c.sealed.is_(True) & (BATCHES.c.pending == 0)
    ended = update(BATCHES).where(done & BATCHES.c.finished_at.is_(None))
    row = connection.execute(ended.values(finished_at=utc_now()).returning(*BATCHES.c)).first()
    if row is None or row.callback is None:
        return
    told: dict[str, Any] = json.loads(row.callback)
    callback = NewJob(
        f"{batch_id}.done", told["payload"], told["queue"], told["kind"], tenant=row.tenant
    )
    connection.execute(insert(JOBS).values(row_of(callback, utc_now())))
    connection.execute(
        update(BATCHES).where(BATCHES.c.id == batch_id).values(callback_job=callback.id)
    )


def _record(row: Any, states: dict[str, int]) -> BatchRecord:
    kept = {
        name: getattr(row, name) for name in BatchRecord.__dataclass_fields__ if name != "states"
    }
    return BatchRecord(**kept, states=states)
