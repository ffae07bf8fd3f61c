"""Writes many outcomes down at once: the rows in one statement, then the queue in one round trip.

Successes go as a group, and so do jobs that go back unbegun; every other ending goes the way of
runtime/settle.py, one by one.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

import structlog

from errors import LeaseLost, QueueUnavailable, StoreUnavailable
from jobs.outcome import Outcome
from jobs.states import JobState
from redis_queue.connection import Client
from redis_queue.group_end import Completion, Leaving, hand_back
from runtime.interrupts import Interrupts
from runtime.lease import Lease
from runtime.settle import Settler, result_until
from store.groups import Finish, JobGroups
from store.records import JobRecord

_PAUSE_S = 0.2
#: A stopping worker waits this long for the database, then lets the leases lapse.
_STOPPING_S = 1.0
_UNBEGUN = Outcome.returned()

_Value = TypeVar("_Value")


@dataclass(frozen=True)
class Ended:
    """A job that was run, and how that ended."""

    record: JobRecord
    lease: Lease
    outcome: Outcome


class GroupSettler:
    """Ends what a crew holds. Owned by one thread at a time."""

    def __init__(
        self,
        groups: JobGroups,
        client: Client,
        interrupts: Interrupts,
        one: Settler,
        *,
        worker_id: str,
        final_ttl_s: int,
    ) -> None:
        self._groups = groups
        self._client = client
        self._interrupts = interrupts
        self._one = one
        self._worker_id = worker_id
        self._final_ttl_s = final_ttl_s

    def settle(self, ended: Sequence[Ended]) -> None:
        """Write all of them. Never raises for what is away: then the leases lapse."""
        done = [each for each in ended if each.outcome.state == JobState.COMPLETED]
        back = [each for each in ended if each.outcome == _UNBEGUN]
        ends = self._written(done, lambda held: self._groups.complete(_finishes(held)))
        left = self._written(back, lambda held: self._groups.hand_back(list(map(_pair, held))))
        for each in ended:
            if each.record.id not in ends and each.record.id not in left:
                self._alone(each)
        self._complete(
            [
                (
                    each,
                    each.record.changed(
                        state=JobState.COMPLETED,
                        progress=100,
                        error=None,
                        stage=None,
                        result=each.outcome.result,
                        finished_at=ends[each.record.id],
                    ),
                )
                for each in done
                if each.record.id in ends
            ]
        )
        self._hand_back(
            [
                (each, each.record.changed(state=JobState.PENDING, fence=left[each.record.id]))
                for each in back
                if each.record.id in left
            ]
        )

    def _complete(self, told: Sequence[tuple[Ended, JobRecord]]) -> None:
        for each, row in told:
            self._one.announce(row, each.outcome)
        completion = Completion(
            self._client,
            [each.lease.claim for each, _ in told],
            worker_id=self._worker_id,
            final_ttl_s=self._final_ttl_s,
        )
        with suppress(QueueUnavailable):  # the leases lapse, and the reaper mirrors the rows
            for (_, row), was_held in zip(told, _twice(completion.run), strict=True):
                if not was_held:  # Redis was wiped under us, and the row is the record
                    self._one.mirror(row)

    def _hand_back(self, told: Sequence[tuple[Ended, JobRecord]]) -> None:
        for each, row in told:
            self._one.announce(row, each.outcome)
        leaving = [Leaving(each.lease.claim, self._one.message(row)) for each, row in told]
        with suppress(QueueUnavailable):  # as above
            _twice(lambda: hand_back(self._client, leaving))

    def _written(
        self, ended: Sequence[Ended], write: Callable[[list[Ended]], dict[str, _Value]]
    ) -> dict[str, _Value]:
        """What the write of those that are still held returns, once the database answers."""
        stop_seen: float | None = None
        while True:
            held = [each for each in ended if _is_held(each.lease)]
            if not held:
                return {}
            try:
                return write(held)
            except StoreUnavailable:
                if self._interrupts.stopping:
                    stop_seen = stop_seen or time.monotonic()
                    if time.monotonic() - stop_seen > _STOPPING_S:
                        return {}
                time.sleep(_PAUSE_S)

    def _alone(self, each: Ended) -> None:
        with structlog.contextvars.bound_contextvars(job_id=each.record.id):
            self._one.settle(each.record, each.lease, each.outcome, None, "")


def _twice(tell: Callable[[], _Value]) -> _Value:
    """Again where a connection was cut: it is made anew."""
    try:
        return tell()
    except QueueUnavailable:
        return tell()


def _is_held(lease: Lease) -> bool:
    try:
        lease.check()
    except LeaseLost:
        return False
    return True


def _pair(each: Ended) -> tuple[str, int]:
    return each.record.id, each.lease.claim.fence


def _finishes(ended: Sequence[Ended]) -> list[Finish]:
    untils = {ttl_s: result_until(ttl_s) for ttl_s in {each.outcome.result_ttl_s for each in ended}}
    return [
        Finish(
            *_pair(each),
            each.outcome.text or json.dumps(each.outcome.result, ensure_ascii=False),
            untils[each.outcome.result_ttl_s],
        )
        for each in ended
    ]
