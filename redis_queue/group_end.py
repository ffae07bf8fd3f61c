"""How many jobs that one worker holds leave its hands, in one round trip."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from redis_queue import keys, scripts
from redis_queue.claim import ANSWER_TTL_S, MOST_AT_ONCE, Claim
from redis_queue.connection import Client
from redis_queue.hold import requeueing
from redis_queue.messages import success_message

#: Stands where a script puts an id.
_ID = "<id>"


@dataclass(frozen=True)
class Leaving:
    """A held job that goes back, and what its subscribers are told."""

    claim: Claim
    message: str


class Completion:
    """The end of one worker's jobs that have succeeded."""

    def __init__(
        self, client: Client, ended: Sequence[Claim], *, worker_id: str, final_ttl_s: int
    ) -> None:
        self._client = client
        self._calls = [
            _completing(ended[start : start + MOST_AT_ONCE], worker_id, final_ttl_s)
            for start in range(0, len(ended), MOST_AT_ONCE)
        ]

    def run(self) -> list[bool]:
        """Which of them were still held. Raises QueueUnavailable; repeating it is harmless."""
        parts = scripts.run_all(self._client, self._calls)
        return [bool(settled) for part in parts for settled in part]


def _completing(part: Sequence[Claim], worker_id: str, final_ttl_s: int) -> scripts.Call:
    names = [keys.LEASES, keys.EVENTS, keys.answer(uuid.uuid4().hex)]
    args: list[Any] = [part[0].instance, final_ttl_s, keys.PROGRESS_CHANNEL, ANSWER_TTL_S]
    args += success_message(_ID, worker_id).split(_ID, 1)
    for claim in part:
        args += (claim.job_id, claim.fence)
    return ("complete_many", [*names, keys.JOB_PREFIX], args)


def hand_back(client: Client, returned: Sequence[Leaving]) -> None:
    """Jobs that were claimed and never begun go to the front of their lists, one after the other,
    each with its next fence: the last one given is claimed first. Raises QueueUnavailable;
    repeating it is harmless."""
    calls = [
        requeueing(
            each.claim.job_id,
            queue=each.claim.queue,
            held_fence=each.claim.fence,
            instance=each.claim.instance,
            new_fence=each.claim.fence + 1,
            message=each.message,
        )
        for each in returned
    ]
    if calls:
        scripts.run_all(client, calls)
