"""Background jobs as threads beside the main loop, where WORKER_CONCURRENCY is above 1.

    two claimers  claim as many jobs as there are free places, and hand them over
    N runners     run one job each
    two settlers  write down all that has ended since they wrote last, as a group

There are two of these, because half of what they do is to wait for a server. A place is free again
when its job is settled, so that groups are large under load and of one while little is to do; what
is in hand meanwhile is in runtime/in_hand.py. Leases are renewed by the worker's heartbeat, as for
the main loop.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress

import structlog

from errors import LeaseLost, QueueUnavailable, StoreUnavailable
from events import Event
from jobs.outcome import Outcome
from redis_queue.claim import Claim, RawEntry
from runtime.availability import Availability
from runtime.executor import Executor
from runtime.group_settle import Ended, GroupSettler
from runtime.in_hand import Hand, InHand
from runtime.interrupts import Interrupts
from runtime.lease import Lease
from runtime.meter import Meter
from runtime.taking import Taking
from runtime.thread_interrupts import Poke, ThreadInterrupts
from store.records import JobRecord

_TICK_S = 0.1
#: Jobs that one statement claims or ends.
_GROUP = 256
#: How long running jobs have to hear a stop; the worker promises two seconds in all.
_STOP_S = 1.2

log = structlog.get_logger()


class Crew:
    """`start`, and `end` once. `held` is what the heartbeat keeps alive."""

    def __init__(
        self,
        size: int,
        taking: Taking,
        availability: Availability,
        executor: Executor,
        settler: GroupSettler,
        interrupts: Interrupts,
        meter: Meter,
        *,
        worker_id: str,
        stage_timeout_s: float,
        max_crashes: int,
    ) -> None:
        self._taking = taking
        self._availability = availability
        self._executor = executor
        self._settler = settler
        self._interrupts = interrupts
        self._meter = meter
        self._worker_id = worker_id
        self._stage_timeout_s = stage_timeout_s
        self._hands = InHand(size, max_crashes=max_crashes)
        self._leaving = threading.Event()
        #: Held by the claimer that asks Redis.
        self._asking = threading.Lock()
        self._counting = threading.Lock()
        self._looked_in_vain = False
        self.jobs_done = 0
        self._claimers = [_thread(self._claim_jobs, f"crew-claimer-{n}") for n in range(2)]
        self._threads = [
            *(_thread(self._settle_jobs, f"crew-settler-{n}") for n in range(2)),
            *(_thread(self._run_jobs, f"crew-{n}") for n in range(size)),
        ]

    @property
    def running(self) -> int:
        """How many jobs are in hand."""
        return len(self._hands)

    @property
    def is_idle(self) -> bool:
        """Nothing in hand, and nothing was there at the last look."""
        return self._hands.is_empty and self._looked_in_vain

    @property
    def is_waited_for(self) -> bool:
        """Nothing is to be begun beside what is in hand: see runtime/in_hand.py."""
        return self._hands.is_waited_for

    def admit(self, record: JobRecord) -> bool:
        """Whether the main loop may run this job now; then `dismiss` must follow."""
        return self._hands.admit(record)

    def dismiss(self) -> None:
        """The main loop's job is over."""
        self._hands.dismiss()

    def held(self) -> list[tuple[Lease, Interrupts]]:
        """The leases to be renewed, and whom to tell when one cannot be."""
        return [(hand.lease, hand.interrupts) for hand in self._hands.all()]

    def jobs(self) -> list[str]:
        """The ids of the jobs in hand, the longest held first."""
        return [hand.record.id for hand in self._hands.all()]

    def start(self) -> None:
        """Begin to take jobs."""
        self._taking.look_at_epoch()
        for thread in (*self._claimers, *self._threads):
            thread.start()

    def end(self) -> None:
        """Hand back what runs, and leave; a thread that does not listen ends with the process."""
        self._leaving.set()
        self._hands.return_unbegun()
        for hand in self._hands.all():
            hand.interrupts.stop(self._interrupts.stop_signal or signal.SIGTERM)
        self._hands.await_empty(_STOP_S)
        deaf = self._hands.all()
        self._settler.settle(
            [Ended(hand.record, hand.lease, Outcome.handed_back()) for hand in deaf]
        )
        for hand in deaf:
            # Its thread goes on for the moment that is left, and may write nothing any more.
            hand.lease.lost = True
        self._hands.leave(len(self._threads))
        for thread in self._claimers:
            if thread.is_alive():
                thread.join(timeout=2)
        self._taking.give_back_popped()

    def _claim_jobs(self) -> None:
        """Done by two threads: one asks Redis while the other claims the rows of what it got."""
        while not self._leaving.is_set():
            try:
                with self._asking:
                    claims = self._next_claims()
                if claims:
                    self._take(claims)
            except Exception:
                # A fault with one claim must not end the crew: its lease lapses.
                log.exception(Event.CREW_FAILED)
                self._leaving.wait(_TICK_S)

    def _next_claims(self) -> list[Claim]:
        """What Redis hands over; [] for nothing, or where nothing is wanted now."""
        self._hands.return_overdue()
        if not self._interrupts.may_claim:
            self._taking.give_back_popped()
            self._leaving.wait(_TICK_S)
            return []
        free = self._hands.await_place()
        if not free:
            self._taking.give_back_popped()
            return []
        claims: list[Claim] = []
        try:
            if self._availability.database_answers():
                claims = self._ask(min(free, _GROUP))
        except QueueUnavailable as error:
            self._availability.redis_failed(error)
        except StoreUnavailable as error:
            self._availability.database_failed(error)
        finally:
            self._hands.coming(len(claims))
        return claims

    def _ask(self, most: int) -> list[Claim]:
        found = self._taking.next(wait=True)
        if self._availability.redis_answered():
            self._taking.look_at_epoch()
        if isinstance(found, RawEntry):
            self._taking.adopt(found)
        if not isinstance(found, Claim):
            self._looked_in_vain = found is None
            return []
        self._looked_in_vain = False
        if most == 1:
            return [found]
        return [found, *self._taking.claims.more(self._taking.epoch, found.queue, most - 1)]

    def _take(self, claims: list[Claim]) -> None:
        """Claim the rows, and hand the jobs over."""
        waited = {claim.job_id: claim.waited_s for claim in claims}
        try:
            taken = self._taking.take_all(claims)
            begun, returned = self._hands.sort(taken, len(claims))
            self._settler.settle(
                [Ended(job.record, job.lease, Outcome.returned()) for job in reversed(returned)]
            )
            for job in returned:
                self._taking.done(job.lease.claim)
            for job in begun:
                if self._hands.is_suspect(job.record):
                    with suppress(QueueUnavailable):
                        job.lease.renew()  # it may have waited for a second
                interrupts = ThreadInterrupts(stage_timeout_s=self._stage_timeout_s)
                waited_s = waited[job.record.id]
                self._hands.begin(Hand(job.record, job.lease, waited_s, interrupts))
        except LeaseLost:
            return
        except QueueUnavailable as error:
            with self._asking:
                self._availability.redis_failed(error)
        except StoreUnavailable as error:
            with self._asking:
                with suppress(QueueUnavailable):  # their leases lapse then
                    for claim in claims:
                        self._taking.give_back(claim)  # uncounted: its row never knew
                self._availability.database_failed(error)
        finally:
            self._hands.arrived(len(claims))

    def _run_jobs(self) -> None:
        structlog.contextvars.bind_contextvars(worker_id=self._worker_id)
        while (hand := self._hands.next()) is not None:
            hand.begun_at = time.monotonic()
            try:
                hand.outcome = self._run(hand)
            except Poke:
                hand.outcome = Outcome.handed_back()  # it came a moment too late to mean more
            hand.ended_at = time.monotonic()
            self._hands.ended(hand)

    def _run(self, hand: Hand) -> Outcome:
        if self._leaving.is_set():
            return Outcome.returned()
        record = hand.record
        hand.interrupts.adopt()
        before = structlog.contextvars.bind_contextvars(job_id=record.id)
        try:
            log.info(
                Event.JOB_PROCESSING_STARTED,
                queue=record.queue,
                kind=record.kind,
                generation=record.generation,
                crashes=record.crashes,
            )
            self._meter.job_started(record, hand.waited_s)
            return self._executor.run(record, hand.lease, hand.interrupts)
        finally:
            structlog.contextvars.reset_contextvars(**before)

    def _settle_jobs(self) -> None:
        structlog.contextvars.bind_contextvars(worker_id=self._worker_id)
        while (hands := self._hands.next_ended(_GROUP)) is not None:
            try:
                self._settler.settle(
                    [Ended(hand.record, hand.lease, hand.outcome) for hand in hands if hand.outcome]
                )
            except Exception:
                log.exception(Event.CREW_FAILED)  # their leases lapse
            for hand in hands:
                self._taking.done(hand.lease.claim)
            run = self._hands.settled(hands)
            with self._counting:
                self.jobs_done += run


def _thread(target: Callable[[], None], name: str) -> threading.Thread:
    return threading.Thread(target=target, name=name, daemon=True)
