"""Tables. The database is the record of what happened; Redis is rebuilt from it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import cast

from sqlalchemy import (
    BigInteger,
    DateTime,
    Dialect,
    Index,
    LargeBinary,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class UtcDateTime(TypeDecorator[datetime]):
    """Aware UTC in Python; SQLite, which has no zones, keeps it naive."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime cannot be stored")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """The one metadata that migrations and repositories share."""


class JobRow(Base):
    """One accepted job. `fence` never falls; `state` changes by compare-and-set only."""

    __tablename__ = "jobs"
    __table_args__ = (
        UniqueConstraint("tenant", "idempotency_key", name="uq_jobs_idempotency"),
        Index("ix_jobs_state_created", "state", "created_at"),
        Index("ix_jobs_created", "created_at", "id"),
        Index("ix_jobs_unpushed", "pushed", "state"),
    )

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    kind: Mapped[str] = mapped_column(String(100))
    queue: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(16))
    tenant: Mapped[str] = mapped_column(String(64))
    #: The payload as submitted, JSON.
    payload: Mapped[str] = mapped_column(Text)
    #: An entry that could not be read as a payload, kept whole.
    raw: Mapped[bytes | None] = mapped_column(LargeBinary)
    stage: Mapped[str | None] = mapped_column(String(40))
    progress: Mapped[int] = mapped_column(server_default=text("0"))
    worker_id: Mapped[str | None] = mapped_column(String(200))
    instance: Mapped[str | None] = mapped_column(String(64))
    error: Mapped[str | None] = mapped_column(Text)
    result: Mapped[str | None] = mapped_column(Text)
    fence: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    #: Counts replays.
    generation: Mapped[int] = mapped_column(server_default=text("0"))
    #: JSON: stage name to the generation whose results it may use.
    stage_generations: Mapped[str] = mapped_column(Text, server_default=text("'{}'"))
    #: Failures of the stage in hand, crashes since a stage was last finished, hand-backs.
    failures: Mapped[int] = mapped_column(server_default=text("0"))
    crashes: Mapped[int] = mapped_column(server_default=text("0"))
    interruptions: Mapped[int] = mapped_column(server_default=text("0"))
    idempotency_key: Mapped[str | None] = mapped_column(String(200))
    cancel_requested: Mapped[bool] = mapped_column(server_default=false())
    #: Whether Redis was told of the row's present state.
    pushed: Mapped[bool] = mapped_column(server_default=false())
    due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class StageRunRow(Base):
    """One stage's work for one set of inputs; jobs with equal inputs share it."""

    __tablename__ = "stage_runs"
    __table_args__ = (UniqueConstraint("tenant", "input_hash", name="uq_stage_runs_inputs"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    tenant: Mapped[str] = mapped_column(String(64))
    stage: Mapped[str] = mapped_column(String(40))
    provider: Mapped[str] = mapped_column(String(100))
    #: SHA-256 of stage, inputs, provider, seed and generation.
    input_hash: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(16))
    owner_job: Mapped[str] = mapped_column(String(64))
    owner_fence: Mapped[int] = mapped_column(BigInteger)
    #: JSON: the stage's data, and its files as name to {key, sha256, size}.
    data: Mapped[str | None] = mapped_column(Text)
    files: Mapped[str | None] = mapped_column(Text)
    #: How often it was begun; more than one after a crash or a failure.
    attempts: Mapped[int] = mapped_column(server_default=text("1"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class JobStageRow(Base):
    """A job's time line: which stage run served it, when, and whether it was reused."""

    __tablename__ = "job_stages"

    job_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    generation: Mapped[int] = mapped_column(primary_key=True)
    stage: Mapped[str] = mapped_column(String(40), primary_key=True)
    stage_run_id: Mapped[int | None]
    provider: Mapped[str] = mapped_column(String(100))
    reused: Mapped[bool] = mapped_column(server_default=false())
    failures: Mapped[int] = mapped_column(server_default=text("0"))
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


#: The tables for statements: repositories write Core statements and return records.
JOBS = cast(Table, JobRow.__table__)
STAGE_RUNS = cast(Table, StageRunRow.__table__)
JOB_STAGES = cast(Table, JobStageRow.__table__)
