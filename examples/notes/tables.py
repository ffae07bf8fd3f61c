"""The application's own tables, in the database that the workers use too."""

from __future__ import annotations

from sqlalchemy import (
    Column,
    Engine,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)
from sqlalchemy.exc import OperationalError, ProgrammingError

from background.services import services
from store.models import UtcDateTime

METADATA = MetaData()

USERS = Table(
    "notes_users",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("name", String(64), nullable=False, unique=True),
    # Not the token: whoever reads the table cannot log in by it.
    Column("token_hash", String(64), nullable=False, unique=True),
)

NOTES = Table(
    "notes",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("user_id", ForeignKey("notes_users.id"), nullable=False),
    Column("title", String(200), nullable=False),
    Column("text", Text, nullable=False),
    Column("created_at", UtcDateTime(), nullable=False),
    Index("ix_notes_user", "user_id", "id"),
)

VECTORS = Table(
    "note_vectors",
    METADATA,
    Column("note_id", ForeignKey("notes.id"), primary_key=True),
    Column("user_id", Integer, nullable=False, index=True),
    # float32, little endian, of unit length.
    Column("vector", LargeBinary, nullable=False),
    # How often the note was embedded: what shows that no finished batch is done again.
    Column("revision", Integer, nullable=False),
    Column("embedded_at", UtcDateTime(), nullable=False),
)

REMINDERS = Table(
    "reminders",
    METADATA,
    Column("id", String(36), primary_key=True),
    Column("user_id", ForeignKey("notes_users.id"), nullable=False),
    Column("address", String(200), nullable=False),
    Column("message", Text, nullable=False),
    Column("scheduled_at", UtcDateTime(), nullable=False),
    # scheduled -> sending -> sent; sending -> scheduled (again) or failed
    Column("status", String(16), nullable=False),
    Column("claimed_by", String(64)),
    Column("claimed_at", UtcDateTime()),
    Column("sent_at", UtcDateTime()),
    Column("failures", Integer, nullable=False, server_default="0"),
    Column("error_message", Text),
    Index("ix_reminders_due", "status", "scheduled_at"),
)

#: What users see of their jobs. The queue's own record says more, and to operators only.
BACKGROUND_JOBS = Table(
    "background_jobs",
    METADATA,
    Column("job_id", String(64), primary_key=True),
    Column("user_id", Integer, nullable=False),
    Column("job_type", String(64), nullable=False),
    # queued -> running -> completed | failed
    Column("status", String(16), nullable=False),
    Column("progress_percent", Integer, nullable=False, server_default="0"),
    Column("total_items", Integer, nullable=False, server_default="0"),
    Column("processed_items", Integer, nullable=False, server_default="0"),
    Column("failed_items", Integer, nullable=False, server_default="0"),
    # The last note whose batch is finished: its vectors were written in the same transaction.
    Column("last_note_id", Integer, nullable=False, server_default="0"),
    Column("error_message", Text),
    Column("created_at", UtcDateTime(), nullable=False),
    Column("started_at", UtcDateTime()),
    Column("completed_at", UtcDateTime()),
    Index("ix_background_jobs_user", "user_id", "status", "created_at"),
)


def engine() -> Engine:
    """The worker's own in a worker, else that of DATABASE_URL."""
    return services().database.engine


def create_tables() -> None:
    """Make what is missing. Safe to repeat, and from several processes at once."""
    try:
        METADATA.create_all(engine())
    except (OperationalError, ProgrammingError):
        # Another process made one of them between our look and our CREATE.
        METADATA.create_all(engine())
