"""The migrations make exactly the tables that the code declares."""

from __future__ import annotations

from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from database import Database
from store.models import METADATA


def test_migrated_and_declared_schema_agree(any_database: Database) -> None:
    with any_database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []


def test_a_start_does_not_wait_for_a_writer(tmp_path: Path) -> None:
    """A frozen worker may hold SQLite's write lock; another one starts all the same."""
    url = f"sqlite:///{tmp_path / 'test.db'}"
    first, second = Database(url), Database(url)
    first.init()
    with first.engine.begin():
        second.init()
    first.close()
    second.close()
