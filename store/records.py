"""Rows as the rest of the program sees them: frozen, typed, with JSON parsed."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from operator import itemgetter
from typing import Any

from sqlalchemy import Row

from jobs.states import JobState
from store.models import JOBS


def utc_now() -> datetime:
    """The wall clock, for what is stored and shown; never for a lease or a deadline."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class NewJob:
    """A job to be accepted."""

    id: str
    payload: str = field(repr=False)
    queue: str = "video"
    kind: str = "video"
    tenant: str = "default"
    idempotency_key: str | None = None
    due_at: datetime | None = None
    batch_id: str | None = None
    #: An unfinished job under the same key, accepted less than so long ago, stands for this one.
    unique_key: str | None = None
    unique_for_s: float = 0.0

    @property
    def state(self) -> JobState:
        return JobState.SCHEDULED if self.due_at else JobState.PENDING


def row_of(job: NewJob, now: datetime, *, pushed: bool = False) -> dict[str, Any]:
    """A job to be accepted as the columns of its row."""
    return {
        "id": job.id,
        "kind": job.kind,
        "queue": job.queue,
        "state": job.state,
        "tenant": job.tenant,
        "payload": job.payload,
        "idempotency_key": job.idempotency_key,
        "due_at": job.due_at,
        "batch_id": job.batch_id,
        "pushed": pushed,
        "created_at": now,
        "updated_at": now,
    }


@dataclass(frozen=True)
class JobRecord:
    """One row of jobs. `payload` stays JSON text: a foreign one may not be valid."""

    id: str
    kind: str
    queue: str
    state: JobState
    tenant: str
    payload: str = field(repr=False)
    stage: str | None
    progress: int
    worker_id: str | None
    instance: str | None
    error: str | None
    result: dict[str, Any] | None = field(repr=False)
    fence: int
    generation: int
    stage_generations: dict[str, int]
    failures: int
    crashes: int
    interruptions: int
    cancel_requested: bool
    processed_items: int | None
    total_items: int | None
    failed_items: int | None
    cursor: str | None = field(repr=False)
    batch_id: str | None
    result_until: datetime | None
    pushed: bool
    due_at: datetime | None
    created_at: datetime
    updated_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

    def changed(self, **values: Any) -> JobRecord:
        """This row with other values: dataclasses.replace, at a tenth of its price."""
        other = object.__new__(JobRecord)
        other.__dict__.update(self.__dict__, **values)
        return other

    @property
    def created_ms(self) -> int:
        return round(self.created_at.timestamp() * 1000)

    @property
    def due_ms(self) -> int | None:
        return round(self.due_at.timestamp() * 1000) if self.due_at else None


_FIELDS = list(JobRecord.__dataclass_fields__)
_in_order = itemgetter(*(list(JOBS.c.keys()).index(name) for name in _FIELDS))
_STATES = {state.value: state for state in JobState}
#: Of nearly every row.
_NO_GENERATIONS = ("{}", "", None)
_STATE, _RESULT, _GENERATIONS = map(_FIELDS.index, ("state", "result", "stage_generations"))


def job_record(row: Row[Any]) -> JobRecord:
    """A full row of jobs, its columns in the table's order, as a record."""
    values = list(_in_order(row))
    values[_STATE] = _STATES[values[_STATE]]
    values[_RESULT] = json.loads(values[_RESULT]) if values[_RESULT] else None
    generations = values[_GENERATIONS]
    values[_GENERATIONS] = {} if generations in _NO_GENERATIONS else json.loads(generations)
    record = object.__new__(JobRecord)
    record.__dict__.update(zip(_FIELDS, values, strict=True))  # a frozen class's own way is dear
    return record
