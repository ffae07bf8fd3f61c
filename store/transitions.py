"""Every change of a job's state in the database: one compare-and-set, one constructor each.

A miss is re-read: a COMMIT whose answer was lost on the wire has happened, and the row then
shows exactly what the repeated call wanted to write.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine, case, select, update
from sqlalchemy.sql.elements import ColumnElement

from jobs.states import FINAL, JobState, stages_from
from jobs.work import VIDEO
from store.batches import count_ended
from store.deliveries import queue_callback
from store.engine import insert_of, reading, writing
from store.held import held, row_state
from store.models import JOBS
from store.records import JobRecord, job_record, utc_now

#: Wait before the try after crash n is 2**(n-2) s, from the second crash on, up to this.
_CRASH_WAIT_MAX_S = 60.0


class Transitions:
    """The writes. Each returns the row after it, or None where the row was not as expected.

    Raises StoreUnavailable; calling again is safe.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._insert = insert_of(engine)

    def claim(self, job_id: str, *, fence: int, worker_id: str, instance: str) -> JobRecord | None:
        """pending -> processing. A cancelled or moved row, or a lower fence, is a miss."""
        now = utc_now()
        values = {"worker_id": worker_id, "instance": instance, "error": None, "pushed": True}
        return self._change(
            job_id,
            (row_state == JobState.PENDING) & (JOBS.c.fence < fence),
            JobState.PROCESSING,
            fence=fence,
            started_at=case((JOBS.c.started_at.is_(None), now), else_=JOBS.c.started_at),
            **values,
        )

    def complete(
        self,
        job_id: str,
        *,
        fence: int,
        result: dict[str, Any],
        result_until: datetime | None = None,
    ) -> JobRecord | None:
        """processing -> completed, by the holder only; `result_until`: when it may be dropped."""
        values = {"result": json.dumps(result, ensure_ascii=False), "result_until": result_until}
        return self._end(job_id, fence, JobState.COMPLETED, progress=100, error=None, **values)

    def fail(self, job_id: str, *, fence: int, error: str) -> JobRecord | None:
        """processing -> failed, by the holder only: a dead letter."""
        return self._end(job_id, fence, JobState.FAILED, error=error)

    def cancel_held(self, job_id: str, *, fence: int) -> JobRecord | None:
        """processing -> cancelled, by the holder only."""
        return self._end(job_id, fence, JobState.CANCELLED, error="cancelled")

    def hand_back(self, job_id: str, *, fence: int, counted: bool = True) -> JobRecord | None:
        """processing -> pending, by the holder: interrupted, which costs no attempt; or never
        begun, which is not even counted."""
        return self._change(
            job_id,
            held(job_id, fence),
            JobState.PENDING,
            fence=fence + 1,
            interruptions=JOBS.c.interruptions + int(counted),
            pushed=True,
            **_NO_HOLDER,
        )

    def park(
        self, job_id: str, *, fence: int, due_at: datetime, error: str, failures: int
    ) -> JobRecord | None:
        """processing -> scheduled, by the holder: the next try is not soon."""
        return self._change(
            job_id,
            held(job_id, fence),
            JobState.SCHEDULED,
            fence=fence + 1,
            due_at=due_at,
            error=error,
            failures=failures,
            pushed=True,
            **_NO_HOLDER,
        )

    def reap(
        self, job_id: str, *, fence: int, stopping: bool, max_crashes: int
    ) -> JobRecord | None:
        """processing -> pending, scheduled or failed: the holder of `fence` is gone.

        One more crash, unless the holder was stopping; past the budget the job is poison.
        """
        row = self.read(job_id)
        if row is None or row.state != JobState.PROCESSING or row.fence != fence:
            return None
        values: dict[str, Any] = {"fence": fence + 1, "pushed": True, **_NO_HOLDER}
        if stopping:
            values["interruptions"] = row.interruptions + 1
            return self._change(job_id, held(job_id, fence), JobState.PENDING, **values)
        crashes = values["crashes"] = row.crashes + 1
        if crashes > max_crashes:
            error = f"its worker died {crashes} times in stage {row.stage or 'start'}"
            values |= {"error": error, "finished_at": utc_now()}
            return self._change(job_id, held(job_id, fence), JobState.FAILED, **values)
        if crashes == 1:
            return self._change(job_id, held(job_id, fence), JobState.PENDING, **values)
        wait_s = min(_CRASH_WAIT_MAX_S, 2.0 ** (crashes - 2))
        values["due_at"] = utc_now() + timedelta(seconds=wait_s)
        return self._change(job_id, held(job_id, fence), JobState.SCHEDULED, **values)

    def promote(self, job_id: str) -> JobRecord | None:
        """scheduled -> pending: it is due."""
        return self._change(
            job_id, row_state == JobState.SCHEDULED, JobState.PENDING, due_at=None, pushed=True
        )

    def cancel_waiting(self, job_id: str) -> JobRecord | None:
        """pending or scheduled -> cancelled."""
        waiting = row_state.in_([JobState.PENDING, JobState.SCHEDULED])
        return self._change(
            job_id,
            waiting,
            JobState.CANCELLED,
            error="cancelled",
            finished_at=utc_now(),
            pushed=True,
        )

    def replay(self, job_id: str, *, from_stage: str | None) -> JobRecord | None:
        """A final state -> pending, as a new generation.

        From `from_stage` on, results of earlier generations are not used again; without it the
        job goes on at its first unfinished stage, a background job at its cursor.
        """
        row = self.read(job_id)
        if row is None or row.state not in FINAL:
            return None
        generations = dict(row.stage_generations)
        if from_stage is not None and row.kind == VIDEO:
            generations |= dict.fromkeys(stages_from(from_stage), row.generation + 1)
        unchanged = (row_state == row.state) & (JOBS.c.fence == row.fence)
        return self._change(
            job_id,
            unchanged,
            JobState.PENDING,
            fence=row.fence + 1,
            generation=row.generation + 1,
            stage_generations=json.dumps(generations),
            failures=0,
            crashes=0,
            cancel_requested=False,
            pushed=False,
            error=None,
            result=None,
            result_until=None,
            cursor=row.cursor if from_stage is None else None,
            stage=None,
            progress=0,
            due_at=None,
            finished_at=None,
            **_NO_HOLDER,
        )

    def read(self, job_id: str) -> JobRecord | None:
        """The row as it stands."""
        with reading(self._engine) as connection:
            row = connection.execute(select(JOBS).where(JOBS.c.id == job_id)).one_or_none()
        return job_record(row) if row else None

    def _end(self, job_id: str, fence: int, state: JobState, **values: Any) -> JobRecord | None:
        return self._change(
            job_id, held(job_id, fence), state, finished_at=utc_now(), fence=fence, **values
        )

    def _change(
        self, job_id: str, expected: ColumnElement[bool], state: JobState, **values: Any
    ) -> JobRecord | None:
        statement = (
            update(JOBS)
            .where((JOBS.c.id == job_id) & expected)
            .values(state=state, updated_at=utc_now(), **values)
            .returning(*JOBS.c)
        )
        with writing(self._engine) as connection:
            row = connection.execute(statement).one_or_none()
            if row is not None:
                queue_callback(connection, self._insert, row)
                # By its first end alone: a replay that ends anew is counted already.
                if row.batch_id and row.state in FINAL and not row.generation:
                    count_ended(connection, row.batch_id)
        if row is not None:
            return job_record(row)
        present = self.read(job_id)
        fence = values.get("fence")
        mine = values.get("instance")
        won = (
            present is not None
            and fence is not None
            and present.state == state
            and present.fence == fence
            and (mine is None or present.instance == mine)
        )
        return present if won else None


_NO_HOLDER: dict[str, Any] = {"worker_id": None, "instance": None}
