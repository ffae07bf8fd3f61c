"""The jobs that a crew has in hand, from their claim until they are settled.

    coming  claimed in Redis, their rows not yet
    ready   held, and no thread has come to them
    over    run, or given back; not yet settled

A suspect is a job whose workers died so often that one more death makes it poison. It is run alone:
those that only happened to be beside such a one are not taken for it. So one that is claimed while
others run goes back at once, nothing more is claimed until they are over, and then one by itself.
Whoever asks Redis meanwhile is waited for, and what it brings goes back. The main loop's job counts
as a neighbour: it asks by `admit` before it runs one.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Protocol, TypeVar

from jobs.outcome import Outcome
from runtime.lease import Lease
from runtime.places import IMPATIENT_S, Places
from runtime.thread_interrupts import ThreadInterrupts
from store.records import JobRecord

#: A job that no thread has come to for so long goes back: twice what is claimed ahead.
_PATIENCE_S = 2 * IMPATIENT_S
_TICK_S = 0.1
#: Whoever asks Redis does so for a second at most; what it brings goes back at once.
_NEIGHBOURS_S = 3.0


class HasRecord(Protocol):
    """A job whose row is ours."""

    @property
    def record(self) -> JobRecord:
        """The row."""


_Job = TypeVar("_Job", bound=HasRecord)


@dataclass(eq=False)
class Hand:
    """A job in hand, and how to reach the thread that runs it."""

    record: JobRecord
    lease: Lease
    waited_s: float
    interrupts: ThreadInterrupts
    outcome: Outcome | None = None
    taken_at: float = field(default_factory=time.monotonic)
    begun_at: float | None = None
    ended_at: float = 0.0


class InHand:
    """Shared by all threads of a crew."""

    def __init__(self, size: int, *, max_crashes: int) -> None:
        self._places = Places(size)
        self._max_crashes = max_crashes
        self._held: dict[str, Hand] = {}
        self._coming = 0
        self._changed = threading.Condition()
        self._ready: SimpleQueue[Hand | None] = SimpleQueue()
        self._over: SimpleQueue[Hand | None] = SimpleQueue()
        #: Hands are to become empty, for a suspect; they are, and one has them to itself.
        self._draining = False
        self._reserved = False
        #: Claimers that ask for jobs at this moment.
        self._asking = 0
        #: The main loop runs a job; until when (monotonic) it wants hands empty, for a suspect.
        self._beside = False
        self._wanted_until = 0.0

    def __len__(self) -> int:
        return len(self._held)

    @property
    def is_empty(self) -> bool:
        """Nothing is held, and nothing is coming."""
        return not self._held and not self._coming

    @property
    def is_waited_for(self) -> bool:
        """A suspect here has the process to itself, or is to have it."""
        return self._reserved or self._draining

    def admit(self, record: JobRecord) -> bool:
        """Whether the main loop may run this job now; then `dismiss` must follow.

        A suspect is admitted into empty hands alone; for a moment nothing more is claimed then.
        """
        with self._changed:
            if self.is_waited_for:
                return False
            if self.is_suspect(record):
                if self._asking or not self.is_empty:
                    self._wanted_until = time.monotonic() + _NEIGHBOURS_S
                    return False
                self._reserved = True
            self._beside = True
            self._wanted_until = 0.0
            return True

    def dismiss(self) -> None:
        """The main loop's job is over."""
        with self._changed:
            self._beside = self._reserved = False
            self._changed.notify_all()

    def all(self) -> list[Hand]:
        """What is held, the longest held first."""
        with self._changed:
            return list(self._held.values())

    def await_place(self) -> int:
        """How many more jobs may be claimed, waiting a moment for places.

        Unless that is 0, `coming` must be called next.
        """
        with self._changed:
            self._changed.wait_for(self._is_claiming_worth_while, timeout=_TICK_S)
            free = self._places.free(self._count())
            if self._draining:
                free = int(self.is_empty and not self._asking and not self._beside)
            if self._reserved or time.monotonic() < self._wanted_until:
                free = 0
            self._asking += free > 0
            return free

    def coming(self, number: int) -> None:
        """So many were claimed in Redis; `arrived` is told when their rows were tried."""
        with self._changed:
            self._asking -= 1
            self._coming += number
            if self.is_empty:
                self._draining = False  # whom that was for is elsewhere by now
            self._changed.notify_all()

    def arrived(self, number: int) -> None:
        """See `coming`."""
        with self._changed:
            self._coming -= number
            self._reserved = self._reserved and not self.is_empty
            self._changed.notify_all()

    def sort(self, taken: Sequence[_Job], coming: int) -> tuple[list[_Job], list[_Job]]:
        """Of `coming` jobs those whose rows are ours: (to be begun, to be given back first)."""
        with self._changed:
            if self._reserved:
                return [], list(taken)
            suspects = [job for job in taken if self.is_suspect(job.record)]
            if not suspects:
                return list(taken), []
            if self._reserve(coming):
                return suspects[:1], [job for job in taken if job is not suspects[0]]
            self._draining = True
        return [job for job in taken if job not in suspects], suspects

    def is_suspect(self, record: JobRecord) -> bool:
        """Whether one more death of a worker under this job makes it poison."""
        return record.crashes >= max(1, self._max_crashes)

    def begin(self, hand: Hand) -> None:
        """Held now, for the next thread that is free."""
        with self._changed:
            if not self._held:
                self._places.begin()
                self._draining = False
            self._held[hand.record.id] = hand
        self._ready.put(hand)

    def next(self) -> Hand | None:
        """The next job for a thread to run, when there is one; None: leave."""
        return self._ready.get()

    def ended(self, hand: Hand) -> None:
        """The job was run, or is not to be; its outcome says so."""
        self._over.put(hand)

    def next_ended(self, most: int) -> list[Hand] | None:
        """What has ended, when something has, as far as it is still held; None: leave."""
        first = self._over.get()
        if first is None:
            return None
        hands = [first, *_drained(self._over, most - 1)]
        return [hand for hand in hands if hand.record.id in self._held]

    def settled(self, hands: list[Hand]) -> int:
        """Their places are free again; returns how many of them were run."""
        ran_s = [hand.ended_at - hand.begun_at for hand in hands if hand.begun_at is not None]
        with self._changed:
            for hand in hands:
                self._held.pop(hand.record.id, None)
                self._reserved = self._reserved and not self.is_suspect(hand.record)
            self._places.ended(ran_s)
            self._changed.notify_all()
        return len(ran_s)

    def return_overdue(self) -> None:
        """Jobs that were claimed ahead, and no thread has come to: others may have them."""
        if not self._ready.qsize():
            return
        since = [hand.taken_at for hand in self.all() if hand.begun_at is None]
        if since and time.monotonic() - min(since) >= _PATIENCE_S:
            with self._changed:
                self._places.ended([])
            self.return_unbegun()

    def return_unbegun(self) -> None:
        """All that no thread has come to goes back."""
        # Each goes to the front of its list: the last one first keeps them in order.
        for hand in reversed(_drained(self._ready, self._ready.qsize())):
            hand.outcome = Outcome.returned()
            self._over.put(hand)

    def await_empty(self, seconds: float) -> None:
        """Until nothing is in hand, but no longer."""
        with self._changed:
            self._changed.wait_for(lambda: self.is_empty, timeout=seconds)

    def leave(self, threads: int) -> None:
        """Every thread that waits for something to run or to settle is let go."""
        for _ in range(threads):
            self._ready.put(None)
            self._over.put(None)

    def _is_claiming_worth_while(self) -> bool:
        if self._reserved or self._draining:
            return not self._reserved and self.is_empty and not self._beside
        return self._places.are_enough(self._count())

    def _reserve(self, coming: int) -> bool:
        """Whether nothing but these is in hand, or can come; then nothing does."""
        if self._held or self._beside:
            return False
        self._reserved = True  # what comes meanwhile goes back
        self._changed.wait_for(lambda: self._held or self._are_all(coming), timeout=_NEIGHBOURS_S)
        self._reserved = not self._held and self._are_all(coming)
        return self._reserved

    def _are_all(self, coming: int) -> bool:
        return not self._asking and self._coming == coming

    def _count(self) -> int:
        return len(self._held) + self._coming


def _drained(hands: SimpleQueue[Hand | None], most: int) -> list[Hand]:
    """What is there at once, up to `most` and up to the mark of the end."""
    found: list[Hand] = []
    with suppress(Empty):
        while len(found) < most and (hand := hands.get_nowait()) is not None:
            found.append(hand)
    return found
