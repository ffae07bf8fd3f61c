"""Engines: one URL, time-outs on everything, and the translation of "the database is away"."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from errors import StoreUnavailable

#: How long SQLite waits for another writer, in ms.
_BUSY_MS = 10_000
_PG_OPTIONS = (
    "-c statement_timeout=10000 -c lock_timeout=5000 -c idle_in_transaction_session_timeout=15000"
    " -c timezone=UTC"
)
#: Marks a connection that only reads.
_READING = "video_worker_reading"
#: SQLSTATE classes that mean "not now": connection, resources, shutdown, lock, serialisation.
_AWAY_STATES = ("08", "53", "57", "55P03", "40", "25006")


def open_engine(url: str) -> Engine:
    """An engine for a checked URL (`sqlite:///path` or `postgresql+psycopg2://...`).

    Connects on first use. Writes on SQLite begin IMMEDIATE: a read transaction that turns into
    a write could not wait for another writer.
    """
    if make_url(url).get_backend_name() == "sqlite":
        return _open_sqlite(url)
    return create_engine(
        url,
        pool_size=3,
        max_overflow=10,
        pool_timeout=5,
        pool_recycle=1800,
        connect_args={
            "connect_timeout": 3,
            "options": _PG_OPTIONS,
            "keepalives_idle": 10,
            "keepalives_interval": 3,
            "keepalives_count": 3,
            "tcp_user_timeout": 10_000,
            "application_name": "video-worker",
        },
    )


def _open_sqlite(url: str) -> Engine:
    database = make_url(url).database
    if database and database != ":memory:":
        Path(database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, connect_args={"timeout": _BUSY_MS / 1000}, pool_timeout=5)

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves, below
        cursor = connection.cursor()
        _write_ahead(connection)
        cursor.execute("PRAGMA synchronous=NORMAL")
        cursor.execute(f"PRAGMA busy_timeout={_BUSY_MS}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # A read needs no transaction; BEGIN IMMEDIATE would make it wait for every writer.
        if not connection.get_execution_options().get(_READING):
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _write_ahead(connection: Any) -> None:
    """Journal in WAL mode, which the file then keeps for everyone.

    The change needs the file alone, and SQLite answers "locked" at once, whatever the busy
    timeout: processes that open a new database together must take turns by themselves.
    """
    deadline = time.monotonic() + _BUSY_MS / 1000
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except connection.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(random.uniform(0.001, 0.01))


def insert_of(engine: Engine) -> Any:
    """The dialect's own insert(), which knows ON CONFLICT; only that dialect is imported."""
    return import_module(f"sqlalchemy.dialects.{engine.dialect.name}").insert


@contextmanager
def translated() -> Iterator[None]:
    """Turn "the database is away" in all its forms into StoreUnavailable; other errors pass."""
    try:
        yield
    except PoolTimeout as error:
        raise StoreUnavailable("database: no free connection") from error
    except DBAPIError as error:
        if is_away(error):
            raise StoreUnavailable(f"database: {type(error.orig).__name__}") from error
        raise
    except Exception as error:
        # A connection that is given back is reset by the driver, whose own error comes bare.
        if _is_cut(error):
            raise StoreUnavailable(f"database: {type(error).__name__}") from error
        raise


def _is_cut(error: Exception) -> bool:
    """Whether psycopg2 says so, which is not imported here: SQLite does without."""
    return any(
        kind.__module__ == "psycopg2" and kind.__name__ in ("OperationalError", "InterfaceError")
        for kind in type(error).__mro__
    )


def is_away(error: DBAPIError) -> bool:
    """Whether the same statement may work later, on a new connection if need be."""
    if error.connection_invalidated:
        return True
    state = getattr(error.orig, "pgcode", None)
    if state:
        return str(state).startswith(_AWAY_STATES)
    if not isinstance(error, OperationalError):
        # psycopg2 reports a cut connection also as InterfaceError with no code.
        return type(error.orig).__name__ == "InterfaceError"
    text = str(error.orig)
    return "no such" not in text and "syntax error" not in text


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A short write transaction. Raises StoreUnavailable; then it may have committed or not."""
    with translated(), engine.begin() as connection:
        yield connection


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """Single statements outside a transaction, so that no reader ever holds a lock."""
    with translated(), engine.connect() as plain:
        if engine.dialect.name == "sqlite":
            yield plain.execution_options(**{_READING: True})
        else:
            yield plain.execution_options(isolation_level="AUTOCOMMIT")
