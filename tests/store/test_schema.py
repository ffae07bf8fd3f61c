"""The migrations make exactly the tables that the code declares."""

from __future__ import annotations

from datetime import UTC
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import select, text

from database import Database
from store.migrate import FOLDER
from store.models import JOBS, METADATA
from store.records import NewJob


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


def test_jobs_outlive_an_upgrade(any_database_url: str) -> None:
    """One that rebuilds their table on SQLite, too."""
    config, db = Config(), Database(any_database_url)
    config.set_main_option("script_location", str(FOLDER))
    with db.engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0006")
        connection.execute(
            text(
                "INSERT INTO jobs (id, kind, queue, state, tenant, payload, idempotency_key,"
                " created_at, updated_at) VALUES ('old', 'video', 'video', 'pending', 'default',"
                " '{}', 'k', '2026-01-02 03:04:05', '2026-01-02 03:04:05')"
            )
        )
    db.init()
    record = db.jobs.get("old")
    assert record is not None and record.payload == "{}" and record.created_at.year == 2026
    assert not db.jobs.accept(NewJob("again", "{}", idempotency_key="k"))
    assert db.jobs.accept(NewJob("other", "{}"))
    assert db.jobs.change.claim("old", fence=1, worker_id="w", instance="i")
    db.close()


@pytest.mark.parametrize("any_database_url", ["postgres"], indirect=True)
def test_moments_are_in_utc_whatever_zone_the_session_is_in(any_database: Database) -> None:
    """A pooler between us and the server may drop the settings of a connection."""
    any_database.jobs.accept(NewJob("a", "{}"))
    with any_database.engine.connect() as connection:
        connection.execute(text("SET TIME ZONE 'Asia/Tokyo'"))
        made = connection.execute(select(JOBS.c.created_at)).scalar_one()
    record = any_database.jobs.get("a")
    assert record is not None and made == record.created_at
    assert made.tzinfo is record.created_at.tzinfo is UTC
