"""Many jobs in one statement: what makes short jobs cheap to record.

The same compare-and-sets as in store/transitions.py, for a group. The group travels as one JSON
parameter, so that the statement is the same text however many there are; and in the order of its
ids, in which the rows are then locked, so that no two groups wait for each other.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Column, Engine, TextClause, bindparam, delete, func, select, text, update

from jobs.states import JobState
from jobs.work import VIDEO
from store.batches import count_ended
from store.engine import insert_of, reading, writing
from store.held import row_state
from store.models import JOBS, UNIQUES, UtcDateTime
from store.records import JobRecord, NewJob, job_record, row_of, utc_now

#: Rows of one INSERT: PostgreSQL takes 65,535 parameters a statement.
_INSERT_ROWS = 1000
_APART = timedelta(microseconds=1)
#: Row by row through the primary key. PostgreSQL's statistics of a queue are as old as its last
#: ANALYZE, and by them it joins the group with all rows in that state, however many wait. For the
#: same reason the statements below compare `state || ''`: see store/held.py.
_BY_ID = "".join(
    f"SET LOCAL enable_{way} = off; " for way in ("hashjoin", "mergejoin", "seqscan", "bitmapscan")
)


@dataclass(frozen=True)
class Finish:
    """One job's successful end: its fence, its result as JSON, and until when that is kept."""

    job_id: str
    fence: int
    result: str
    result_until: datetime | None = None


class JobGroups:
    """Raises StoreUnavailable; then a group was written whole or not at all."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._insert = insert_of(engine)
        postgres = engine.dialect.name == "postgresql"
        self._claim = _claiming(postgres)
        self._finish = _finishing(postgres)
        self._hand_back = _handing_back(postgres)
        self._mark_pushed = _marking_pushed(postgres)

    def accept(self, jobs: Sequence[NewJob]) -> dict[str, str]:
        """Insert jobs in one transaction; returns, by id of those that were not inserted, the id
        of the equal job that stands for it, or "" where the id or idempotency key is taken."""
        now = utc_now()
        with writing(self._engine) as connection:
            refused: dict[str, str] = {}
            unique = [job for job in jobs if job.unique_key is not None]
            for job in sorted(unique, key=lambda job: job.unique_key or ""):
                holder = self._unique_holder(connection, job, now)
                if holder != job.id:
                    refused[job.id] = holder
            kept = (job for job in jobs if job.id not in refused)
            # A moment apart: they are listed in the order in which they were given.
            rows = [row_of(job, now + n * _APART) for n, job in enumerate(kept)]
            rows.sort(key=lambda row: (row["tenant"], row["idempotency_key"] or "", row["id"]))
            statement = self._insert(JOBS).on_conflict_do_nothing().returning(JOBS.c.id)
            done: set[str] = set()
            for start in range(0, len(rows), _INSERT_ROWS):
                part = rows[start : start + _INSERT_ROWS]
                done.update(connection.execute(statement, part).scalars())
            refused |= {row["id"]: "" for row in rows if row["id"] not in done}
        return refused

    def claim(
        self, held: Sequence[tuple[str, int]], *, worker_id: str, instance: str
    ) -> dict[str, JobRecord]:
        """pending -> processing for (id, fence) pairs; the rows that were, by id."""
        values = {
            "rows": _pairs(held),
            "now": utc_now(),
            "worker_id": worker_id,
            "instance": instance,
        }
        with writing(self._engine) as connection:
            rows = connection.execute(self._claim, values).all()
        return {record.id: record for record in map(job_record, rows)}

    def hand_back(self, held: Sequence[tuple[str, int]]) -> dict[str, int]:
        """processing -> pending, by the holder of (id, fence) pairs that were never begun; the
        next fences of those that were still held, by id."""
        values = {"rows": _pairs(held), "now": utc_now()}
        with writing(self._engine) as connection:
            return {row.id: row.fence for row in connection.execute(self._hand_back, values)}

    def complete(self, ended: Sequence[Finish]) -> dict[str, datetime]:
        """processing -> completed, by the holders only; when those that were ended, by id."""
        untils = {until: _stored(until) for until in {end.result_until for end in ended}}
        rows = [
            {
                "id": end.job_id,
                "fence": end.fence,
                "result": end.result,
                "until": untils[end.result_until],
            }
            for end in sorted(ended, key=lambda end: end.job_id)
        ]
        values = {"rows": json.dumps(rows, ensure_ascii=False), "now": utc_now()}
        with writing(self._engine) as connection:
            found = connection.execute(self._finish, values).all()
            batches = Counter(row.batch_id for row in found if row.batch_id and not row.generation)
            for batch_id, number in sorted(batches.items()):
                count_ended(connection, batch_id, number)
        return {row.id: row.finished_at for row in found}

    def mark_pushed(self, job_ids: Sequence[str]) -> None:
        """Redis was told of these new rows."""
        if job_ids:
            rows = _pairs([(job_id, 0) for job_id in job_ids])
            with writing(self._engine) as connection:
                connection.execute(self._mark_pushed, {"rows": rows})

    def unknown_kinds(self, known: Sequence[str]) -> dict[str, int]:
        """How many waiting jobs there are of each background kind that is not among these."""
        states = [JobState.PENDING, JobState.SCHEDULED]
        where = JOBS.c.state.in_(states) & JOBS.c.kind.not_in([*known, VIDEO])
        statement = select(JOBS.c.kind, func.count()).where(where).group_by(JOBS.c.kind)
        with reading(self._engine) as connection:
            return {row[0]: row[1] for row in connection.execute(statement)}

    def drop_uniques(self, now: datetime) -> int:
        """Forget who stands for whom where the time for that is over; returns how many."""
        with writing(self._engine) as connection:
            return connection.execute(delete(UNIQUES).where(UNIQUES.c.until < now)).rowcount

    def _unique_holder(self, connection: Any, job: NewJob, now: datetime) -> str:
        """The job that stands for this one's kind and arguments; this one, if none did."""
        until = now + timedelta(seconds=job.unique_for_s)
        connection.execute(
            self._insert(UNIQUES)
            .values(key=job.unique_key, job_id=job.id, until=until)
            .on_conflict_do_nothing(index_elements=["key"])
        )
        held = select(UNIQUES.c.job_id, UNIQUES.c.until).where(UNIQUES.c.key == job.unique_key)
        holder, lasts = connection.execute(held.with_for_update()).one()
        if holder == job.id:
            return job.id
        states = [JobState.SCHEDULED, JobState.PENDING, JobState.PROCESSING]
        alive = select(JOBS.c.id).where((JOBS.c.id == holder) & row_state.in_(states))
        if lasts > now and connection.execute(alive).first() is not None:
            return str(holder)
        mine = update(UNIQUES).where(UNIQUES.c.key == job.unique_key)
        connection.execute(mine.values(job_id=job.id, until=until))
        return job.id


