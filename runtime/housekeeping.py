"""What every worker does on the side, so that no job depends on one process staying alive.

Each second, bounded: reap expired leases, promote due jobs, carry cancellations to rows, adopt
what arrived without a row, push rows that Redis was never told of, put back ids that a killed
worker had popped, and reconcile after a wipe. Any number of workers may do so at once: every
step is a compare-and-set in the database, then an idempotent script.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from typing import TypeVar

import structlog

from database import Database
from errors import QueueUnavailable, StoreUnavailable
from events import Event
from jobs.states import FINAL, JobState
from redis_queue import epoch, hold, upkeep
from redis_queue.connection import Client
from runtime.adopt import adopt_raw, new_job
from runtime.mirror import mirror, state_message
from runtime.reconcile import reconcile
from runtime.submit import push_row
from store.records import JobRecord

_TICK_S = 1.0
#: After one's own reconnect nobody is reaped for this long: the holders reconnect too.
_CALM_S = 3.0
#: A row not pushed, or a count that disagrees, is acted on after this long.
_PATIENCE_S = 2.0
#: Lists and ledger are compared in full at least this often, should the counts agree by chance.
_FULL_CHECK_S = 60.0
#: A foreign entry still in the list of those being adopted after this long lost its adopter.
_ADOPTION_S = 2.0
#: Pause between two rounds while Redis is away: after its return nobody waits for us.
_AWAY_TICK_S = 0.2

_T = TypeVar("_T")

log = structlog.get_logger()


class Housekeeping(threading.Thread):
    """One thread with connections of its own; `tick` is one round."""

    def __init__(
        self,
        client: Client,
        database: Database,
        *,
        instance: str,
        lease_s: float,
        max_crashes: int,
        final_ttl_s: int,
        on_tick: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
        patience_s: float = _PATIENCE_S,
    ) -> None:
        super().__init__(name="housekeeping", daemon=True)
        self._client = client
        self._database = database
        self._store = database.jobs
        self._instance = instance
        self._lease_s = lease_s
        self._max_crashes = max_crashes
        self._final_ttl_s = final_ttl_s
        self._on_tick = on_tick
        self._clock = clock
        self._patience_s = patience_s
        self._ended = threading.Event()
        #: Whether Redis answered in the last round; and when it did so first after an absence.
        self._connected = True
        self._returned_at: float | None = None
        self._mismatch_since: float | None = None
        self._raw_seen: dict[bytes, float] = {}
        self._full_check_at = clock()

    def end(self) -> None:
        """Leave after the round in hand."""
        self._ended.set()
        if self.is_alive():
            self.join(timeout=2)

    def run(self) -> None:
        """The loop; the rounds of several workers drift apart by themselves.

        The first round is at once: where workers die young, one that waited would do none.
        """
        while not self._ended.is_set():
            self.tick()
            self._ended.wait(_TICK_S if self._connected else _AWAY_TICK_S)

    def tick(self) -> None:
        """One round. Where Redis or the database is away the rest of the round is dropped."""
        self._on_tick()
        try:
            self._round()
        except QueueUnavailable:
            self._connected = False
        except StoreUnavailable:
            return
        except Exception:
            # A fault in one round must not end housekeeping for the life of the process.
            log.exception(Event.HOUSEKEEPING_FAILED)

    def _each(self, items: Iterable[_T], handle: Callable[[_T], object]) -> None:
        """Handle every item; one that cannot be handled holds up none of the others."""
        for item in items:
            try:
                handle(item)
            except (QueueUnavailable, StoreUnavailable):
                raise
            except Exception:
                log.exception(Event.HOUSEKEEPING_FAILED)

    def _round(self) -> None:
        known = epoch.look(self._client)
        now = self._clock()
        if not self._connected:
            self._connected, self._returned_at = True, now
        if epoch.needs_reconcile(self._client) and epoch.acquire(self._client, self._instance):
            reconcile(
                self._client,
                self._store,
                instance=self._instance,
                epoch_now=known,
                lease_s=self._lease_s,
                final_ttl_s=self._final_ttl_s,
            )
        if self._returned_at is None or now - self._returned_at >= _CALM_S:
            self._each(upkeep.expired_leases(self._client), self.reap)
        self._each(upkeep.due(self._client), self.promote)
        self._each(upkeep.unrecorded(self._client), self._adopt_pushed)
        self._each(upkeep.pending_cancels(self._client), self.carry_cancel)
        self._adopt_left_behind(now)
        self._each(self._store.unpushed(older_than_s=self._patience_s), self._push)
        self._compare_lists(now)

    def reap(self, expired: upkeep.Expired) -> None:
        """A lease ran out: the row first, then the queue. A row that moved on is mirrored."""
        record = self._store.change.reap(
            expired.job_id,
            fence=expired.fence,
            stopping=expired.stopping,
            max_crashes=self._max_crashes,
        )
        if record is None:
            present = self._store.get(expired.job_id)
            if present is None:
                self._adopt_held(expired)
            elif present.state == JobState.PROCESSING and present.fence < expired.fence:
                # Claimed in Redis, never in the row: hand the claim back, uncounted.
                self._requeue(expired, present, fence=expired.fence + 1)
            elif present.state == JobState.PROCESSING and present.fence == expired.fence:
                return  # its row was claimed between two looks; the next round judges the lease
            else:
                self._mirror(present, wrong_fence=expired.fence)
            return
        log.warning(
            Event.JOB_REAPED,
            job_id=record.id,
            state=record.state,
            crashes=record.crashes,
            interrupted=expired.stopping,
        )
        if record.state == JobState.FAILED:
            self._mirror(record, wrong_fence=expired.fence)
        else:
            self._requeue(expired, record, fence=record.fence)

    def promote(self, job_id: str) -> None:
        """A scheduled job is due: the row first, then the queue."""
        record = self._store.change.promote(job_id) or self._store.get(job_id)
        if record is None:
            return  # pushed without a row: it gets one in this round
        if record.state == JobState.PENDING:
            upkeep.promote(self._client, job_id, record.queue)
            log.info(Event.JOB_PROMOTED, job_id=job_id)
        else:
            self._mirror(record, wrong_fence=upkeep.fence_of(self._client, job_id))

    def carry_cancel(self, job_id: str) -> None:
        """A cancellation that reached Redis only: write it to the row."""
        if self._store.change.cancel_waiting(job_id) is not None:
            log.info(Event.JOB_CANCELLED, job_id=job_id, running=False)
        elif not self._store.request_cancel(job_id):
            present = self._store.get(job_id)
            if present is None and upkeep.fence_of(self._client, job_id) is not None:
                return  # pushed without a row; adopted first, and looked at in the next round
            if present is not None and present.state not in FINAL:
                return  # moved between two looks; the next round sees where it is
            if present is not None and present.state != JobState.CANCELLED:
                self._mirror(present, wrong_fence=upkeep.fence_of(self._client, job_id))
        upkeep.mark_cancel_recorded(self._client, job_id)

    def _requeue(self, expired: upkeep.Expired, record: JobRecord, *, fence: int) -> None:
        delay_s = None
        if record.state == JobState.SCHEDULED and record.due_at is not None:
            delay_s = max(0.0, (record.due_at - record.updated_at).total_seconds())
        hold.requeue(
            self._client,
            record.id,
            queue=record.queue,
            held_fence=expired.fence,
            instance="",
            new_fence=fence,
            delay_s=delay_s,
            error=record.error or "",
            message=state_message(record),
        )

    def _adopt_held(self, expired: upkeep.Expired) -> None:
        """A bare push was claimed and its worker died before the row: give it one, and back."""
        job_id = expired.job_id
        fields = upkeep.fields_of(self._client, job_id)
        if fields:
            self._adopt_pushed((job_id, fields))
        present = self._store.get(job_id)
        if present is not None:
            self._requeue(expired, present, fence=expired.fence + 1)

    def _mirror(self, record: JobRecord, *, wrong_fence: int | None) -> None:
        known = record.state in FINAL and wrong_fence is not None
        if known and upkeep.mirror_final(
            self._client,
            record.id,
            fence=record.fence,
            state=record.state,
            error=record.error or "",
            final_ttl_s=self._final_ttl_s,
            progress=record.progress,
        ):
            return  # its worker did not live to tell the queue, and subscribers wait to hear
        mirror(
            self._client,
            record,
            lease_s=self._lease_s,
            final_ttl_s=self._final_ttl_s,
            wrong_fence=wrong_fence,
        )

    def _adopt_pushed(self, found: tuple[str, dict[bytes, bytes]]) -> None:
        job_id, fields = found
        if fields:
            self._store.accept(new_job(job_id, fields), pushed=True)
        upkeep.mark_recorded(self._client, job_id)

    def _adopt_left_behind(self, now: float) -> None:
        entries = upkeep.raw_entries(self._client)
        self._raw_seen = {entry: self._raw_seen.get(entry, now) for entry in entries}
        old = [entry for entry, since in self._raw_seen.items() if now - since >= _ADOPTION_S]
        self._each(old, self._adopt)

    def _adopt(self, entry: bytes) -> None:
        adopt_raw(
            self._client,
            self._store,
            entry,
            lease_s=self._lease_s,
            final_ttl_s=self._final_ttl_s,
        )

    def _push(self, record: JobRecord) -> None:
        if push_row(self._client, record):
            self._store.mark_pushed([record])

    def _compare_lists(self, now: float) -> None:
        """Find ids that a worker had popped when it was killed, and entries nobody enqueued."""
        if upkeep.lists_match_ledger(self._client):
            self._mismatch_since = None
            if now - self._full_check_at < _FULL_CHECK_S:
                return
        elif self._mismatch_since is None:
            self._mismatch_since = now
            return
        elif now - self._mismatch_since < self._patience_s:
            return
        self._mismatch_since = None
        self._full_check_at = now
        missing, foreign = upkeep.find_unlisted(self._client)
        repaired = sum(upkeep.repair(self._client, job_id) for job_id in missing)
        taken = [
            entry for queue, entry in foreign if upkeep.take_foreign(self._client, queue, entry)
        ]
        self._each(taken, self._adopt)
        if repaired or foreign:
            log.warning(Event.QUEUE_REPAIRED, missing=repaired, foreign=len(foreign))
