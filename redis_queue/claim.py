"""Claims: how one worker comes to hold jobs."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from redis_queue import keys, scripts
from redis_queue.connection import BLOCK_S, Client, translated
from redis_queue.messages import decode_hash

#: Jobs that one script may claim or end: it holds Redis up for some 30 us each.
MOST_AT_ONCE = 100
#: How long a script's answer is kept for a caller whose reply was lost, in s.
ANSWER_TTL_S = 60


@dataclass
class Claim:
    """A held job: what identifies the hold."""

    job_id: str
    fence: int
    instance: str
    queue: str
    #: How long it was in its queue, by Redis's clock; a job handed back keeps its place.
    waited_s: float
    #: Gives the job's hash, which its holder puts back where Redis was wiped. Asked for only then,
    #: and when a lease is renewed: most jobs are over before anybody does.
    describe: Callable[[], dict[str, str]] = field(default=dict, repr=False)

    @property
    def fields(self) -> dict[str, str]:
        """The hash as text; {} where only Redis has it."""
        return self.describe()


@dataclass(frozen=True)
class RawEntry:
    """An entry that is no id of ours: a foreign producer's payload, to be adopted."""

    entry: bytes


@dataclass(frozen=True)
class Wiped:
    """Redis is not the one this worker knew: look at the epoch before claiming."""


class Claims:
    """One worker's way to jobs. Not thread-safe: the main loop owns it."""

    def __init__(
        self, client: Client, *, worker: str, instance: str, queues: Sequence[str], lease_s: float
    ) -> None:
        self._client = client
        self._worker = worker
        self._instance = instance
        self._queues = list(queues)
        #: By queue: until when (monotonic) this worker leaves it alone.
        self._closed: dict[str, float] = {}
        #: The queues that were paused when a claim found nothing last.
        self._paused: frozenset[str] = frozenset()
        self._lease_ms = round(lease_s * 1000)
        self._operation = uuid.uuid4().hex

    def next(self, epoch: str, popped: bytes = b"") -> Claim | RawEntry | Wiped | None:
        """Claim the next waiting job, or the one that BLPOP handed over; None: nothing waits.

        After QueueUnavailable, a repeated call returns what the lost reply said.
        """
        while True:
            if not popped and not self._open():
                return None
            reply = scripts.run(self._client, *self.command(epoch, popped))
            found = self.interpret(reply)
            if reply[0] not in (b"more", b"paused"):
                return found
            popped = b""

    def command(
        self, epoch: str, popped: bytes = b"", after: str = ""
    ) -> tuple[str, list[str], list[Any]]:
        """The claim as a script call, so that a settle can carry it in the same round trip."""
        served = self._open() or self._queues
        fixed = [keys.EPOCH, keys.TURN, keys.LEDGER, keys.LEASES, keys.RAW]
        answers = [keys.answer(self._operation), keys.answer(after or self._operation)]
        args = [epoch, self._worker, self._instance, self._lease_ms, popped, ANSWER_TTL_S]
        return (
            "claim",
            [*fixed, *answers, keys.JOB_PREFIX, keys.PAUSED, *map(keys.list_of, served)],
            [*args, "1" if after else "0", *served],
        )

    def more(self, epoch: str, queue: str, most: int) -> list[Claim]:
        """Claim up to so many more of a queue, in one round trip. Raises QueueUnavailable."""
        names = [keys.EPOCH, keys.LEDGER, keys.LEASES, keys.PAUSED, keys.list_of(queue)]
        args = [epoch, self._worker, self._instance, self._lease_ms]
        calls: list[scripts.Call] = [
            (
                "claim_more",
                [*names, keys.JOB_PREFIX],
                [*args, min(most - done, MOST_AT_ONCE), queue],
            )
            for done in range(0, most, MOST_AT_ONCE)
        ]
        parts = scripts.run_all(self._client, calls)
        found = [row for part in parts for row in zip(*[iter(part)] * 3, strict=True)]
        return [
            Claim(job_id.decode(), int(fence), self._instance, queue, waited_ms / 1000)
            for job_id, fence, waited_ms in found
        ]

    def close(self, queue: str, seconds: float) -> None:
        """Leave a queue alone for a while: its places are all taken."""
        self._closed[queue] = time.monotonic() + seconds

    def _open(self) -> list[str]:
        """The queues that are not closed, in order of preference."""
        if self._closed:
            now = time.monotonic()
            self._closed = {name: until for name, until in self._closed.items() if until > now}
        return [queue for queue in self._queues if queue not in self._closed]

    def interpret(self, reply: list[bytes]) -> Claim | RawEntry | Wiped | None:
        """The script's reply as what it means; the next claim is a new operation."""
        code = reply[0]
        if code == b"job":
            self._operation = uuid.uuid4().hex
            return self._claimed(reply[1].decode(), int(reply[2]), decode_hash(reply[3:]))
        if code == b"raw":
            self._operation = uuid.uuid4().hex
            return RawEntry(reply[1])
        if code == b"paused":
            self._put_back(reply[1].decode(), reply[2])
        if code == b"empty":
            self._paused = frozenset(name.decode() for name in reply[1:])
        return Wiped() if code == b"epoch" else None

    def _claimed(self, job_id: str, fence: int, fields: dict[str, str]) -> Claim:
        claimed_ms = float(fields["updated_ms"])
        waited_ms = max(0.0, claimed_ms - float(fields.get("enqueued_ms") or claimed_ms))
        queue = fields.get("queue") or "video"
        return Claim(job_id, fence, self._instance, queue, waited_ms / 1000, lambda: fields)

    def wait(self) -> tuple[str, bytes] | None:
        """Block up to a second for an entry: (list, entry). Claim what comes at once.

        At a paused queue's list nobody waits: what came there would go back and forth.
        """
        lists = [keys.list_of(queue) for queue in self._open() if queue not in self._paused]
        with translated():
            popped = self._client.blpop(lists or [keys.NOTHING], timeout=BLOCK_S)
        return (popped[0].decode(), popped[1]) if popped else None

    def _put_back(self, queue: str, entry: bytes) -> None:
        """A worker that waits when its queue is paused is handed an entry all the same."""
        with translated():
            pipe = self._client.pipeline(transaction=True)
            # Removed first, so that a repeat after a lost reply doubles nothing.
            pipe.lrem(keys.list_of(queue), 1, entry)
            pipe.lpush(keys.list_of(queue), entry)
            pipe.execute()

    def give_back(self, popped: tuple[str, bytes]) -> None:
        """An entry that arrived after the stop goes back to the front of its list, unclaimed."""
        with translated():
            self._client.lpush(*popped)
