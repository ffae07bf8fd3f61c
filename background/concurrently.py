"""Bounded concurrency inside one job: some items at once, never more than `limit`."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TypeVar

from background.context import current_job

_T = TypeVar("_T")
_R = TypeVar("_R")

#: How often a job that waits for its threads looks whether it is to stop.
_TICK_S = 0.1


def map_bounded(
    function: Callable[[_T], _R], items: Iterable[_T], *, limit: int
) -> list[_R | Exception]:
    """`function` of each item, `limit` at once in threads; results in order of the items.

    An item's exception stands in its place, so that one does not stop the others. A stop or a
    cancellation starts no further item.
    """
    job = current_job()
    pool = ThreadPoolExecutor(max_workers=limit)
    try:
        # Each with a copy of this context, so that current_job() is known there too.
        futures = [pool.submit(contextvars.copy_context().run, function, item) for item in items]
        while wait(futures, timeout=_TICK_S).not_done:
            job.check()
    finally:
        # Without waiting: a stop does not last as long as the slowest item.
        pool.shutdown(wait=False, cancel_futures=True)
    found: list[_R | Exception] = []
    for future in futures:
        error = future.exception()
        if error is not None and not isinstance(error, Exception):
            raise error
        found.append(error if error is not None else future.result())
    return found


async def gather_bounded(
    function: Callable[[_T], Awaitable[_R]], items: Iterable[_T], *, limit: int
) -> list[_R | Exception]:
    """The same for async functions."""
    places = asyncio.Semaphore(limit)

    async def one(item: _T) -> _R | Exception:
        async with places:
            try:
                return await function(item)
            except Exception as error:  # noqa: BLE001  # it is the item's result
                return error

    return list(await asyncio.gather(*(one(item) for item in items)))
