"""Finding jobs among many: filters, pages by offset or by cursor, and what happened lately."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, Select, func, literal, select, tuple_
from sqlalchemy.sql.elements import ColumnElement

from errors import InvalidInput
from jobs.states import FINAL, JobState
from store.engine import reading
from store.models import JOBS
from store.records import JobRecord, job_record

#: Ended jobs that a look at the last hours takes into account at most.
_RECENT = 5000
#: Text is looked for in this many of the newest jobs: it is read row by row.
SEARCHED = 20_000
#: Counting ends here.
COUNTED = 10_000


@dataclass(frozen=True)
class JobFilter:
    """Which jobs; None is any. `text` is looked for in the payload and in the id."""

    state: str | None = None
    kind: str | None = None
    tenant: str | None = None
    queue: str | None = None
    text: str | None = None


@dataclass(frozen=True)
class JobPage:
    """Jobs, newest first; `after` is the cursor of the next page, None on the last."""

    records: list[JobRecord]
    after: str | None


@dataclass(frozen=True)
class Ended:
    """An ended job, for statistics."""

    state: str
    kind: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime


class JobListing:
    """Reads only. Raises StoreUnavailable where the database is away."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def page(
        self, wanted: JobFilter, *, limit: int, offset: int = 0, after: str | None = None
    ) -> JobPage:
        """One page. `after` (a cursor) costs the same however deep; raises InvalidInput for a
        text that is none."""
        statement = self._filtered(select(JOBS), wanted)
        if after is not None:
            statement = statement.where(tuple_(JOBS.c.created_at, JOBS.c.id) < _place(after))
        statement = statement.order_by(JOBS.c.created_at.desc(), JOBS.c.id.desc())
        with reading(self._engine) as connection:
            rows = connection.execute(statement.limit(limit + 1).offset(offset)).all()
        records = [job_record(row) for row in rows[:limit]]
        return JobPage(records, _cursor(records[-1]) if len(rows) > limit else None)

    def count(self, wanted: JobFilter) -> int:
        """How many jobs there are of these; `COUNTED` + 1 for more than `COUNTED`."""
        # No column: an index by itself is enough.
        one = select(literal(1)).select_from(JOBS)
        some = self._filtered(one, wanted).limit(COUNTED + 1).subquery()
        statement = select(func.count()).select_from(some)
        with reading(self._engine) as connection:
            return int(connection.execute(statement).scalar_one())

    def is_searched_whole(self, wanted: JobFilter) -> bool:
        """Whether a search for text looks at all of these jobs."""
        return not wanted.text or self._reach(wanted) is None

    def by_state(self, tenant: str | None = None) -> dict[str, int]:
        """Jobs in each state; every state is there."""
        statement = self._filtered(select(JOBS.c.state, func.count()), JobFilter(tenant=tenant))
        with reading(self._engine) as connection:
            found = {row[0]: row[1] for row in connection.execute(statement.group_by(JOBS.c.state))}
        return {state.value: found.get(state, 0) for state in JobState}

    def ended_since(self, since: datetime, tenant: str | None = None) -> list[Ended]:
        """Jobs that ended after `since`, newest first, bounded."""
        columns = (
            JOBS.c.state,
            JOBS.c.kind,
            JOBS.c.created_at,
            JOBS.c.started_at,
            JOBS.c.finished_at,
        )
        statement = self._filtered(select(*columns), JobFilter(tenant=tenant))
        recent = JOBS.c.state.in_(list(FINAL)) & (JOBS.c.finished_at > since)
        statement = statement.where(recent).order_by(JOBS.c.finished_at.desc()).limit(_RECENT)
        with reading(self._engine) as connection:
            return [Ended(**row._mapping) for row in connection.execute(statement)]

    def oldest_waiting(self) -> datetime | None:
        """When the job that waits longest was created; None: none waits."""
        statement = select(func.min(JOBS.c.created_at)).where(JOBS.c.state == JobState.PENDING)
        with reading(self._engine) as connection:
            return connection.execute(statement).scalar()

    def _filtered(self, statement: Select[Any], wanted: JobFilter) -> Select[Any]:
        statement = _equal(statement, wanted)
        if wanted.text:
            oldest = self._reach(wanted)
            if oldest is not None:
                statement = statement.where(JOBS.c.created_at > oldest)
            statement = statement.where(_holds(wanted.text))
        return statement

    def _reach(self, wanted: JobFilter) -> datetime | None:
        """When the newest job was created that a search leaves out; None: it leaves out none."""
        statement = _equal(select(JOBS.c.created_at), wanted)
        # As above: the id that orders jobs of one moment is not asked for.
        statement = statement.order_by(JOBS.c.created_at.desc())
        with reading(self._engine) as connection:
            return connection.execute(statement.offset(SEARCHED).limit(1)).scalar()


def _equal(statement: Select[Any], wanted: JobFilter) -> Select[Any]:
    for column, value in (
        (JOBS.c.state, wanted.state),
        (JOBS.c.kind, wanted.kind),
        (JOBS.c.tenant, wanted.tenant),
        (JOBS.c.queue, wanted.queue),
    ):
        if value is not None:
            statement = statement.where(column == value)
    return statement


def _holds(text: str) -> ColumnElement[bool]:
    found = JOBS.c.payload.icontains(text, autoescape=True)
    return found | JOBS.c.id.icontains(text, autoescape=True)


def _cursor(record: JobRecord) -> str:
    text = f"{record.created_at.isoformat()}|{record.id}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _place(cursor: str) -> tuple[datetime, str]:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        moment, _, job_id = text.partition("|")
        created_at = datetime.fromisoformat(moment)
        created_at.astimezone()
    except (ValueError, binascii.Error, UnicodeDecodeError, OverflowError, OSError):
        raise InvalidInput("after", "is not a cursor of this list") from None
    if created_at.tzinfo is None:
        raise InvalidInput("after", "is not a cursor of this list")
    return created_at, job_id
