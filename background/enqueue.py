"""Enqueueing: arguments are checked, rows committed, then the queue is told.

Where to is `Backend`: the settings' servers, opened on first use; tests put another in place.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from background.handle import JobHandle
from background.kinds import Kind
from background.services import services
from jobs.work import encode_call
from runtime.submit import Jobs
from store.batches import BatchRecord
from store.records import JobRecord, NewJob


class Backend(Protocol):
    """What takes background jobs and knows what became of them."""

    def enqueue(self, jobs: Sequence[NewJob]) -> list[str]:
        """Accept jobs; the ids that stand for them, in order. Raises StoreUnavailable."""

    def find(self, job_id: str) -> JobRecord | None:
        """The job, or None."""

    def cancel(self, job_id: str) -> str | None:
        """Call a job off; the state before, or None."""

    def open_batch(self, batch_id: str, description: str, callback: NewJob | None) -> None:
        """Make a batch that jobs can name."""

    def seal_batch(self, batch_id: str) -> None:
        """No more jobs will name it."""

    def batch(self, batch_id: str) -> BatchRecord | None:
        """The batch, or None."""


class ServersBackend:
    """The queue and the record of the settings, or given ones."""

    def __init__(self, jobs: Jobs | None = None) -> None:
        self._given = jobs

    @property
    def _jobs(self) -> Jobs:
        if self._given is None:
            return services().jobs
        return self._given

    def enqueue(self, jobs: Sequence[NewJob]) -> list[str]:
        """See Backend."""
        return self._jobs.enqueue(jobs)

    def find(self, job_id: str) -> JobRecord | None:
        """See Backend."""
        return self._jobs.find(job_id)

    def cancel(self, job_id: str) -> str | None:
        """See Backend."""
        return self._jobs.cancel(job_id)

    def open_batch(self, batch_id: str, description: str, callback: NewJob | None) -> None:
        """See Backend."""
        self._jobs.batches.open(
            batch_id, tenant="default", description=description, callback=callback
        )

    def seal_batch(self, batch_id: str) -> None:
        """See Backend."""
        self._jobs.batches.seal(batch_id)

    def batch(self, batch_id: str) -> BatchRecord | None:
        """See Backend."""
        return self._jobs.batches.get(batch_id)


_backend: Backend = ServersBackend()


def backend() -> Backend:
    """Where jobs go now."""
    return _backend


def use_backend(wanted: Backend) -> Backend:
    """Send jobs there from now on, in the whole process; returns where they went before."""
    global _backend
    before, _backend = _backend, wanted
    return before


def new_job(
    kind: Kind,
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    *,
    run_at: datetime | None = None,
    batch_id: str | None = None,
) -> NewJob:
    """A job of a kind, with an id of its own. Raises InvalidInput."""
    kind.check(args, kwargs)
    payload = encode_call(args, kwargs)
    return NewJob(
        str(uuid.uuid4()),
        payload,
        queue=kind.options.queue,
        kind=kind.name,
        due_at=_in_utc(run_at),
        batch_id=batch_id,
        unique_key=kind.unique_key(payload),
        unique_for_s=kind.options.unique_for_s,
    )


def enqueue(
    kind: Kind,
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    *,
    run_at: datetime | None = None,
    delay_s: float | None = None,
) -> JobHandle:
    """Accept one job; see BackgroundJob.perform_async."""
    if delay_s is not None and delay_s > 0:
        run_at = datetime.now(UTC) + timedelta(seconds=delay_s)
    job = new_job(kind, args, kwargs, run_at=run_at)
    return JobHandle(_backend.enqueue([job])[0])


def enqueue_bulk(
    kind: Kind, arguments: Sequence[Sequence[Any] | Mapping[str, Any]]
) -> list[JobHandle]:
    """Accept many jobs in one transaction: all or none. Raises InvalidInput with the place."""
    return [JobHandle(job_id) for job_id in _backend.enqueue(jobs_of(kind, arguments))]


def jobs_of(
    kind: Kind,
    arguments: Sequence[Sequence[Any] | Mapping[str, Any]],
    *,
    batch_id: str | None = None,
) -> list[NewJob]:
    """One job for each list or dict of arguments."""
    return [
        new_job(kind, (), given, batch_id=batch_id)
        if isinstance(given, Mapping)
        else new_job(kind, given, {}, batch_id=batch_id)
        for given in arguments
    ]


def _in_utc(moment: datetime | None) -> datetime | None:
    # astimezone takes a naive datetime for local time, which is what people write.
    return moment.astimezone(UTC) if moment is not None else None
