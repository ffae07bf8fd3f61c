"""Brings a database to the newest schema; alembic is imported only when something must change."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

from store.engine import reading, translated

FOLDER = Path(__file__).parent / "migrations"
#: Any number: all processes that migrate one PostgreSQL database must use the same.
_ADVISORY_LOCK = 0x76_69_64_65


def newest_revision() -> str:
    """The revision of the last file in migrations/versions, from its name."""
    return max(path.name.split("_")[0] for path in (FOLDER / "versions").glob("[0-9]*.py"))


def current_revision(connection: Connection) -> str | None:
    """The database's revision, None for an empty database."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def migrate(engine: Engine) -> None:
    """Upgrade to the newest revision; safe to call from many processes at once, and twice.

    Raises StoreUnavailable.
    """
    # A read, so that a start does not wait for whoever holds SQLite's write lock.
    with reading(engine) as connection:
        if current_revision(connection) == newest_revision():
            return
    with translated(), engine.begin() as connection:
        # SQLite began IMMEDIATE, which is lock enough; PostgreSQL is told to take turns.
        if connection.dialect.name == "postgresql":
            connection.execute(text("SET LOCAL lock_timeout = '60s'"))
            connection.execute(text(f"SELECT pg_advisory_xact_lock({_ADVISORY_LOCK})"))
        if current_revision(connection) != newest_revision():
            _upgrade(connection)


def _upgrade(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
