"""Places, rates and breakers hold across workers; a dead worker's place comes free."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from errors import NotNow, ProviderRefused, ProviderUnavailable
from redis_queue import keys, slots
from redis_queue.connection import connect
from runtime.interrupts import Interrupts
from runtime.provider_limits import ProviderLimit, ProviderLimits


def limits_of(redis_url: str, *, reset_s: float = 30.0, **limits: ProviderLimit) -> ProviderLimits:
    return ProviderLimits(
        connect(redis_url),
        redis_url,
        limits,
        Interrupts(),
        breaker_failures=3,
        breaker_reset_s=reset_s,
    )


def test_never_more_in_flight_than_places(redis_url: str, client: Any) -> None:
    in_flight, most, guard = 0, 0, threading.Lock()
    done: list[int] = []

    def work(number: int) -> None:
        nonlocal in_flight, most
        with limits_of(redis_url, voice=ProviderLimit(concurrent=5)).slot("voice"):
            with guard:
                in_flight += 1
                most = max(most, in_flight)
            Interrupts().sleep(0.05)
            with guard:
                in_flight -= 1
        done.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == 20
    assert 2 <= most <= 5


def test_a_dead_workers_place_comes_free(redis_url: str, client: Any) -> None:
    assert slots.take(client, "voice", "dead", places=1, lease_s=1)
    assert not slots.take(client, "voice", "next", places=1, lease_s=10)
    deadline = time.monotonic() + 60
    while not slots.take(client, "voice", "next", places=1, lease_s=10):
        assert time.monotonic() < deadline
    slots.give_back(client, "voice", "next")
    assert client.zcard(keys.slots("voice")) == 0


def test_a_used_up_rate_parks_without_an_attempt(redis_url: str, client: Any) -> None:
    limits = limits_of(redis_url, voice=ProviderLimit(per_minute=2))
    limits._patience_s = 0.0
    for _ in range(2):
        with limits.slot("voice"):
            pass
    with pytest.raises(NotNow) as caught, limits.slot("voice"):
        raise AssertionError("it was let through")
    assert caught.value.retry_after_s is not None and caught.value.retry_after_s >= 1


def fail(limits: ProviderLimits, error: Exception) -> None:
    with pytest.raises(type(error)), limits.slot("voice"):
        raise error


def test_a_provider_that_is_down_is_left_alone_by_all_workers(redis_url: str, client: Any) -> None:
    one, other = limits_of(redis_url), limits_of(redis_url)
    for _ in range(3):
        fail(one, ProviderUnavailable("503"))
    for limits in (one, other):
        with pytest.raises(NotNow) as caught, limits.slot("voice"):
            raise AssertionError("it was asked")
        assert caught.value.retry_after_s is not None and 1 <= caught.value.retry_after_s <= 36


def test_it_is_asked_again_after_a_while(redis_url: str, client: Any) -> None:
    limits = limits_of(redis_url, reset_s=1.0)
    for _ in range(3):
        fail(limits, ProviderUnavailable("503"))
    deadline = time.monotonic() + 60
    while True:
        try:
            with limits.slot("voice"):
                break
        except NotNow:
            assert time.monotonic() < deadline
    fail(limits, ProviderUnavailable("once is not down"))
    with limits.slot("voice"):
        pass


def test_a_failed_trial_costs_no_attempt_and_keeps_the_vendors_hint(
    redis_url: str, client: Any
) -> None:
    limits = limits_of(redis_url, reset_s=1.0)
    for _ in range(3):
        fail(limits, ProviderUnavailable("503"))
    down, tried = ProviderUnavailable("still", retry_after_s=20), False
    deadline = time.monotonic() + 60
    while not tried:
        assert time.monotonic() < deadline
        with pytest.raises(NotNow) as caught, limits.slot("voice"):
            tried = True
            raise down
    assert caught.value.__cause__ is down
    assert caught.value.retry_after_s is not None and caught.value.retry_after_s >= 20
    with pytest.raises(NotNow), limits.slot("voice"):
        raise AssertionError("it was asked again at once")


def test_refusals_say_nothing_about_the_providers_health(redis_url: str, client: Any) -> None:
    limits = limits_of(redis_url)
    for _ in range(10):
        fail(limits, ProviderRefused("moderation"))
    with limits.slot("voice"):
        pass
