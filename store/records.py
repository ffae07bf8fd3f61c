"""Rows as the rest of the program sees them: frozen, typed, with JSON parsed."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row

from jobs.states import JobState


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

    @property
    def state(self) -> JobState:
        return JobState.SCHEDULED if self.due_at else JobState.PENDING


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
    pushed: bool
    due_at: datetime | None
    created_at: datetime
    updated_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

    @property
    def created_ms(self) -> int:
        return round(self.created_at.timestamp() * 1000)

    @property
    def due_ms(self) -> int | None:
        return round(self.due_at.timestamp() * 1000) if self.due_at else None


_PLAIN = [
    name
    for name in JobRecord.__dataclass_fields__
    if name not in ("state", "result", "stage_generations")
]


def job_record(row: Row[Any]) -> JobRecord:
    """A full row of jobs as a record."""
    values = row._mapping
    return JobRecord(
        **{name: values[name] for name in _PLAIN},
        state=JobState(values["state"]),
        result=json.loads(values["result"]) if values["result"] else None,
        stage_generations=json.loads(values["stage_generations"] or "{}"),
    )
