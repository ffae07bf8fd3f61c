"""The repository of jobs: accepting, finding and listing them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine, func, insert, select, tuple_, update
from sqlalchemy.exc import IntegrityError

from jobs.states import FINAL, JobState
from store.engine import insert_of, reading, writing
from store.held import row_state
from store.models import JOB_STAGES, JOBS
from store.records import JobRecord, NewJob, job_record, row_of, utc_now
from store.transitions import Transitions

_BATCH = 500


class JobStore:
    """Jobs as records. Raises StoreUnavailable where the database is away."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._insert = insert_of(engine)
        self.change = Transitions(engine)

    def accept(self, job: NewJob, *, pushed: bool = False) -> bool:
        """Insert a job; False: the id, or the tenant's idempotency key, is taken already."""
        values = row_of(job, utc_now(), pushed=pushed)
        statement = self._insert(JOBS).values(values).on_conflict_do_nothing()
        with writing(self._engine) as connection:
            return bool(connection.execute(statement).rowcount)

    def accept_dead(self, job: NewJob, *, error: str, raw: bytes | None) -> bool:
        """Insert an entry that cannot be run as a dead letter, whole; False: known already."""
        now = utc_now()
        ended = {"state": JobState.FAILED, "error": error, "raw": raw, "finished_at": now}
        statement = insert(JOBS).values(row_of(job, now, pushed=True) | ended)
        try:
            with writing(self._engine) as connection:
                connection.execute(statement)
        except IntegrityError:
            return False
        return True

    def mark_pushed(self, rows: Sequence[JobRecord]) -> None:
        """Redis was told of these rows as they were read; one replayed since is left alone."""
        told = tuple_(JOBS.c.id, JOBS.c.fence).in_([(row.id, row.fence) for row in rows])
        statement = update(JOBS).where(told).values(pushed=True)
        with writing(self._engine) as connection:
            connection.execute(statement)

    def request_cancel(self, job_id: str) -> bool:
        """Ask a running job's holder to stop; it writes the state itself. False: not running."""
        statement = (
            update(JOBS)
            .where((JOBS.c.id == job_id) & (row_state == JobState.PROCESSING))
            .values(cancel_requested=True, updated_at=utc_now())
        )
        with writing(self._engine) as connection:
            return bool(connection.execute(statement).rowcount)

    def get(self, job_id: str) -> JobRecord | None:
        """The job, or None."""
        return self.change.read(job_id)

    def by_idempotency_key(self, tenant: str, key: str) -> JobRecord | None:
        """The job that was accepted under this key, or None."""
        where = (JOBS.c.tenant == tenant) & (JOBS.c.idempotency_key == key)
        with reading(self._engine) as connection:
            row = connection.execute(select(JOBS).where(where)).one_or_none()
        return job_record(row) if row else None

    def page(
        self, *, state: str | None = None, limit: int = 50, offset: int = 0
    ) -> list[JobRecord]:
        """Jobs, newest first."""
        statement = select(JOBS).order_by(JOBS.c.created_at.desc(), JOBS.c.id.desc())
        if state is not None:
            statement = statement.where(JOBS.c.state == state)
        with reading(self._engine) as connection:
            rows = connection.execute(statement.limit(limit).offset(offset)).all()
        return [job_record(row) for row in rows]

    def count_by_state(self) -> dict[str, int]:
        """How many jobs are in each state; states without jobs are left out."""
        statement = select(JOBS.c.state, func.count()).group_by(JOBS.c.state)
        with reading(self._engine) as connection:
            return {row[0]: row[1] for row in connection.execute(statement)}

    def unpushed(self, *, older_than_s: float, limit: int = 100) -> list[JobRecord]:
        """Waiting rows that Redis may not know: their push was lost."""
        before = utc_now() - timedelta(seconds=older_than_s)
        where = (
            JOBS.c.pushed.is_(False)
            & JOBS.c.state.in_([JobState.PENDING, JobState.SCHEDULED])
            & (JOBS.c.updated_at < before)
        )
        statement = select(JOBS).where(where).order_by(JOBS.c.created_at).limit(limit)
        with reading(self._engine) as connection:
            return [job_record(row) for row in connection.execute(statement)]

    def unfinished(self) -> Iterator[list[JobRecord]]:
        """All rows that are not final, oldest first, in batches."""
        states = [state for state in JobState if state not in FINAL]
        yield from self._batches(JOBS.c.state.in_(states))

    def finished_since(self, since: datetime) -> Iterator[list[JobRecord]]:
        """Final rows that ended after `since`, in batches."""
        ended = JOBS.c.finished_at > since
        yield from self._batches(JOBS.c.state.in_(list(FINAL)) & ended)

    def time_line(self, job_id: str) -> list[dict[str, Any]]:
        """The job's stages in the order they began: names, times, reuse, failures."""
        statement = (
            select(JOB_STAGES)
            .where(JOB_STAGES.c.job_id == job_id)
            .order_by(JOB_STAGES.c.started_at)
        )
        with reading(self._engine) as connection:
            return [dict(row._mapping) for row in connection.execute(statement)]

    def ping(self) -> None:
        """Raises StoreUnavailable unless the database answers."""
        with reading(self._engine) as connection:
            connection.execute(select(1))

    def _batches(self, where: Any) -> Iterator[list[JobRecord]]:
        after: tuple[datetime, str] | None = None
        while True:
            statement = select(JOBS).where(where).order_by(JOBS.c.created_at, JOBS.c.id)
            if after is not None:
                statement = statement.where(tuple_(JOBS.c.created_at, JOBS.c.id) > after)
            with reading(self._engine) as connection:
                rows = connection.execute(statement.limit(_BATCH)).all()
            batch = [job_record(row) for row in rows]
            if batch:
                yield batch
            if len(batch) < _BATCH:
                return
            after = (batch[-1].created_at, batch[-1].id)
