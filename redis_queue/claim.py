"""Claims: how one worker comes to hold one job, and keeps holding it."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from redis_queue import keys, scripts
from redis_queue.connection import BLOCK_S, Client, translated
from redis_queue.messages import decode_hash

#: How long a script's answer is kept for a caller whose reply was lost, in s.
ANSWER_TTL_S = 60


@dataclass(frozen=True)
class Claim:
    """A held job: what identifies the hold, and the job's hash as it was claimed."""

    job_id: str
    fence: int
    instance: str
    fields: dict[str, str] = field(repr=False)

    @property
    def queue(self) -> str:
        return self.fields.get("queue", "video")

    @property
    def waited_s(self) -> float:
        """How long it was in its queue, by Redis's clock; a job handed back keeps its place."""
        claimed_ms = float(self.fields.get("updated_ms") or 0)
        return max(0.0, claimed_ms - float(self.fields.get("enqueued_ms") or claimed_ms)) / 1000


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
        self._lists = [keys.list_of(queue) for queue in queues]
        #: The queues that were paused when a claim found nothing last.
        self._paused: frozenset[str] = frozenset()
        self._lease_ms = round(lease_s * 1000)
        self._operation = uuid.uuid4().hex

    def next(self, epoch: str, popped: bytes = b"") -> Claim | RawEntry | Wiped | None:
        """Claim the next waiting job, or the one that BLPOP handed over; None: nothing waits.

        After QueueUnavailable, a repeated call returns what the lost reply said.
        """
        while True:
            reply = scripts.run(self._client, *self.command(epoch, popped))
            found = self.interpret(reply)
            if reply[0] not in (b"more", b"paused"):
                return found
            popped = b""

    def command(
        self, epoch: str, popped: bytes = b"", after: str = ""
    ) -> tuple[str, list[str], list[Any]]:
        """The claim as a script call, so that a settle can carry it in the same round trip."""
        fixed = [keys.EPOCH, keys.TURN, keys.LEDGER, keys.LEASES, keys.RAW]
        answers = [keys.answer(self._operation), keys.answer(after or self._operation)]
        args = [epoch, self._worker, self._instance, self._lease_ms, popped, ANSWER_TTL_S]
        return (
            "claim",
            [*fixed, *answers, keys.JOB_PREFIX, keys.PAUSED, *self._lists],
            [*args, "1" if after else "0", *self._queues],
        )

    def interpret(self, reply: list[bytes]) -> Claim | RawEntry | Wiped | None:
        """The script's reply as what it means; the next claim is a new operation."""
        code = reply[0]
        if code == b"job":
            self._operation = uuid.uuid4().hex
            return Claim(reply[1].decode(), int(reply[2]), self._instance, decode_hash(reply[3:]))
        if code == b"raw":
            self._operation = uuid.uuid4().hex
            return RawEntry(reply[1])
        if code == b"paused":
            self._put_back(reply[1].decode(), reply[2])
        if code == b"empty":
            self._paused = frozenset(name.decode() for name in reply[1:])
        return Wiped() if code == b"epoch" else None

    def wait(self) -> tuple[str, bytes] | None:
        """Block up to a second for an entry: (list, entry). Claim what comes at once.

        At a paused queue's list nobody waits: what came there would go back and forth.
        """
        lists = [keys.list_of(queue) for queue in self._queues if queue not in self._paused]
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


class Holder:
    """What the holder of one job may do with it: renew, tell progress, end it, give it back."""

    def __init__(self, client: Client, claim: Claim, *, lease_s: float, final_ttl_s: int) -> None:
        self._client = client
        self.claim = claim
        self._lease_ms = round(lease_s * 1000)
        self._final_ttl_s = final_ttl_s
        self._operation = uuid.uuid4().hex

    def renew(self, *, stopping: bool = False) -> tuple[bool, bool]:
        """Prolong the lease; returns (still mine, cancellation asked for)."""
        claim = self.claim
        flat: list[str] = []
        for name, value in claim.fields.items():
            if name not in ("job_id", "status", "fence", "instance", "updated_ms"):
                flat += [name, value]
        reply = scripts.run(
            self._client,
            "renew",
            [keys.job(claim.job_id), keys.LEASES],
            [claim.job_id, claim.fence, claim.instance, self._lease_ms, int(stopping), *flat],
        )
        return (True, reply[1] == b"1") if reply[0] == 1 else (False, False)

    def peek(self) -> tuple[bool, bool]:
        """(Still mine, cancellation asked for), read without renewing."""
        with translated():
            fence, instance, cancel = self._client.hmget(
                keys.job(self.claim.job_id), "fence", "instance", "cancel"
            )
        if fence is None:
            return True, False  # wiped: the next renewal decides
        mine = int(fence) == self.claim.fence and instance == self.claim.instance.encode()
        return mine, cancel == b"1"

    def progress(self, stage: str, percent: int, message: str) -> bool:
        """Record and publish progress; False: another holds the job."""
        job_id = self.claim.job_id
        return bool(
            scripts.run(
                self._client,
                "progress",
                [keys.job(job_id), keys.events(job_id), keys.EVENTS],
                [
                    *(self.claim.fence, self.claim.instance, stage, percent, message),
                    *(keys.channel(job_id), EVENTS_KEPT, self._final_ttl_s),
                ],
            )
        )

    def settle(
        self, state: str, *, error: str, percent: int, message: str, then: Claims | None, epoch: str
    ) -> tuple[bool, Claim | RawEntry | Wiped | None]:
        """End the job and, with `then`, claim the next one in the same round trip."""
        job_id, claim = self.claim.job_id, self.claim
        names = [keys.job(job_id), keys.LEASES, keys.events(job_id), keys.answer(self._operation)]
        names.append(keys.EVENTS)
        args = [job_id, claim.fence, claim.instance, state, error, percent, self._final_ttl_s]
        command = ("settle", names, [*args, message, keys.channel(job_id), ANSWER_TTL_S])
        if then is None:
            return bool(scripts.run(self._client, *command)), None
        following = then.command(epoch, after=self._operation)
        settled, reply = scripts.run_both(self._client, command, following)
        return bool(settled), then.interpret(reply)

    def requeue(
        self, *, fence: int, message: str, delay_s: float | None = None, error: str = ""
    ) -> bool:
        """Give the job back to the front of its list, or park it for `delay_s`."""
        return requeue(
            self._client,
            self.claim.job_id,
            queue=self.claim.queue,
            held_fence=self.claim.fence,
            instance=self.claim.instance,
            new_fence=fence,
            delay_s=delay_s,
            error=error,
            message=message,
        )


#: Progress messages kept in a job's event log.
EVENTS_KEPT = 200


def requeue(
    client: Client,
    job_id: str,
    *,
    queue: str,
    held_fence: int,
    instance: str,
    new_fence: int,
    delay_s: float | None,
    error: str,
    message: str,
) -> bool:
    """Take a job from its holder (`instance`, or "" to reap) back into waiting or schedule."""
    state = "pending" if delay_s is None else "scheduled"
    names = [keys.job(job_id), keys.LEASES, keys.list_of(queue), keys.LEDGER, keys.SCHEDULED]
    names += [keys.events(job_id), keys.EVENTS]
    args = [job_id, held_fence, instance, state, round((delay_s or 0) * 1000), new_fence, error]
    return bool(scripts.run(client, "requeue", names, [*args, message, keys.channel(job_id)]))
