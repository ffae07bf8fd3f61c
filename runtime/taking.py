"""How a worker comes to a job: Redis hands it over, the row agrees, or Redis is set right.

1. claim by script; when nothing is there, BLPOP, and claim what it popped by the same script;
2. compare-and-set the row from pending to processing; a bare push gets its row first;
3. if the row moved on, make Redis say what it says and drop the claim.
"""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from config import Settings
from database import Database
from errors import QueueUnavailable
from events import Event
from redis_queue import epoch
from redis_queue.claim import Claim, Claims, Holder, RawEntry, Wiped
from redis_queue.connection import Client
from runtime.adopt import adopt_raw, new_job
from runtime.interrupts import Interrupts
from runtime.lease import Lease
from runtime.mirror import mirror
from runtime.steps import reached
from store.records import JobRecord

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
    ) -> None:
        self.claims = Claims(
            client,
            worker=worker_id,
            instance=instance,
            queues=settings.queues,
            lease_s=settings.lease_s,
        )
        self.epoch = ""
        self._settings = settings
        self._client = client
        self._jobs = database.jobs
        self._interrupts = interrupts
        self._worker_id = worker_id
        self._instance = instance
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
        holder = Holder(
            self._client,
            claim,
            lease_s=self._settings.lease_s,
            final_ttl_s=self._settings.final_ttl_s,
        )
        lease = Lease(holder, self._settings.lease_s)
        reached("claimed")
        if not self._interrupts.may_claim:
            self.give_back(claim)
            return None
        record = self._claim_row(claim)
        if record is None:
            # A bare push gets its row here, unless housekeeping has just given it one.
            self._jobs.accept(new_job(claim.job_id, claim.fields), pushed=True)
            record = self._claim_row(claim)
        if record is None:
            self._drop(claim)
            return None
        reached("row_claimed")
        return Taken(record, lease)

    def give_back(self, claim: Claim) -> None:
        """A claim that is not to be run goes back to the front; its row never knew of it."""
        Holder(
            self._client,
            claim,
            lease_s=self._settings.lease_s,
            final_ttl_s=self._settings.final_ttl_s,
        ).requeue(fence=claim.fence, message="")

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
