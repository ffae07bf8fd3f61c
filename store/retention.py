"""Which artefacts nobody needs any more: the database decides, before any file is touched.

A finished stage run goes when it is old, and no job that used it is unfinished or ended lately.
Its row goes first: a job that begins the same stage a moment later runs it anew, under a folder
of its own, and never finds half a result.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Engine, and_, delete, exists, select

from jobs.states import FINAL
from store.engine import reading, writing
from store.models import JOB_STAGES, JOBS, STAGE_RUNS
from store.stage_runs import DONE

_BATCH = 200


class RetentionStore:
    """What may be removed. Raises StoreUnavailable where the database is away."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def drop_runs(self, before: datetime) -> int:
        """Forget finished stage runs that ended before, unless a job needs them; how many."""
        needed = exists().where(
            and_(
                JOB_STAGES.c.stage_run_id == STAGE_RUNS.c.id,
                JOB_STAGES.c.job_id == JOBS.c.id,
                JOBS.c.state.not_in(list(FINAL)) | (JOBS.c.finished_at >= before),
            )
        )
        old = (STAGE_RUNS.c.state == DONE) & (STAGE_RUNS.c.finished_at < before)
        dropped = 0
        while True:
            candidates = select(STAGE_RUNS.c.id).where(old & ~needed).limit(_BATCH)
            with writing(self._engine) as connection:
                ids = [row[0] for row in connection.execute(candidates)]
                # Locked first, then looked at again: whoever began to use a run in between
                # has committed by now, and a fresh statement sees it.
                locked = select(STAGE_RUNS.c.id).where(STAGE_RUNS.c.id.in_(ids)).with_for_update()
                connection.execute(locked).all()
                gone = connection.execute(
                    delete(STAGE_RUNS).where(STAGE_RUNS.c.id.in_(ids) & old & ~needed)
                ).rowcount
            dropped += gone
            if len(ids) < _BATCH or not gone:
                return dropped

    def kept_keys(self, tenant: str, hashes: Iterable[str]) -> dict[str, frozenset[str] | None]:
        """By input hash that has a row: the keys its result consists of, None while it is run."""
        where = (STAGE_RUNS.c.tenant == tenant) & STAGE_RUNS.c.input_hash.in_(list(hashes))
        statement = select(STAGE_RUNS.c.input_hash, STAGE_RUNS.c.state, STAGE_RUNS.c.files)
        with reading(self._engine) as connection:
            rows = connection.execute(statement.where(where)).all()
        return {
            row.input_hash: frozenset(file["key"] for file in json.loads(row.files).values())
            if row.state == DONE
            else None
            for row in rows
        }

    def needed_jobs(self, job_ids: Iterable[str], before: datetime) -> set[str]:
        """Those of the jobs that are unfinished, or ended after `before`."""
        live = JOBS.c.state.not_in(list(FINAL)) | (JOBS.c.finished_at >= before)
        statement = select(JOBS.c.id).where(JOBS.c.id.in_(list(job_ids)) & live)
        with reading(self._engine) as connection:
            return {row[0] for row in connection.execute(statement)}
