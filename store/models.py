"""Tables. The database is the record of what happened; Redis is rebuilt from it.

Plain tables, not mapped classes: an idle worker does without the ORM's import.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    false,
    text,
)


class UtcDateTime(TypeDecorator[datetime]):
    """Aware UTC in Python; SQLite, which has no zones, keeps it naive."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def result_processor(self, dialect: Dialect, coltype: object) -> Any:
        # A row of jobs has many of these: PostgreSQL's need no more than a look.
        return (
            _in_utc if dialect.name == "postgresql" else super().result_processor(dialect, coltype)
        )

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


def _in_utc(value: datetime | None) -> datetime | None:
    """Sessions are in UTC (store/engine.py), unless something on the way drops that setting."""
    return value if value is None or value.tzinfo is UTC else value.astimezone(UTC)


#: The one metadata that migrations, repositories and examples' own tables share.
METADATA = MetaData()


def _count(name: str) -> Column[int]:
    return Column(name, Integer, nullable=False, server_default="0")


def _flag(name: str) -> Column[bool]:
    return Column(name, Boolean, nullable=False, server_default=false())


def _partial(name: str, *columns: str, where: str, unique: bool = False) -> Index:
    """An index of some rows only. SQLite compares the condition as it is written: false is 0."""
    there = text(where.replace("false", "0"))
    return Index(name, *columns, unique=unique, postgresql_where=text(where), sqlite_where=there)


