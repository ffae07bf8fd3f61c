"""For tests of code that enqueues background jobs: no Redis, no database, no worker.

with testing.inline():                 # each job runs at once, in the caller's thread
    assert Greet.perform_async("Ada").result == "Hello, Ada"

with testing.fake() as queue:          # jobs are collected, and run when you say so
    sign_up("ada@example.com")
    queue.assert_enqueued(SendWelcome, "ada@example.com")
    queue.drain()
"""

from __future__ import annotations

import asyncio
import inspect
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from background.context import JobContext, running
from background.enqueue import use_backend
from background.kinds import REGISTRY, Kind
from jobs.states import FINAL, JobState
from jobs.work import decode_call, encode_json
from store.batches import BatchRecord
from store.records import JobRecord, NewJob, utc_now


@dataclass(frozen=True)
class Enqueued:
    """One collected job."""

    id: str
    kind: str
    queue: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    run_at: datetime | None


class FakeQueue:
    """Implements background.enqueue.Backend in memory. Arguments are checked as always."""

    def __init__(self, *, run_at_once: bool = False) -> None:
        self._run_at_once = run_at_once
        self._records: dict[str, JobRecord] = {}
        self._keys: dict[str, str] = {}
        self._batches: dict[str, tuple[str, NewJob | None]] = {}
        self._sealed: set[str] = set()

    def enqueue(self, jobs: Sequence[NewJob]) -> list[str]:
        """See Backend."""
        ids = []
        for job in jobs:
            holder = self._keys.get(job.unique_key or "", job.id)
            known = self._records.get(holder)
            if known is not None and known.state not in FINAL:
                ids.append(holder)
                continue
            if job.unique_key:
                self._keys[job.unique_key] = job.id
            self._records[job.id] = _record(job)
            ids.append(job.id)
            if self._run_at_once:
                self.run(job.id)
        return ids

    def find(self, job_id: str) -> JobRecord | None:
        """See Backend."""
        return self._records.get(job_id)

    def cancel(self, job_id: str) -> str | None:
        """See Backend."""
        record = self._records.get(job_id)
        if record is None:
            return None
        if record.state not in FINAL:
            self._end(record, JobState.CANCELLED, error="cancelled")
        return record.state.value

    def open_batch(self, batch_id: str, description: str, callback: NewJob | None) -> None:
        """See Backend."""
        self._batches[batch_id] = (description, callback)

    def seal_batch(self, batch_id: str) -> None:
        """See Backend."""
        self._sealed.add(batch_id)
        self._look_at_batch(batch_id)

    def batch(self, batch_id: str) -> BatchRecord | None:
        """See Backend."""
        if batch_id not in self._batches:
            return None
        states: dict[str, int] = {}
        for record in self._records.values():
            if record.batch_id == batch_id:
                states[record.state] = states.get(record.state, 0) + 1
        ended = sum(count for state, count in states.items() if state in FINAL)
        total, description = sum(states.values()), self._batches[batch_id][0]
        done = batch_id in self._sealed and ended == total
        return BatchRecord(
            batch_id,
            "default",
            description,
            total=total,
            pending=total - ended,
            sealed=batch_id in self._sealed,
            callback_job=None,
            created_at=utc_now(),
            finished_at=utc_now() if done else None,
            states=states,
        )

    @property
    def jobs(self) -> list[Enqueued]:
        """All that was enqueued, in order, whether it has run or not."""
        return [_shown(record) for record in self._records.values()]

    def of(self, job: Any) -> list[Enqueued]:
        """What was enqueued of one kind: a BackgroundJob or a decorated function."""
        kind: Kind = job.definition
        return [enqueued for enqueued in self.jobs if enqueued.kind == kind.name]

    def assert_enqueued(self, job: Any, *args: Any, **kwargs: Any) -> Enqueued:
        """A job of the kind with exactly these arguments was enqueued; returns it."""
        for enqueued in self.of(job):
            if (enqueued.args, enqueued.kwargs) == (args, kwargs):
                return enqueued
        found = [(enqueued.args, enqueued.kwargs) for enqueued in self.of(job)]
        raise AssertionError(f"no {job.definition.name} with {args} {kwargs} among {found}")

    def assert_not_enqueued(self, job: Any) -> None:
        """No job of the kind was enqueued."""
        found = [(enqueued.args, enqueued.kwargs) for enqueued in self.of(job)]
        if found:
            raise AssertionError(f"{job.definition.name} was enqueued with {found}")

    def drain(self) -> int:
        """Run all that waits, what those enqueue among it, due or not; returns how many ran."""
        ran = 0
        while waiting := [r.id for r in self._records.values() if r.state not in FINAL]:
            for job_id in waiting:
                self.run(job_id)
                ran += 1
        return ran

    def run(self, job_id: str) -> None:
        """Run one, once: what it raises is its error, and is not tried again."""
        record = self._records[job_id]
        kind = REGISTRY.get(record.kind)
        assert kind is not None  # it was enqueued through its kind
        call = decode_call(record.payload)
        self._records[job_id] = record = replace(record, state=JobState.PROCESSING)
        try:
            with running(JobContext(job_id)):
                value = kind.function(*call.args, **(call.kwargs or {}))
                if inspect.iscoroutine(value):
                    value = asyncio.run(value)
            result = json.loads(encode_json({"value": value}, "result"))
        except Exception as error:  # noqa: BLE001  # it is the job's result
            self._end(record, JobState.FAILED, error=f"{type(error).__name__}: {error}")
        else:
            self._end(record, JobState.COMPLETED, result=result)

    def _end(self, record: JobRecord, state: JobState, **values: Any) -> None:
        self._records[record.id] = replace(record, state=state, finished_at=utc_now(), **values)
        if record.batch_id is not None:
            self._look_at_batch(record.batch_id)

    def _look_at_batch(self, batch_id: str) -> None:
        found, callback = self.batch(batch_id), self._batches[batch_id][1]
        ended = found is not None and found.finished_at is not None
        if ended and callback is not None and callback.id not in self._records:
            self.enqueue([callback])


@contextmanager
def fake() -> Iterator[FakeQueue]:
    """Collect what is enqueued while inside."""
    queue = FakeQueue()
    before = use_backend(queue)
    try:
        yield queue
    finally:
        use_backend(before)


@contextmanager
def inline() -> Iterator[FakeQueue]:
    """Run each job at once while inside; one that raises has failed, as its handle says."""
    queue = FakeQueue(run_at_once=True)
    before = use_backend(queue)
    try:
        yield queue
    finally:
        use_backend(before)


def _record(job: NewJob) -> JobRecord:
    now = utc_now()
    empty: dict[str, Any] = dict.fromkeys(JobRecord.__dataclass_fields__)
    counts = ("progress", "fence", "generation", "failures", "crashes", "interruptions")
    flags = {"cancel_requested": False, "pushed": True, "stage_generations": {}}
    given = {
        name: getattr(job, name)
        for name in ("id", "kind", "queue", "state", "tenant", "payload", "due_at", "batch_id")
    }
    made = empty | dict.fromkeys(counts, 0) | flags | given
    return JobRecord(**made | {"created_at": now, "updated_at": now})


def _shown(record: JobRecord) -> Enqueued:
    call = decode_call(record.payload)
    kwargs = dict(call.kwargs or {})
    return Enqueued(record.id, record.kind, record.queue, call.args, kwargs, record.due_at)
