"""Writes an Outcome down: the row first, then the queue, and in the same breath the next claim."""

from __future__ import annotations

import time
from datetime import datetime, timedelta

import structlog

from errors import LeaseLost, QueueUnavailable
from events import Event
from jobs.outcome import Outcome
from jobs.states import JobState
from redis_queue import upkeep
from redis_queue.claim import Claim, Claims, RawEntry, Wiped
from redis_queue.connection import Client
from redis_queue.messages import progress_message
from runtime.interrupts import Interrupts
from runtime.lease import Lease
from runtime.meter import Meter
from runtime.patience import Patience
from runtime.steps import reached
from store.jobs import JobStore
from store.records import JobRecord, utc_now

#: An error sooner than this is a cut connection, later a server that does not answer.
_CUT_S = 0.5

log = structlog.get_logger()

Next = Claim | RawEntry | Wiped | None


class Settler:
    """Ends what a worker holds. A lost lease writes nothing."""

    def __init__(
        self,
        store: JobStore,
        client: Client,
        interrupts: Interrupts,
        patience: Patience,
        *,
        worker_id: str,
        final_ttl_s: int,
        meter: Meter,
    ) -> None:
        self._store = store
        self._client = client
        self._interrupts = interrupts
        self._patience = patience
        self._worker_id = worker_id
        self._final_ttl_s = final_ttl_s
        self._meter = meter

    def settle(
        self, record: JobRecord, lease: Lease, outcome: Outcome, then: Claims | None, epoch: str
    ) -> Next:
        """Write the outcome; with `then`, claim the next job in the same round trip."""
        if outcome.state is None:
            log.warning(Event.JOB_LEASE_LOST)
            return None
        if outcome.interrupted:
            self._mark_stopping(lease)
        try:
            written = self._patience(lambda: self._write(record, lease, outcome), lease)
        except LeaseLost:
            written = None
        if written is None:
            log.warning(Event.JOB_LEASE_LOST, outcome=outcome.state)
            return None
        reached("row_settled")
        self.announce(written, outcome)
        try:
            following = self._tell_queue_twice(written, lease, outcome, then, epoch)
        except QueueUnavailable:
            # The row is settled; the lease lapses in Redis and the reaper mirrors the row.
            return None
        reached("settled")
        return following

    def _write(self, record: JobRecord, lease: Lease, outcome: Outcome) -> JobRecord | None:
        change, fence = self._store.change, lease.claim.fence
        if outcome.state == JobState.COMPLETED:
            until = result_until(outcome.result_ttl_s)
            return change.complete(
                record.id, fence=fence, result=outcome.result, result_until=until
            )
        if outcome.state == JobState.FAILED:
            return change.fail(record.id, fence=fence, error=outcome.error or "failed")
        if outcome.state == JobState.CANCELLED:
            return change.cancel_held(record.id, fence=fence)
        if outcome.state == JobState.PENDING:
            return change.hand_back(record.id, fence=fence, counted=outcome.interrupted)
        due_at = utc_now() + timedelta(seconds=outcome.delay_s)
        return change.park(
            record.id,
            fence=fence,
            due_at=due_at,
            error=outcome.error or "",
            failures=outcome.failures,
        )

    def _tell_queue_twice(
        self, row: JobRecord, lease: Lease, outcome: Outcome, then: Claims | None, epoch: str
    ) -> Next:
        """A cut connection is made anew at once; else the job would stand still for a lease."""
        began = time.monotonic()
        try:
            return self._tell_queue(row, lease, outcome, then, epoch)
        except QueueUnavailable:
            if time.monotonic() - began > _CUT_S:
                raise  # no answer at all: a second wait would only delay a stop
            return self._tell_queue(row, lease, outcome, then, epoch)

    def _tell_queue(
        self, row: JobRecord, lease: Lease, outcome: Outcome, then: Claims | None, epoch: str
    ) -> Next:
        message = self.message(row)
        if row.state in (JobState.PENDING, JobState.SCHEDULED):
            parked = row.state == JobState.SCHEDULED
            lease.holder.requeue(
                fence=row.fence,
                message=message,
                delay_s=outcome.delay_s if parked else None,
                error=outcome.error or "",
            )
            return None
        settled, following = lease.holder.settle(
            row.state,
            error=row.error or "",
            percent=row.progress,
            message=message,
            then=then,
            epoch=epoch,
        )
        if not settled:
            self.mirror(row)  # Redis was wiped under us, and the row is the record
        return following

    def message(self, row: JobRecord) -> str:
        """What subscribers are told of a row that this worker wrote."""
        return progress_message(
            row.id, row.stage, row.progress, self._worker_id, status=row.state, error=row.error
        )

    def mirror(self, row: JobRecord) -> None:
        """Make Redis say what a final row says. Raises QueueUnavailable."""
        upkeep.mirror_final(
            self._client,
            row.id,
            fence=row.fence,
            state=row.state,
            error=row.error or "",
            final_ttl_s=self._final_ttl_s,
            progress=row.progress,
        )

    def _mark_stopping(self, lease: Lease) -> None:
        """Should we be killed before the row is written, it was an interruption, no crash."""
        lease.stopping = True
        try:
            lease.renew()
        except (QueueUnavailable, LeaseLost):
            return

    def announce(self, row: JobRecord, outcome: Outcome) -> None:
        """Count and log what was written."""
        self._meter.job_settled(row)
        seconds = None
        if row.started_at and row.finished_at:
            seconds = round((row.finished_at - row.started_at).total_seconds(), 3)
        if row.state == JobState.COMPLETED:
            log.info(
                Event.JOB_COMPLETED,
                job_id=row.id,
                seconds=seconds,
                stages=row.result.get("stages") if row.result else None,
            )
        elif row.state == JobState.FAILED:
            log.error(
                Event.JOB_FAILED, job_id=row.id, stage=row.stage, error=row.error, seconds=seconds
            )
        elif row.state == JobState.CANCELLED:
            log.info(Event.JOB_CANCELLED, job_id=row.id, stage=row.stage, running=True)
        elif row.state == JobState.SCHEDULED:
            log.info(
                Event.JOB_PARKED,
                job_id=row.id,
                stage=row.stage,
                delay_s=outcome.delay_s,
                error=outcome.error,
            )
        else:
            log.info(
                Event.JOB_REQUEUED,
                job_id=row.id,
                stage=row.stage,
                interruptions=row.interruptions,
            )


def result_until(ttl_s: float | None) -> datetime | None:
    """Until when a result is kept that is to be kept so long; None: for good."""
    return utc_now() + timedelta(seconds=ttl_s) if ttl_s is not None else None
