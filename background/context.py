"""What a running job may say and ask: progress, a checkpoint, whether it is to stop.

`current_job()` works in plain and async functions alike. Where `perform` is called directly,
outside a worker, it gives a stand-in that takes everything and keeps nothing.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from runtime.interrupts import Interrupts
from runtime.lease import Lease
from store.items import Items
from store.records import JobRecord

_T = TypeVar("_T")


class Telling(Protocol):
    """How a worker hears of a job's progress."""

    def told(self, items: Items, note: str) -> None:
        """Publish it; may be dropped when it comes thick and fast."""

    def checkpoint(self, items: Items, cursor: Any) -> None:
        """Make it durable, with the place from which a later try goes on."""

    def check(self) -> None:
        """Raise what the job was asked for, if anything."""

    def sleep(self, seconds: float) -> None:
        """Wait, raising as `check` does."""


@dataclass(frozen=True)
class Hold:
    """What a worker holds a job by."""

    record: JobRecord
    lease: Lease
    interrupts: Interrupts


class JobContext:
    """The job in hand. `cursor` is what an earlier try checkpointed last, or None."""

    def __init__(
        self,
        job_id: str,
        *,
        attempt: int = 1,
        cursor: Any = None,
        items: Items | None = None,
        telling: Telling | None = None,
        hold: Hold | None = None,
    ) -> None:
        self.id = job_id
        #: For this project's own jobs, which work below the queue.
        self.hold = hold
        #: 1 for the first try.
        self.attempt = attempt
        self.cursor = cursor
        self.items = items or Items()
        self._telling = telling

    def progress(
        self, processed: int, total: int | None = None, *, failed: int | None = None, note: str = ""
    ) -> None:
        """Tell how many items are done, of how many, and how many of them failed."""
        self.items = self._items(processed, total, failed)
        if self._telling is not None:
            self._telling.told(self.items, note)

    def checkpoint(
        self,
        cursor: Any,
        *,
        processed: int | None = None,
        total: int | None = None,
        failed: int | None = None,
    ) -> None:
        """Keep where the loop stands (JSON): a crash, a deploy or a retry goes on from there.

        Raises LeaseLost where the job is another worker's by now.
        """
        done = self.items.processed if processed is None else processed
        self.items = self._items(done, total, failed)
        self.cursor = cursor
        if self._telling is not None:
            self._telling.checkpoint(self.items, cursor)

    def batches(self, items: Sequence[_T], size: int = 100) -> Iterator[Sequence[_T]]:
        """The items in parts of `size`, from the first that no earlier try finished.

        A part counts as finished when the next one is asked for. `items` must be in the same
        order in every try.
        """
        start = self.cursor if isinstance(self.cursor, int) else 0
        if start:
            self.progress(min(start, len(items)), len(items))
        while start < len(items):
            self.check()
            part = items[start : start + size]
            yield part
            start += len(part)
            self.checkpoint(start, processed=start, total=len(items))

    def failed(self, count: int = 1) -> None:
        """Items that could not be done; told with the next progress or checkpoint."""
        done = self.items
        self.items = Items(done.processed, done.total, done.failed + count)

    def check(self) -> None:
        """Let a cancellation, a stop or a deadline in: for long loops without a wait."""
        if self._telling is not None:
            self._telling.check()

    def sleep(self, seconds: float) -> None:
        """Wait; ends at once when the job is cancelled or the worker stops."""
        if self._telling is not None:
            self._telling.sleep(seconds)
        else:
            time.sleep(seconds)

    def _items(self, processed: int, total: int | None, failed: int | None) -> Items:
        before = self.items
        return Items(
            processed,
            before.total if total is None else total,
            before.failed if failed is None else failed,
        )


_current: ContextVar[JobContext | None] = ContextVar("current_background_job", default=None)


def current_job() -> JobContext:
    """The job that this code runs for; a stand-in outside a worker."""
    return _current.get() or JobContext("")


class running:  # a context manager, in the usual way but for its price
    """While inside, `current_job()` is this one."""

    def __init__(self, context: JobContext) -> None:
        self._context = context

    def __enter__(self) -> None:
        self._token = _current.set(self._context)

    def __exit__(self, *_: object) -> None:
        _current.reset(self._token)
