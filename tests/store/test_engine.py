"""The database away, in whatever form the driver says so, is StoreUnavailable."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from errors import StoreUnavailable
from store.engine import open_engine, reading


def test_a_connection_cut_between_its_answer_and_its_return_is_the_database_away(
    postgres_url: str,
) -> None:
    url = make_url(postgres_url).set(drivername="postgresql+psycopg2")
    engine, other = (open_engine(url.render_as_string(hide_password=False)) for _ in range(2))
    for _ in range(2):
        with reading(engine) as connection:
            connection.execute(text("SELECT 1"))
    with pytest.raises(StoreUnavailable), reading(engine) as connection:
        pid = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
        with reading(other) as killer:
            killer.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})
    with reading(engine) as connection:
        assert connection.execute(text("SELECT 1")).scalar_one() == 1
    for opened in (engine, other):
        opened.dispose()


def test_a_new_database_that_another_process_is_making_is_waited_for(tmp_path: Path) -> None:
    """SQLite itself does not wait here: its busy timeout does not hold for a change to WAL."""
    file = tmp_path / "new.db"
    engine = open_engine(f"sqlite:///{file}")

    def opened() -> int:
        with reading(engine) as connection:
            answer: int = connection.execute(text("SELECT 1")).scalar_one()
        return answer

    maker = sqlite3.connect(file, isolation_level=None)
    maker.execute("BEGIN IMMEDIATE")
    with ThreadPoolExecutor(1) as threads:
        answer = threads.submit(opened)
        with pytest.raises(TimeoutError):
            answer.result(timeout=0.3)
        maker.execute("COMMIT")
        assert answer.result(timeout=60) == 1
    maker.close()
    engine.dispose()
