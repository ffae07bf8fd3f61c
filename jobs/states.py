"""The states of a job and the transitions between them: the one table that all writers obey."""

from __future__ import annotations

from enum import StrEnum


class JobState(StrEnum):
    """Where a job is. The values are what Redis, SQL and users see."""

    SCHEDULED = "scheduled"  # due later: delayed at submit, or parked between two tries
    PENDING = "pending"  # waits in a queue
    PROCESSING = "processing"  # one worker holds it by lease and fence
    COMPLETED = "completed"
    FAILED = "failed"  # a dead letter: kept whole until replayed or removed
    CANCELLED = "cancelled"


FINAL = frozenset({JobState.COMPLETED, JobState.FAILED, JobState.CANCELLED})

#: From each state, where a job may go. Reads: `replay` leaves a final state for pending.
TRANSITIONS: dict[JobState, frozenset[JobState]] = {
    JobState.SCHEDULED: frozenset({JobState.PENDING, JobState.CANCELLED}),
    JobState.PENDING: frozenset({JobState.PROCESSING, JobState.CANCELLED}),
    JobState.PROCESSING: frozenset(
        {JobState.PENDING, JobState.SCHEDULED, JobState.CANCELLED} | FINAL
    ),
    JobState.COMPLETED: frozenset({JobState.PENDING}),
    JobState.FAILED: frozenset({JobState.PENDING}),
    JobState.CANCELLED: frozenset({JobState.PENDING}),
}

#: The pipeline's stages in order, and the span of a job's progress (percent) that each fills.
STAGE_SPANS: dict[str, tuple[int, int]] = {
    "script_gen": (0, 25),
    "voice_gen": (25, 50),
    "video_gen": (50, 75),
    "compositing": (75, 100),
}
STAGES = tuple(STAGE_SPANS)


def may_become(before: JobState, after: JobState) -> bool:
    """Whether the table allows the transition."""
    return after in TRANSITIONS[before]


def overall_progress(stage: str, fraction: float) -> int:
    """A stage's fraction done (0.0 to 1.0, clipped) as percent of the whole job."""
    low, high = STAGE_SPANS[stage]
    return low + int((high - low) * min(1.0, max(0.0, fraction)))


def stages_from(first: str) -> tuple[str, ...]:
    """`first` and every later stage. Raises ValueError for a name that is no stage."""
    return STAGES[STAGES.index(first) :]
