"""Many rows at once, for benchmarks and tests: no state is checked and Redis is told nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Engine, insert, text

from store.engine import translated
from store.models import JOBS

_CHUNK = 5000


def insert_jobs(engine: Engine, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows of the table of jobs, and let the planner know. Raises StoreUnavailable."""
    with translated(), engine.begin() as connection:
        for start in range(0, len(rows), _CHUNK):
            connection.execute(insert(JOBS), [dict(row) for row in rows[start : start + _CHUNK]])
        connection.execute(text("ANALYZE"))
