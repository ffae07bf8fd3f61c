"""Many tasks of one type at once, and how they fared."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from background import Batch, JobHandle
from examples.stack.queues.load_test import WorkerSettings
from jobs.states import JobState
from store.records import JobRecord

_POLL_S = 0.05
_ERRORS_SHOWN = 3


class LoadType(StrEnum):
    """What each task does."""

    CPU_INTENSIVE = "cpu_intensive"
    IO_SIMULATION = "io_simulation"
    MEMORY_OPERATIONS = "memory_operations"
    FAILURE_TESTING = "failure_testing"


@dataclass(frozen=True)
class Report:
    """Times in s, by the clocks of this host and the workers'; None: no task came so far."""

    type: str
    tasks: int
    completed: int
    failed: int
    unfinished: int
    seconds: float
    per_second: float
    #: From being queued to being taken: what grows when workers are too few.
    delayed_p50: float | None
    delayed_max: float | None
    run_p50: float | None
    run_p95: float | None
    run_max: float | None
    #: The commonest errors, and how often each came.
    errors: dict[str, int]

    @property
    def as_expected(self) -> bool:
        """All completed; of failure_testing, every second one failed."""
        wanted = self.tasks // 2 if self.type == LoadType.FAILURE_TESTING else 0
        return not self.unfinished and self.failed == wanted


def run(load_type: LoadType, tasks: int, timeout_s: float) -> Report:
    """Queue the tasks, wait for their end, and report; what is left then is called off."""
    began = time.monotonic()
    kind = WorkerSettings.jobs[load_type.value]
    with Batch(f"load test: {tasks} x {load_type.value}") as batch:
        handles = batch.add_bulk(kind, [_arguments(load_type, n) for n in range(1, tasks + 1)])
    while batch.status().finished_at is None and time.monotonic() - began < timeout_s:
        time.sleep(_POLL_S)
    seconds = time.monotonic() - began
    if batch.status().finished_at is None:
        call_off(handles)
    return report_of(load_type, [handle.record for handle in handles], seconds)


def report_of(load_type: LoadType, records: Sequence[JobRecord], seconds: float) -> Report:
    """What the tasks' records say."""
    states = Counter(record.state for record in records)
    completed, failed = states[JobState.COMPLETED], states[JobState.FAILED]
    delays = [_span(r.created_at, r.started_at) for r in records if r.started_at]
    runs = [_span(r.started_at, r.finished_at) for r in records if r.started_at and r.finished_at]
    errors = Counter(r.error or "" for r in records if r.state == JobState.FAILED)
    return Report(
        type=load_type.value,
        tasks=len(records),
        completed=completed,
        failed=failed,
        unfinished=len(records) - completed - failed,
        seconds=round(seconds, 3),
        per_second=round((completed + failed) / seconds, 2) if seconds else 0.0,
        delayed_p50=_rank(delays, 50),
        delayed_max=_rank(delays, 100),
        run_p50=_rank(runs, 50),
        run_p95=_rank(runs, 95),
        run_max=_rank(runs, 100),
        errors=dict(errors.most_common(_ERRORS_SHOWN)),
    )


def call_off(handles: Sequence[JobHandle]) -> None:
    """Nobody waits for the rest any more."""
    for handle in handles:
        if not handle.ready:
            handle.cancel()


def _arguments(load_type: LoadType, number: int) -> dict[str, Any]:
    return {"number": number} if load_type is LoadType.FAILURE_TESTING else {}


def _span(begin: Any, end: Any) -> float:
    return max(0.0, float((end - begin).total_seconds()))


def _rank(values: Sequence[float], percent: int) -> float | None:
    """A percentile by nearest rank."""
    ordered = sorted(values)
    if not ordered:
        return None
    return round(ordered[max(0, -(-len(ordered) * percent // 100) - 1)], 3)
