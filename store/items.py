"""What a running background job tells of itself: its items, and where its loop stands.

Every write checks the fence and raises LeaseLost where the job is another's.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, update

from errors import LeaseLost
from store.engine import writing
from store.held import held
from store.models import JOBS
from store.records import utc_now


@dataclass(frozen=True)
class Items:
    """How far a job is: items done, failed ones among them, of how many; None is unknown."""

    processed: int = 0
    total: int | None = None
    failed: int = 0

    @property
    def percent(self) -> int:
        """0 to 100; 0 while the total is unknown."""
        return min(100, 100 * self.processed // self.total) if self.total else 0


class ItemStore:
    """Raises StoreUnavailable."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def record(self, job_id: str, *, fence: int, items: Items, cursor: str | None = None) -> None:
        """Write how far it is; with a cursor (JSON), a later try goes on from there, and the
        budgets of failures and crashes begin anew, as after a finished stage."""
        values: dict[str, Any] = {
            "processed_items": items.processed,
            "total_items": items.total,
            "failed_items": items.failed,
            "progress": items.percent,
        }
        if cursor is not None:
            values |= {"cursor": cursor, "crashes": 0, "failures": 0}
        self._write(job_id, fence, **values)

    def drop_results(self, now: datetime) -> int:
        """Forget results whose time is over; returns how many."""
        old = JOBS.c.result_until < now
        statement = update(JOBS).where(old).values(result=None, result_until=None)
        with writing(self._engine) as connection:
            return connection.execute(statement).rowcount

    def drop_keys(self, before: datetime) -> int:
        """Free the idempotency keys of jobs that ended before; returns how many."""
        old = (JOBS.c.finished_at < before) & JOBS.c.idempotency_key.is_not(None)
        statement = update(JOBS).where(old).values(idempotency_key=None)
        with writing(self._engine) as connection:
            return connection.execute(statement).rowcount

    def _write(self, job_id: str, fence: int, **values: Any) -> None:
        statement = update(JOBS).where(held(job_id, fence)).values(updated_at=utc_now(), **values)
        with writing(self._engine) as connection:
            if not connection.execute(statement).rowcount:
                raise LeaseLost
