"""A table of the application's own, in the worker's database: what was processed, and when."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    Column,
    Connection,
    DateTime,
    Engine,
    Integer,
    MetaData,
    Table,
    insert,
    select,
)
from sqlalchemy.schema import CreateTable

metadata = MetaData()

#: A row is a processed record. The key is what makes it impossible to process one twice.
processed_records = Table(
    "priorities_processed_records",
    metadata,
    Column("record_id", Integer, primary_key=True, autoincrement=False),
    Column("processed_at", DateTime(timezone=True), nullable=False),
)


def create_tables(engine: Engine) -> None:
    """Create what is missing; safe to repeat, and from several processes."""
    with engine.begin() as connection:
        connection.execute(CreateTable(processed_records, if_not_exists=True))


def is_already_processed(connection: Connection, record_id: int) -> bool:
    """Whether somebody has marked it."""
    wanted = select(processed_records.c.record_id).where(processed_records.c.record_id == record_id)
    return connection.execute(wanted).first() is not None


def mark_as_processed(connection: Connection, record_id: int) -> None:
    """Mark it, in the transaction of what was done to it.

    Raises sqlalchemy's IntegrityError where another worker was first: then all is rolled back,
    and the job's next try finds it marked.
    """
    row = {"record_id": record_id, "processed_at": datetime.now(UTC)}
    connection.execute(insert(processed_records).values(row))
