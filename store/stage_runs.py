"""The repository of stage runs: what makes a finished stage never run again.

A stage run belongs to whoever began it, by job and fence. It is taken over only when that
job's row no longer shows that fence as the holder: then its owner is dead or gave up.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, Row, select, update

from errors import LeaseLost
from store.engine import insert_of, writing
from store.held import held
from store.models import JOB_STAGES, JOBS, STAGE_RUNS
from store.records import utc_now

RUNNING = "running"
DONE = "done"


@dataclass(frozen=True)
class StageKey:
    """What a stage run is for: who holds the job, and what makes two runs equal."""

    job_id: str
    fence: int
    generation: int
    tenant: str
    stage: str
    provider: str
    input_hash: str


@dataclass(frozen=True)
class Done:
    """Finished before, by this job or another: use it."""

    data: dict[str, Any] = field(repr=False)
    files: dict[str, dict[str, Any]] = field(repr=False)
    #: Tells this result from one that took its place since.
    finished_at: datetime | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Mine:
    """Run it now; `attempts` counts this begin."""

    attempts: int


@dataclass(frozen=True)
class Busy:
    """A living worker runs it for another job right now: wait and ask again."""


class StageStore:
    """Stage runs. Every write checks the fence and raises LeaseLost where it is not ours."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._insert = insert_of(engine)

    def begin(self, key: StageKey) -> Done | Mine | Busy:
        """Find a finished run or become the owner of an unfinished one."""
        with writing(self._engine) as connection:
            self._check_holder(connection, key, stage=key.stage)
            run = self._locked_run(connection, key)
            if run.state == DONE:
                self._note_begin(connection, key, run.id, reused=True)
                return Done(json.loads(run.data), json.loads(run.files), run.finished_at)
            ours = run.owner_job == key.job_id and run.owner_fence == key.fence
            if not ours and self._is_alive(connection, run.owner_job, run.owner_fence):
                return Busy()
            attempts = run.attempts if ours else run.attempts + 1
            connection.execute(
                update(STAGE_RUNS)
                .where(STAGE_RUNS.c.id == run.id)
                .values(owner_job=key.job_id, owner_fence=key.fence, attempts=attempts)
            )
            self._note_begin(connection, key, run.id, reused=False)
            return Mine(attempts)

    def finish(
        self,
        key: StageKey,
        *,
        data: dict[str, Any],
        files: dict[str, dict[str, Any]],
        progress: int,
    ) -> None:
        """Make the stage durable; sets the job's crash and failure budgets back."""
        now = utc_now()
        with writing(self._engine) as connection:
            self._check_holder(connection, key, progress=progress, crashes=0, failures=0)
            ended = connection.execute(
                update(STAGE_RUNS)
                .where(
                    (STAGE_RUNS.c.tenant == key.tenant)
                    & (STAGE_RUNS.c.input_hash == key.input_hash)
                    & (STAGE_RUNS.c.owner_job == key.job_id)
                    & (STAGE_RUNS.c.owner_fence == key.fence)
                )
                .values(
                    state=DONE,
                    data=json.dumps(data, ensure_ascii=False),
                    files=json.dumps(files, ensure_ascii=False),
                    finished_at=now,
                )
            )
            if not ended.rowcount:
                raise LeaseLost  # rolled back: a result that no row holds is not finished
            self._note(connection, key, finished_at=now)

    def reuse(self, key: StageKey, *, progress: int) -> None:
        """The job goes on with a run that was finished before."""
        with writing(self._engine) as connection:
            self._check_holder(connection, key, progress=progress, crashes=0, failures=0)
            self._note(connection, key, finished_at=utc_now())

    def fail(self, key: StageKey, *, failures: int) -> None:
        """Count a failure of the stage in hand."""
        with writing(self._engine) as connection:
            self._check_holder(connection, key, failures=failures)
            self._note(connection, key, failures=failures)

    def forget(self, tenant: str, input_hash: str, found: Done) -> None:
        """A finished run whose artefacts are gone or damaged must be run again.

        Only what was `found`: another job may be running it again by now, or be done with it.
        """
        where = (
            (STAGE_RUNS.c.tenant == tenant)
            & (STAGE_RUNS.c.input_hash == input_hash)
            & (STAGE_RUNS.c.state == DONE)
            & (STAGE_RUNS.c.finished_at == found.finished_at)
        )
        with writing(self._engine) as connection:
            connection.execute(
                update(STAGE_RUNS).where(where).values(state=RUNNING, owner_job="", owner_fence=0)
            )

    def _check_holder(self, connection: Connection, key: StageKey, **values: Any) -> None:
        changed = connection.execute(
            update(JOBS).where(held(key.job_id, key.fence)).values(updated_at=utc_now(), **values)
        )
        if not changed.rowcount:
            raise LeaseLost

    def _locked_run(self, connection: Connection, key: StageKey) -> Row[Any]:
        where = (STAGE_RUNS.c.tenant == key.tenant) & (STAGE_RUNS.c.input_hash == key.input_hash)
        while True:
            self._insert_run(connection, key)
            found = connection.execute(select(STAGE_RUNS).where(where).with_for_update())
            run = found.one_or_none()
            if run is not None:  # else retention dropped it between the two statements
                return run

    def _insert_run(self, connection: Connection, key: StageKey) -> None:
        connection.execute(
            self._insert(STAGE_RUNS)
            .values(
                tenant=key.tenant,
                stage=key.stage,
                provider=key.provider,
                input_hash=key.input_hash,
                state=RUNNING,
                owner_job=key.job_id,
                owner_fence=key.fence,
                created_at=utc_now(),
            )
            .on_conflict_do_nothing(index_elements=["tenant", "input_hash"])
        )

    def _is_alive(self, connection: Connection, job_id: str, fence: int) -> bool:
        statement = select(JOBS.c.id).where(held(job_id, fence))
        return connection.execute(statement).first() is not None

    def _note_begin(
        self, connection: Connection, key: StageKey, run_id: int, *, reused: bool
    ) -> None:
        statement = self._insert(JOB_STAGES).values(
            job_id=key.job_id,
            generation=key.generation,
            stage=key.stage,
            stage_run_id=run_id,
            provider=key.provider,
            reused=reused,
            started_at=utc_now(),
        )
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=["job_id", "generation", "stage"],
                set_={"stage_run_id": run_id},
            )
        )

    def _note(self, connection: Connection, key: StageKey, **values: Any) -> None:
        where = (
            (JOB_STAGES.c.job_id == key.job_id)
            & (JOB_STAGES.c.generation == key.generation)
            & (JOB_STAGES.c.stage == key.stage)
        )
        connection.execute(update(JOB_STAGES).where(where).values(**values))