def _pairs(held: Sequence[tuple[str, int]]) -> str:
    return json.dumps([{"id": job_id, "fence": fence} for job_id, fence in sorted(held)])


def _rows_of(postgres: bool, **columns: str) -> str:
    """The JSON parameter as a table v of these columns and SQL types."""
    if postgres:
        typed = ", ".join(f"{name} {kind}" for name, kind in columns.items())
        return f"json_to_recordset(CAST(:rows AS json)) AS v({typed})"
    read = ", ".join(f"json_extract(value, '$.{name}') AS {name}" for name in columns)
    return f"(SELECT {read} FROM json_each(:rows)) AS v"


def _stored(moment: datetime | None) -> str | None:
    """As SQLite keeps it, and as PostgreSQL, whose sessions are in UTC, reads it."""
    if moment is None:
        return None
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(sep=" ", timespec="microseconds")


def _typed(postgres: bool, sql: str, *columns: Column[Any]) -> Any:
    clause = _by_id(postgres, sql).bindparams(bindparam("now", type_=UtcDateTime()))
    return clause.columns(*columns)


def _by_id(postgres: bool, sql: str) -> TextClause:
    return text((_BY_ID if postgres else "") + sql)


def _claiming(postgres: bool) -> Any:
    return _typed(
        postgres,
        "UPDATE jobs SET state = 'processing', updated_at = :now, fence = v.fence,"
        " worker_id = :worker_id, instance = :instance, error = NULL, pushed = true,"
        " started_at = COALESCE(started_at, :now)"
        f" FROM {_rows_of(postgres, id='text', fence='bigint')}"
        " WHERE jobs.id = v.id AND jobs.state || '' = 'pending' AND jobs.fence < v.fence"
        f" RETURNING {', '.join(f'jobs.{column.name}' for column in JOBS.c)}",
        *JOBS.c,
    )


def _finishing(postgres: bool) -> Any:
    until = "CAST(v.until AS timestamptz)" if postgres else "v.until"
    return _typed(
        postgres,
        "UPDATE jobs SET state = 'completed', updated_at = :now, finished_at = :now,"
        f" progress = 100, error = NULL, result = v.result, result_until = {until}"
        f" FROM {_rows_of(postgres, id='text', fence='bigint', result='text', until='text')}"
        " WHERE jobs.id = v.id AND jobs.state || '' = 'processing' AND jobs.fence = v.fence"
        " RETURNING jobs.id, jobs.finished_at, jobs.batch_id, jobs.generation",
        *(JOBS.c.id, JOBS.c.finished_at, JOBS.c.batch_id, JOBS.c.generation),
    )


def _handing_back(postgres: bool) -> Any:
    return _typed(
        postgres,
        "UPDATE jobs SET state = 'pending', updated_at = :now, fence = jobs.fence + 1,"
        " worker_id = NULL, instance = NULL, pushed = true"
        f" FROM {_rows_of(postgres, id='text', fence='bigint')}"
        " WHERE jobs.id = v.id AND jobs.state || '' = 'processing' AND jobs.fence = v.fence"
        " RETURNING jobs.id, jobs.fence",
        *(JOBS.c.id, JOBS.c.fence),
    )


def _marking_pushed(postgres: bool) -> TextClause:
    # With the fence of the push: one that was replayed meanwhile is not meant.
    return _by_id(
        postgres,
        f"UPDATE jobs SET pushed = true FROM {_rows_of(postgres, id='text', fence='bigint')}"
        " WHERE jobs.id = v.id AND jobs.fence = v.fence",
    )
