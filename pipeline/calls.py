"""Paid calls in two phases, so that a crash at any point does not pay twice.

 1. `begin` writes the intent, before anything is sent;
 2. `submitted` writes the provider's own id, as soon as it answers;
 3. `finished` writes what came back and what it cost.

After a crash `begin` returns the open call as it was left: with a remote id, re-attach; without
one, look it up at the provider where its API lets you; only then start anew.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol

from pipeline.stage import Json

#: `doubtful`: a crash left the call between request and answer, and the provider cannot be
#: asked whether it ran. It is recorded, shown and counted as spent.
CallState = Literal["intent", "submitted", "finished", "failed", "doubtful"]


@dataclass(frozen=True)
class Call:
    """One paid call. Money is in micro-dollars, an integer: a cent is 10,000."""

    id: str
    provider: str
    #: SHA-256 of what was asked, so that an equal question finds this call again.
    request_hash: str
    state: CallState
    #: Seconds since the epoch, UTC, of the intent: where a look-up at the provider begins.
    begun_at: float
    remote_id: str | None = None
    estimate_microusd: int = 0
    cost_microusd: int | None = None
    usage: Json = field(default_factory=dict)
    #: What a finished call answered, when it is small JSON; None if it is a file.
    answer: Json | None = None
    #: True where `begin` found the call of an earlier try: an intent may have been sent then.
    resumed: bool = False


class Calls(Protocol):
    """The record of a stage's paid calls. Every write raises LeaseLost once the job is not ours."""

    def begin(self, provider: str, request_hash: str, *, estimate_microusd: int) -> Call:
        """Write the intent, or return the call of an earlier try as it was left.

        A call that failed is not returned: the next begin is a new one. Raises ProviderRefused
        when the estimate would break the job's, the tenant's or the day's cap.
        """

    def submitted(self, call: Call, remote_id: str) -> Call:
        """The provider answered with its id; from now on a crash re-attaches."""

    def finished(
        self, call: Call, *, cost_microusd: int, usage: Json, answer: Json | None = None
    ) -> Call:
        """The result is here, and what it cost."""

    def failed(self, call: Call, reason: str, *, cost_microusd: int = 0) -> Call:
        """The call came to nothing; what it cost all the same, if it did."""

    def doubtful(self, call: Call, reason: str) -> Call:
        """Nobody can say whether it ran: counted as spent at its estimate, and shown."""

    def made(self) -> list[Call]:
        """What was asked for this stage's result so far, by whichever job paid for it."""

    def told(self, provider: str, remote_ids: Sequence[str]) -> list[str]:
        """Which of these calls the provider has said to have ended; each is told once.

        Answers at once. A hint: it may be lost, and the provider itself knows what became of it.
        """

    def slot(self, provider: str) -> AbstractContextManager[None]:
        """Hold one of the provider's concurrent places, shared by all workers, within its rate.

        Raises NotNow with `retry_after_s` when the wait would be long or the provider's circuit
        breaker is open. ProviderUnavailable raised inside counts for the breaker; where the
        request was the trial of an open one, NotNow is raised from it.
        """


class CallsInMemory:
    """Calls for running without a worker, and for tests: no caps, no limits, gone at exit."""

    def __init__(self, clock: float = 0.0) -> None:
        self.calls: dict[str, Call] = {}
        self._clock = clock

    def begin(self, provider: str, request_hash: str, *, estimate_microusd: int) -> Call:
        for call in self.calls.values():
            known = (call.provider, call.request_hash) == (provider, request_hash)
            if known and call.state in ("intent", "submitted", "finished"):
                return replace(call, resumed=True)
        call = Call(
            uuid.uuid4().hex,
            provider,
            request_hash,
            "intent",
            self._clock,
            estimate_microusd=estimate_microusd,
        )
        return self._keep(call)

    def submitted(self, call: Call, remote_id: str) -> Call:
        return self._keep(replace(call, state="submitted", remote_id=remote_id))

    def finished(
        self, call: Call, *, cost_microusd: int, usage: Json, answer: Json | None = None
    ) -> Call:
        done = replace(call, state="finished", cost_microusd=cost_microusd, usage=usage)
        return self._keep(replace(done, answer=answer))

    def failed(self, call: Call, reason: str, *, cost_microusd: int = 0) -> Call:
        return self._keep(replace(call, state="failed", cost_microusd=cost_microusd))

    def doubtful(self, call: Call, reason: str) -> Call:
        return self._keep(replace(call, state="doubtful", cost_microusd=call.estimate_microusd))

    def made(self) -> list[Call]:
        return list(self.calls.values())

    def told(self, provider: str, remote_ids: Sequence[str]) -> list[str]:
        return []

    def slot(self, provider: str) -> AbstractContextManager[None]:
        return nullcontext()

    def _keep(self, call: Call) -> Call:
        self.calls[call.id] = call
        return call
