"""A background job from outside: its state, its result, waiting for it, calling it off.

handle = JobHandle(job_id)      # from anywhere that knows the id
"""

from __future__ import annotations

import time
from typing import Any

from errors import InvalidInput, WorkerError
from jobs.states import FINAL, JobState
from store.records import JobRecord

_POLL_FIRST_S = 0.01
_POLL_MAX_S = 0.25


class JobFailedError(WorkerError):
    """The job failed for good; `str()` says why."""


class JobCancelledError(WorkerError):
    """The job was called off before it had a result."""


class JobHandle:
    """Knows the id alone; each look is a fresh one. Raises StoreUnavailable."""

    def __init__(self, job_id: str) -> None:
        self.id = job_id

    def __repr__(self) -> str:
        return f"JobHandle({self.id!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, JobHandle) and other.id == self.id

    def __hash__(self) -> int:
        return hash(self.id)

    @property
    def record(self) -> JobRecord:
        """The whole row. Raises InvalidInput for an id that nobody knows."""
        from background.enqueue import backend

        found = backend().find(self.id)
        if found is None:
            raise InvalidInput("job_id", f"{self.id} is not known")
        return found

    @property
    def status(self) -> str:
        """scheduled, pending, processing, completed, failed or cancelled."""
        return self.record.state.value

    @property
    def ready(self) -> bool:
        """Whether it has ended."""
        return self.record.state in FINAL

    @property
    def result(self) -> Any:
        """What `perform` returned; None before, and once its time is over."""
        result = self.record.result
        return result.get("value") if result else None

    @property
    def error(self) -> str | None:
        """Why it failed, or why the last try did."""
        return self.record.error

    def get(self, timeout: float | None = None) -> Any:
        """Wait for the end and return the result.

        Raises JobFailedError, JobCancelledError, and TimeoutError after `timeout` seconds.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        pause_s = _POLL_FIRST_S
        while True:
            record = self.record
            if record.state == JobState.COMPLETED:
                return record.result.get("value") if record.result else None
            if record.state == JobState.FAILED:
                raise JobFailedError(record.error or "failed")
            if record.state == JobState.CANCELLED:
                raise JobCancelledError(f"{self.id} was cancelled")
            if deadline is not None and time.monotonic() >= deadline:
                raise TimeoutError(f"{self.id} is {record.state} after {timeout} s")
            time.sleep(pause_s)
            pause_s = min(_POLL_MAX_S, pause_s * 1.5)

    def cancel(self) -> bool:
        """Call it off: waiting at once, running within a second; False: it has ended."""
        from background.enqueue import backend

        return backend().cancel(self.id) in ("scheduled", "pending", "processing")
