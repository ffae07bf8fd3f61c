"""Bounded concurrency inside one job."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import pytest

from background import current_job, gather_bounded, job, map_bounded
from errors import JobCancelled
from worker import Worker


class Gauge:
    """How many were inside at once, at most."""

    def __init__(self) -> None:
        self.now = self.most = 0
        self.guard = threading.Lock()

    def __enter__(self) -> None:
        with self.guard:
            self.now += 1
            self.most = max(self.most, self.now)

    def __exit__(self, *_: object) -> None:
        with self.guard:
            self.now -= 1


def test_threads_are_bounded_and_keep_the_order() -> None:
    gauge, barrier = Gauge(), threading.Barrier(3, timeout=10)

    def one(number: int) -> int:
        with gauge:
            barrier.wait()  # three at once, or it breaks
            return number * number

    assert map_bounded(one, range(9), limit=3) == [n * n for n in range(9)]
    assert gauge.most == 3


def test_coroutines_are_bounded_and_keep_the_order() -> None:
    gauge = Gauge()

    async def one(number: int) -> int:
        with gauge:
            await asyncio.sleep(0.001)
            return number * number

    assert asyncio.run(gather_bounded(one, range(20), limit=4)) == [n * n for n in range(20)]
    assert gauge.most == 4


def test_an_items_exception_stands_in_its_place() -> None:
    def one(number: int) -> float:
        return 1 / number

    async def later(number: int) -> float:
        return 1 / number

    for found in (
        map_bounded(one, [1, 0, 2], limit=2),
        asyncio.run(gather_bounded(later, [1, 0, 2], limit=2)),
    ):
        assert [found[0], found[2]] == [1.0, 0.5]
        assert isinstance(found[1], ZeroDivisionError)


def test_what_ends_a_job_ends_its_threads_too() -> None:
    begun: list[int] = []

    def one(number: int) -> None:
        begun.append(number)
        if number == 1:
            raise JobCancelled

    with pytest.raises(JobCancelled):
        map_bounded(one, range(4), limit=1)
    assert begun[:2] == [0, 1]


@job("test_bounded")
def bounded(numbers: list[int]) -> list[str]:
    def one(number: int) -> str:
        return f"{current_job().id[:4]}-{number}"

    return [str(found) for found in map_bounded(one, numbers, limit=2)]


def test_the_job_is_known_in_its_threads(worker: Worker, work: Callable[[], None]) -> None:
    handle = bounded.perform_async([1, 2, 3])
    work()
    assert handle.result == [f"{handle.id[:4]}-{number}" for number in (1, 2, 3)]