#: Accepted jobs. `fence` never falls; `state` changes by compare-and-set only.
JOBS = Table(
    "jobs",
    METADATA,
    Column("id", String(64), primary_key=True),
    Column("kind", String(100), nullable=False),
    Column("queue", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("tenant", String(64), nullable=False),
    # The payload as submitted, JSON; and an entry that could not be read as one, whole.
    Column("payload", Text, nullable=False),
    Column("raw", LargeBinary),
    Column("stage", String(40)),
    _count("progress"),
    Column("worker_id", String(200)),
    Column("instance", String(64)),
    Column("error", Text),
    Column("result", Text),
    Column("fence", BigInteger, nullable=False, server_default="0"),
    # Counts replays; and JSON: stage name to the generation whose results it may use.
    _count("generation"),
    Column("stage_generations", Text, nullable=False, server_default="{}"),
    # Failures of the stage in hand, crashes since a stage was last finished, hand-backs.
    _count("failures"),
    _count("crashes"),
    _count("interruptions"),
    Column("idempotency_key", String(200)),
    _flag("cancel_requested"),
    # Background jobs: what they told of their items, where a long loop stands (JSON), the batch
    # that they belong to, and until when their result is kept.
    Column("processed_items", Integer),
    Column("total_items", Integer),
    Column("failed_items", Integer),
    Column("cursor", Text),
    Column("batch_id", String(64)),
    Column("result_until", UtcDateTime),
    # Whether Redis was told of the row's present state.
    _flag("pushed"),
    Column("due_at", UtcDateTime),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("started_at", UtcDateTime),
    Column("finished_at", UtcDateTime),
    # Every write of a row pays for each index that lists it. So an index by time leaves the order
    # within one moment to the reader, and where few rows are meant no other is listed.
    Index("ix_jobs_state_created", "state", "created_at"),
    Index("ix_jobs_created", "created_at"),
    Index("ix_jobs_tenant_created", "tenant", "created_at"),
    _partial(
        "uq_jobs_idempotency",
        "tenant",
        "idempotency_key",
        where="idempotency_key IS NOT NULL",
        unique=True,
    ),
    _partial("ix_jobs_unpushed", "state", where="pushed IS false"),
    _partial("ix_jobs_finished", "finished_at", where="finished_at IS NOT NULL"),
    _partial("ix_jobs_batch", "batch_id", where="batch_id IS NOT NULL"),
)

#: Which job stands for a kind and its arguments: an equal one is not accepted beside it.
UNIQUES = Table(
    "uniques",
    METADATA,
    Column("key", String(200), primary_key=True),
    Column("job_id", String(64), nullable=False),
    Column("until", UtcDateTime, nullable=False),
)

#: Many jobs with one end. `pending` counts those that have not ended for the first time.
BATCHES = Table(
    "batches",
    METADATA,
    Column("id", String(64), primary_key=True),
    Column("tenant", String(64), nullable=False),
    Column("description", Text, nullable=False),
    _count("total"),
    _count("pending"),
    # No more jobs are added: when none is pending, the batch has ended.
    _flag("sealed"),
    # The job that is accepted when the batch has ended: kind, queue, payload; and its id.
    Column("callback", Text),
    Column("callback_job", String(64)),
    Column("created_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime),
    Index("ix_batches_created", "created_at"),
)

#: What is enqueued by the clock. `next_at` moves by compare-and-set, in the transaction that
#: accepts the tick's job.
SCHEDULES = Table(
    "schedules",
    METADATA,
    Column("name", String(100), primary_key=True),
    Column("kind", String(100), nullable=False),
    Column("queue", String(64), nullable=False),
    Column("payload", Text, nullable=False),
    # Five fields, and the time zone that they are meant in.
    Column("cron", String(100), nullable=False),
    Column("timezone", String(64), nullable=False),
    # once or skip: what becomes of ticks that nobody was there for.
    Column("missed", String(8), nullable=False),
    # Declared by a kind in code, or made at run time.
    _flag("declared"),
    _flag("paused"),
    Column("next_at", UtcDateTime, nullable=False),
    Column("last_at", UtcDateTime),
    Column("last_job", String(64)),
    Column("created_at", UtcDateTime, nullable=False),
    Index("ix_schedules_next", "paused", "next_at"),
)

#: One stage's work for one set of inputs; jobs with equal inputs share it.
STAGE_RUNS = Table(
    "stage_runs",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("tenant", String(64), nullable=False),
    Column("stage", String(40), nullable=False),
    Column("provider", String(100), nullable=False),
    # SHA-256 of stage, inputs, provider, seed and generation.
    Column("input_hash", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("owner_job", String(64), nullable=False),
    Column("owner_fence", BigInteger, nullable=False),
    # JSON: the stage's data, and its files as name to {key, sha256, size}.
    Column("data", Text),
    Column("files", Text),
    # How often it was begun; more than one after a crash or a failure.
    Column("attempts", Integer, nullable=False, server_default="1"),
    Column("created_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime),
    UniqueConstraint("tenant", "input_hash", name="uq_stage_runs_inputs"),
    Index("ix_stage_runs_finished", "finished_at"),
)

#: A job's time line: which stage run served it, when, and whether it was reused.
JOB_STAGES = Table(
    "job_stages",
    METADATA,
    Column("job_id", String(64), primary_key=True),
    Column("generation", Integer, primary_key=True, autoincrement=False),
    Column("stage", String(40), primary_key=True),
    Column("stage_run_id", Integer),
    Column("provider", String(100), nullable=False),
    _flag("reused"),
    _count("failures"),
    Column("started_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime),
    Index("ix_job_stages_run", "stage_run_id"),
)

#: Callbacks to be delivered: written in the transaction that ended the job, so none is forgotten.
DELIVERIES = Table(
    "deliveries",
    METADATA,
    # Job, generation and state: what a receiver tells repeats by.
    Column("id", String(100), primary_key=True),
    Column("job_id", String(64), nullable=False),
    Column("tenant", String(64), nullable=False),
    Column("url", String(500), nullable=False),
    # completed, failed or cancelled: what is told.
    Column("outcome", String(16), nullable=False),
    # waiting, delivered or given_up.
    Column("state", String(16), nullable=False),
    _count("attempts"),
    Column("last_error", Text),
    Column("due_at", UtcDateTime, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Index("ix_deliveries_due", "state", "due_at"),
    Index("ix_deliveries_job", "job_id"),
)

#: Paid calls. Money is in micro-dollars, an integer: a cent is 10,000.
PROVIDER_CALLS = Table(
    "provider_calls",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("job_id", String(64), nullable=False),
    Column("tenant", String(64), nullable=False),
    Column("stage", String(40), nullable=False),
    Column("provider", String(100), nullable=False),
    # The input hash of the stage run that asked: a new generation asks, and pays, anew.
    Column("scope", String(64), nullable=False),
    Column("request_hash", String(64), nullable=False),
    # intent, submitted, finished, failed or doubtful.
    Column("state", String(16), nullable=False),
    Column("remote_id", String(200)),
    Column("estimate_microusd", BigInteger, nullable=False),
    Column("cost_microusd", BigInteger),
    # JSON, and the reason for a call that came to nothing.
    Column("usage", Text, nullable=False),
    Column("answer", Text),
    Column("reason", Text),
    Column("begun_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Index("ix_provider_calls_request", "tenant", "scope", "provider", "request_hash"),
    Index("ix_provider_calls_begun", "begun_at"),
    Index("ix_provider_calls_job", "job_id"),
)
