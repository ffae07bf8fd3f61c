"""How the run of a job ended: what the executor returns and one settle writes down."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from jobs.states import JobState


@dataclass(frozen=True)
class Outcome:
    """One constructor per ending, so that no mix of fields can be written that means nothing.

    `error` is safe for users. `state` is where the job goes; None means write nothing at all.
    """

    state: JobState | None
    error: str | None = None
    #: Seconds until the next try; only for a parked job.
    delay_s: float = 0.0
    result: dict[str, Any] = field(default_factory=dict)
    #: The result as JSON, where it is at hand.
    text: str | None = None
    #: How long a result is kept; None: for good.
    result_ttl_s: float | None = None
    #: Failures of the stage in hand, so that a parked job goes on counting where it was.
    failures: int = 0
    #: Handed back through no fault of its own (a deploy): costs no attempt, but is counted.
    interrupted: bool = False

    @classmethod
    def completed(
        cls, result: dict[str, Any], *, ttl_s: float | None = None, text: str | None = None
    ) -> Outcome:
        """Every stage is done and its artefacts are published; or the call has returned."""
        return cls(JobState.COMPLETED, result=result, text=text, result_ttl_s=ttl_s)

    @classmethod
    def failed(cls, error: str) -> Outcome:
        """A permanent error, or the failure budget is spent: a dead letter."""
        return cls(JobState.FAILED, error=error)

    @classmethod
    def parked(cls, error: str, delay_s: float, failures: int) -> Outcome:
        """Too long to wait with the job in hand: due again after `delay_s`."""
        return cls(JobState.SCHEDULED, error=error, delay_s=delay_s, failures=failures)

    @classmethod
    def handed_back(cls) -> Outcome:
        """The worker is stopping: to the front of its queue, free of charge."""
        return cls(JobState.PENDING, interrupted=True)

    @classmethod
    def returned(cls) -> Outcome:
        """Claimed, and never begun: to the front of its queue, as if nothing had been."""
        return cls(JobState.PENDING)

    @classmethod
    def cancelled(cls) -> Outcome:
        """Somebody cancelled it while it ran."""
        return cls(JobState.CANCELLED, error="cancelled")

    @classmethod
    def lost(cls) -> Outcome:
        """The lease ran out under us: another worker may have it, so nothing is written."""
        return cls(None)
