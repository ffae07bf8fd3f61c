"""Paid calls of one held job: recorded in two phases, within caps, rates and places."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any, cast

from errors import ProviderRefused
from pipeline.calls import Call, CallState
from pipeline.ports import StageId
from pipeline.stage import Json
from runtime.interrupts import Interrupts
from runtime.lease import Lease
from runtime.patience import Patience
from runtime.provider_limits import ProviderLimits
from runtime.steps import reached
from store.calls import CallOwner, CallRecord, CallStore, CapReached, Caps
from store.records import JobRecord

_CAP_WORDS = {
    "job": "the job's max_cost_usd of ${cap} would be exceeded",
    "day": "today's cap of ${cap} for all jobs is reached; raise COST_CAP_DAY_USD or wait",
    "tenant_day": "today's cap of ${cap} for this tenant is reached; "
    "raise COST_CAP_TENANT_DAY_USD or wait",
}


def microusd(usd: float | None) -> int | None:
    """Dollars as settings and jobs have them, in micro-dollars; None stays None."""
    return None if usd is None else round(usd * 1_000_000)


@dataclass(frozen=True)
class JobCalls:
    """Implements pipeline.calls.Calls for one stage run of a held job."""

    stage: StageId

    store: CallStore
    record: JobRecord
    lease: Lease
    patience: Patience
    interrupts: Interrupts
    limits: ProviderLimits
    caps: Caps
    #: Told of each ended call's provider and cost, in micro-dollars.
    spent: Callable[[str, int], None]

    def begin(self, provider: str, request_hash: str, *, estimate_microusd: int) -> Call:
        """See Calls."""
        call_id = uuid.uuid4().hex
        try:
            with self.interrupts.held():
                record = self.patience(
                    lambda: self.store.begin(
                        self._owner(),
                        provider,
                        request_hash,
                        call_id=call_id,
                        estimate=estimate_microusd,
                        caps=self.caps,
                    ),
                    self.lease,
                )
        except CapReached as error:
            cap = f"{error.cap_microusd / 1e6:.2f}"
            raise ProviderRefused(_CAP_WORDS[error.which].format(cap=cap)) from None
        reached("call_begun")
        return replace(_call(record), resumed=record.id != call_id)

    def submitted(self, call: Call, remote_id: str) -> Call:
        """See Calls."""
        return self._change(call, "submitted", remote_id=remote_id)

    def finished(
        self, call: Call, *, cost_microusd: int, usage: Json, answer: Json | None = None
    ) -> Call:
        """See Calls."""
        return self._change(
            call, "finished", cost_microusd=cost_microusd, usage=usage, answer=answer
        )

    def failed(self, call: Call, reason: str, *, cost_microusd: int = 0) -> Call:
        """See Calls."""
        return self._change(call, "failed", reason=reason, cost_microusd=cost_microusd)

    def doubtful(self, call: Call, reason: str) -> Call:
        """See Calls."""
        return self._change(call, "doubtful", reason=reason, cost_microusd=call.estimate_microusd)

    def made(self) -> list[Call]:
        """See Calls."""
        owner = self._owner()
        found = self.patience(lambda: self.store.of_scope(owner.tenant, owner.scope), self.lease)
        return [_call(record) for record in found]

    def told(self, provider: str, remote_ids: Sequence[str]) -> list[str]:
        """See Calls."""
        # A hint that is taken and then torn away would be lost.
        with self.interrupts.held():
            return self.limits.told(provider, remote_ids)

    def slot(self, provider: str) -> AbstractContextManager[None]:
        """See Calls."""
        return self.limits.slot(provider)

    def _change(self, call: Call, state: CallState, **values: Any) -> Call:
        if state in ("submitted", "finished"):
            reached("call_answered")
        # A write that an interruption tore would leave the provider's id unrecorded.
        with self.interrupts.held():
            record = self.patience(
                lambda: self.store.change(self._owner(), call.id, state, **values), self.lease
            )
        if state == "submitted":
            reached("call_submitted")
        elif state == "finished":
            reached("call_finished")
        if record.cost_microusd:
            self.spent(record.provider, record.cost_microusd)
        return _call(record)

    def _owner(self) -> CallOwner:
        return CallOwner(
            job_id=self.record.id,
            fence=self.lease.claim.fence,
            tenant=self.record.tenant,
            stage=self.stage.stage,
            scope=self.stage.input_hash,
        )


def _call(record: CallRecord) -> Call:
    return Call(
        id=record.id,
        provider=record.provider,
        request_hash=record.request_hash,
        state=cast(CallState, record.state),
        begun_at=record.begun_at.timestamp(),
        remote_id=record.remote_id,
        estimate_microusd=record.estimate_microusd,
        cost_microusd=record.cost_microusd,
        usage=record.usage,
        answer=record.answer,
    )
