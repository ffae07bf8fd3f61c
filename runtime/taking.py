"""How a worker comes to a job: Redis hands it over, the row agrees, or Redis is set right.

1. claim by script; when nothing is there, BLPOP, and claim what it popped by the same script;
2. compare-and-set the row from pending to processing; a bare push gets its row first;
3. if the row moved on, make Redis say what it says and drop the claim.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import structlog

from config import Settings
from database import Database
from errors import QueueUnavailable
from events import Event
from redis_queue import epoch, upkeep
from redis_queue.claim import Claim, Claims, RawEntry, Wiped
from redis_queue.connection import Client
from redis_queue.hold import Holder
from runtime.adopt import adopt_raw, new_job
from runtime.interrupts import Interrupts
from runtime.lease import Lease
from runtime.mirror import hash_of, mirror
from runtime.queue_limits import QueueLimits
from runtime.steps import reached
from store.records import JobRecord

#: How long a queue is left alone whose places are all taken.
_FULL_PAUSE_S = 0.5

log = structlog.get_logger()


@dataclass(frozen=True)
class Taken:
    """A job in hand: the row as claimed, and the lease that keeps it ours."""

    record: JobRecord
    lease: Lease


class Taking:
    """One worker's hand. Owned by the main loop."""

    def __init__(
        self,
        settings: Settings,
        client: Client,
        database: Database,
        interrupts: Interrupts,
        *,
        worker_id: str,
        instance: str,
        queues: Sequence[str],
        limits: QueueLimits,
    ) -> None:
        self.claims = Claims(
            client,
            worker=worker_id,
            instance=instance,
            queues=queues,
            lease_s=settings.lease_s,
        )
        self.epoch = ""
        self._settings = settings
        self._client = client
        self._jobs = database.jobs
        self._groups = database.groups
        self._interrupts = interrupts
        self._worker_id = worker_id
        self._instance = instance
        self._limits = limits
        self._popped: tuple[str, bytes] | None = None

    def look_at_epoch(self) -> None:
        """After a (re)connect: is this the Redis that we knew?"""
        self.epoch = epoch.look(self._client)

    def next(self, *, wait: bool) -> Claim | RawEntry | None:
        """The next claim; with `wait`, after up to a second in BLPOP. Raises QueueUnavailable."""
        if self._popped is None:
            found = self._claim(b"")
            if found is not None or not wait or not self._interrupts.may_claim:
                return found
            self._popped = self.claims.wait()
            if self._popped is not None:
                reached("popped")
        if self._popped is None or not self._interrupts.may_claim:
            return None
        found = self._claim(self._popped[1])
        # Only now: after a lost reply the same entry is asked for again.
        self._popped = None
        return found

    def take(self, claim: Claim) -> Taken | None:
        """The row's half of a claim; None: dropped. Raises StoreUnavailable, QueueUnavailable."""
        lease = self._lease(claim)
        reached("claimed")
        if not self._interrupts.may_claim or not self._admitted(claim):
            self.give_back(claim)
            return None
        record = self._claim_row(claim)
        if record is None and self._accept_bare(claim):
            record = self._claim_row(claim)
        if record is None:
            self._drop(claim)
            self.done(claim)
            return None
        if not claim.fields:
            claim.describe = partial(hash_of, record)
        reached("row_claimed")
        return Taken(record, lease)

    def take_all(self, claims: Sequence[Claim]) -> list[Taken]:
        """The rows' half of several claims, in one statement; those not there are dropped.

        Raises StoreUnavailable, QueueUnavailable; then no row of them is ours.
        """
        kept = []
        for claim in claims:
            if self._interrupts.may_claim and self._admitted(claim):
                kept.append((claim, self._lease(claim)))
            else:
                self.give_back(claim)
        if not kept:
            return []
        rows = self._groups.claim(
            [(claim.job_id, claim.fence) for claim, _ in kept],
            worker_id=self._worker_id,
            instance=self._instance,
        )
        taken = []
        for claim, lease in kept:
            record = rows.get(claim.job_id)
            if record is not None:
                claim.describe = partial(hash_of, record)
                taken.append(Taken(record, lease))
            elif (alone := self.take(claim)) is not None:
                taken.append(alone)  # a row that lacked, or a commit whose answer was lost
        return taken

    def done(self, claim: Claim) -> None:
        """The job is out of hand: its queue's place is free."""
        self._limits.free(claim.job_id)

    def give_back(self, claim: Claim) -> None:
        """A claim that is not to be run goes back to the front; its row never knew of it."""
        self.done(claim)
        self._holder(claim).requeue(fence=claim.fence, message="")

    def _holder(self, claim: Claim) -> Holder:
        return Holder(
            self._client,
            claim,
            lease_s=self._settings.lease_s,
            final_ttl_s=self._settings.final_ttl_s,
        )

    def _lease(self, claim: Claim) -> Lease:
        return Lease(self._holder(claim), self._settings.lease_s)

    def _admitted(self, claim: Claim) -> bool:
        if self._limits.admit(claim.queue, claim.job_id):
            return True
        self.claims.close(claim.queue, _FULL_PAUSE_S)
        return False

    def give_back_popped(self) -> None:
        """What BLPOP handed over after a stop or quiet was asked goes back, unclaimed."""
        if self._popped is None:
            return
        popped, self._popped = self._popped, None
        try:
            self.claims.give_back(popped)
        except QueueUnavailable as error:
            # The ledger still has the id, and any worker's housekeeping puts it back.
            log.warning(Event.REDIS_LOST, reason=str(error))

    def adopt(self, found: RawEntry) -> bool:
        """Make a foreign entry a job or a dead letter; True: a job that waits now."""
        return adopt_raw(
            self._client,
            self._jobs,
            found.entry,
            lease_s=self._settings.lease_s,
            final_ttl_s=self._settings.final_ttl_s,
        )

    def _claim(self, popped: bytes) -> Claim | RawEntry | None:
        found = self.claims.next(self.epoch, popped)
        if isinstance(found, Wiped):
            self.look_at_epoch()
            found = self.claims.next(self.epoch, popped)
        return None if isinstance(found, Wiped) else found

    def _claim_row(self, claim: Claim) -> JobRecord | None:
        return self._jobs.change.claim(
            claim.job_id, fence=claim.fence, worker_id=self._worker_id, instance=self._instance
        )

    def _accept_bare(self, claim: Claim) -> bool:
        """A bare push gets its row, unless housekeeping has just given it one; False: Redis has
        nothing of it any more."""
        fields = claim.fields or upkeep.fields_of(self._client, claim.job_id)
        if fields:
            self._jobs.accept(new_job(claim.job_id, fields), pushed=True)
        return bool(fields)

    def _drop(self, claim: Claim) -> None:
        present = self._jobs.get(claim.job_id)
        log.info(
            Event.JOB_CLAIM_DROPPED, job_id=claim.job_id, state=present.state if present else None
        )
        if present is not None:
            mirror(
                self._client,
                present,
                lease_s=self._settings.lease_s,
                final_ttl_s=self._settings.final_ttl_s,
                wrong_fence=claim.fence,
            )
