"""How many jobs a crew claims ahead of its threads."""

from __future__ import annotations

from runtime.places import IMPATIENT_S, MOST_AHEAD, Places


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def quick(places: Places, clock: Clock, *, a_second: int, seconds: float) -> None:
    """So many jobs a second are over, told every 10 ms."""
    for _ in range(int(seconds * 100)):
        clock.now += 0.01
        places.ended([0.0001] * (a_second // 100))


def test_slow_jobs_have_one_place_a_thread() -> None:
    places = Places(4)
    assert places.free(0) == 4
    places.ended([1.0, 1.0])
    assert places.free(3) == 1 and places.are_enough(3)
    assert places.free(4) == 0 and not places.are_enough(4)


def test_no_more_is_claimed_ahead_than_is_over_in_a_moment() -> None:
    clock = Clock()
    places = Places(4, clock=clock)
    quick(places, clock, a_second=1000, seconds=2)
    assert places.ahead == 1000 * IMPATIENT_S
    quick(places, clock, a_second=200, seconds=2)
    assert places.ahead == 200 * IMPATIENT_S
    quick(places, clock, a_second=100_000, seconds=2)
    assert places.ahead == MOST_AHEAD


def test_idle_time_says_nothing_about_the_pace() -> None:
    clock = Clock()
    places = Places(4, clock=clock)
    quick(places, clock, a_second=1000, seconds=2)
    clock.now += 3600
    places.begin()
    quick(places, clock, a_second=1000, seconds=0.5)
    assert places.ahead == 1000 * IMPATIENT_S


def test_a_slow_job_ends_it() -> None:
    clock = Clock()
    places = Places(4, clock=clock)
    quick(places, clock, a_second=1000, seconds=2)
    places.ended([0.0001] * 3 + [1.0])
    assert places.ahead == 0
    places.ended([])
    assert places.ahead == 0


def test_quick_jobs_are_claimed_in_groups() -> None:
    clock = Clock()
    places = Places(4, clock=clock)
    quick(places, clock, a_second=10_000, seconds=1)
    full = 4 + places.ahead
    assert not places.are_enough(full - 10)
    assert places.are_enough(full // 2)
