"""What the holder of a job may do with it, and how it is taken from one that is gone."""

from __future__ import annotations

from redis_queue import keys, scripts
from redis_queue.claim import ANSWER_TTL_S, Claim, Claims, RawEntry, Wiped
from redis_queue.connection import Client, translated

#: Progress messages kept in a job's event log.
EVENTS_KEPT = 200


class Holder:
    """What the holder of one job may do with it: renew, tell progress, end it, give it back."""

    def __init__(self, client: Client, claim: Claim, *, lease_s: float, final_ttl_s: int) -> None:
        self._client = client
        self.claim = claim
        self._lease_ms = round(lease_s * 1000)
        self._final_ttl_s = final_ttl_s

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
            [keys.job(claim.job_id), keys.LEASES, keys.LEDGER, keys.SCHEDULED],
            [claim.job_id, claim.fence, claim.instance, self._lease_ms, int(stopping), *flat],
        )
        return (True, reply[1] == b"1") if reply[0] == 1 else (False, False)

    def peek(self) -> tuple[bool, bool]:
        """(Still mine, cancellation asked for), read without renewing."""
        with translated():
            fence, instance, cancel = self._client.hmget(
                keys.job(self.claim.job_id), "fence", "instance", "cancel"
            )
        if fence is None or int(fence) < self.claim.fence:
            return True, False  # wiped, or put back from an old row: the next renewal decides
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
        operation = f"{job_id}:{claim.fence}"  # no other hold of any job has this fence
        names = [keys.job(job_id), keys.LEASES, keys.events(job_id), keys.answer(operation)]
        args = [job_id, claim.fence, claim.instance, state, error, percent, self._final_ttl_s]
        args += [message, keys.channel(job_id), ANSWER_TTL_S]
        command: scripts.Call = ("settle", [*names, keys.EVENTS], args)
        if then is None:
            return bool(scripts.run(self._client, *command)), None
        following = then.command(epoch, after=operation)
        # Their own operation ids make a repeat harmless.
        settled, reply = scripts.run_all(self._client, [command, following])
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
    call = requeueing(
        job_id,
        queue=queue,
        held_fence=held_fence,
        instance=instance,
        new_fence=new_fence,
        delay_s=delay_s,
        error=error,
        message=message,
    )
    return bool(scripts.run(client, *call))


def requeueing(
    job_id: str,
    *,
    queue: str,
    held_fence: int,
    instance: str,
    new_fence: int,
    message: str,
    delay_s: float | None = None,
    error: str = "",
) -> scripts.Call:
    """`requeue` as a script call; repeating it is harmless."""
    state = "pending" if delay_s is None else "scheduled"
    names = [keys.job(job_id), keys.LEASES, keys.list_of(queue), keys.LEDGER, keys.SCHEDULED]
    names += [keys.events(job_id), keys.EVENTS]
    args = [job_id, held_fence, instance, state, round((delay_s or 0) * 1000), new_fence, error]
    return ("requeue", names, [*args, message, keys.channel(job_id)])
