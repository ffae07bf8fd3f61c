"""Counts that no worker can talk its way out of: triggers in the database write them down."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime

from database import Database

_TABLE = "CREATE TABLE audit_states (what VARCHAR(20), id VARCHAR(80), after_state VARCHAR(20))"
_SQLITE = (
    _TABLE,
    """CREATE TRIGGER audit_jobs AFTER UPDATE OF state ON jobs
       WHEN old.state <> new.state OR new.state = 'completed' BEGIN
         INSERT INTO audit_states VALUES ('job', new.id, new.state); END""",
    """CREATE TRIGGER audit_stages AFTER UPDATE OF state ON stage_runs BEGIN
         INSERT INTO audit_states VALUES ('stage', new.id, new.state); END""",
)
_POSTGRES = (
    _TABLE,
    """CREATE FUNCTION audit_job() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
         INSERT INTO audit_states VALUES ('job', new.id, new.state); RETURN new; END $$""",
    """CREATE FUNCTION audit_stage() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
         INSERT INTO audit_states VALUES ('stage', new.id::text, new.state); RETURN new; END $$""",
    """CREATE TRIGGER audit_jobs AFTER UPDATE OF state ON jobs FOR EACH ROW
       WHEN (old.state <> new.state OR new.state = 'completed') EXECUTE FUNCTION audit_job()""",
    """CREATE TRIGGER audit_stages AFTER UPDATE OF state ON stage_runs FOR EACH ROW
       EXECUTE FUNCTION audit_stage()""",
)


@dataclass(frozen=True)
class Counts:
    """How often each job was completed, and each stage's checkpoint committed."""

    completed: Counter[str]
    checkpointed: Counter[str]


def install(database: Database) -> None:
    """Begin to count; the schema must exist."""
    statements = _SQLITE if database.engine.dialect.name == "sqlite" else _POSTGRES
    with database.engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


def read(database: Database) -> Counts:
    """What was counted so far."""
    with database.engine.connect() as connection:
        rows = list(connection.exec_driver_sql("SELECT what, id, after_state FROM audit_states"))
    return Counts(
        Counter(row[1] for row in rows if row[0] == "job" and row[2] == "completed"),
        Counter(row[1] for row in rows if row[0] == "stage" and row[2] == "done"),
    )


def checkpoints(database: Database) -> dict[tuple[str, str], datetime]:
    """When each stage became durable, by the job that ran it: (job, stage) to the time."""
    statement = "SELECT owner_job, stage, finished_at FROM stage_runs WHERE state = 'done'"
    with database.engine.connect() as connection:
        rows = list(connection.exec_driver_sql(statement))
    return {(row[0], row[1]): _utc(row[2]) for row in rows}


def _utc(value: str | datetime) -> datetime:
    # SQLite keeps text without a zone.
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
