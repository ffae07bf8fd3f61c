"""Batches: many jobs, one completion callback, and how each of them ended.

    with Batch("import of May", on_complete=Report) as batch:
        batch.add_bulk(ImportRow, [[row] for row in rows])
    batch.status()

When all have ended, however they ended, one job of `on_complete` is accepted, called with the
batch's id; `Batch.find(batch_id).status()` tells it what failed.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any

from background.enqueue import backend, jobs_of, new_job
from background.handle import JobHandle
from background.kinds import Kind
from errors import InvalidInput
from store.batches import BatchRecord

#: Jobs that are accepted in one transaction.
_CHUNK = 1000


class Batch:
    """Jobs are accepted as they are added; leaving the `with` block says that these are all.

    A block that is left by an exception leaves the batch open: what was added runs, and nobody
    is told of an end.
    """

    def __init__(self, description: str = "", *, on_complete: Any = None) -> None:
        """`on_complete`: a BackgroundJob or a decorated function that takes the batch's id."""
        self.id = str(uuid.uuid4())
        self.handles: list[JobHandle] = []
        callback = _kind_of(on_complete) if on_complete is not None else None
        told = new_job(callback, (self.id,), {}) if callback is not None else None
        backend().open_batch(self.id, description, told)

    @classmethod
    def find(cls, batch_id: str) -> Batch:
        """A batch from its id. Raises InvalidInput."""
        if backend().batch(batch_id) is None:
            raise InvalidInput("batch_id", f"{batch_id} is not known")
        found = cls.__new__(cls)
        found.id, found.handles = batch_id, []
        return found

    def add(self, job: Any, *args: Any, **kwargs: Any) -> JobHandle:
        """Accept one job of a kind. Raises as perform_async."""
        made = new_job(_kind_of(job), args, kwargs, batch_id=self.id)
        handle = JobHandle(backend().enqueue([made])[0])
        self.handles.append(handle)
        return handle

    def add_bulk(
        self, job: Any, arguments: Sequence[Sequence[Any] | Mapping[str, Any]]
    ) -> list[JobHandle]:
        """Accept many, as perform_bulk does."""
        made = jobs_of(_kind_of(job), arguments, batch_id=self.id)
        added: list[JobHandle] = []
        for start in range(0, len(made), _CHUNK):
            ids = backend().enqueue(made[start : start + _CHUNK])
            added += [JobHandle(job_id) for job_id in ids]
        self.handles += added
        return added

    def status(self) -> BatchRecord:
        """How many there are, how many have not ended, and how many are in each state."""
        found = backend().batch(self.id)
        if found is None:
            raise InvalidInput("batch_id", f"{self.id} is not known")
        return found

    def __enter__(self) -> Batch:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.seal()

    def seal(self) -> None:
        """These are all: when each has ended, the batch has. Idempotent."""
        backend().seal_batch(self.id)


def _kind_of(job: Any) -> Kind:
    found = getattr(job, "definition", None)
    if not isinstance(found, Kind):
        raise InvalidInput("job", "is neither a BackgroundJob nor a decorated function")
    if found.options.unique_for_s:
        # The equal job that stands for it may belong to no batch, or to another one.
        raise InvalidInput("job", f"{found.name} is unique, and cannot be counted in a batch")
    return found
