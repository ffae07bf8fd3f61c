"""How often the overview is made, however many look at it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from api import overview
from api.overview import Overviews
from database import Database


class Clock:
    """Stands still between two makings."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(overview, "time", made)
    return made


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> list[str | None]:
    """For whom it was made; each takes 50 ms of the clock."""
    done: list[str | None] = []
    real = overview.overview

    def slow(database: Database, tenant: str | None) -> Any:
        done.append(tenant)
        clock.now += 0.05
        return real(database, tenant)

    monkeypatch.setattr(overview, "overview", slow)
    return done


def test_all_who_look_at_once_share_one(database: Database, made: list[str | None]) -> None:
    kept = Overviews()
    with ThreadPoolExecutor(16) as threads:
        seen = list(threads.map(lambda _: kept.of(database, None), range(64)))
    assert made == [None]
    assert all(one is seen[0] for one in seen)


def test_it_is_made_anew_after_ten_times_as_long_as_it_took(
    database: Database, made: list[str | None], clock: Clock
) -> None:
    kept = Overviews()
    first = kept.of(database, None)
    clock.now += 0.49
    assert kept.of(database, None) is first
    clock.now += 0.02
    assert kept.of(database, None) is not first
    assert len(made) == 2


def test_each_tenant_has_its_own(database: Database, made: list[str | None]) -> None:
    kept = Overviews()
    for tenant in ("acme", "other", None, "acme"):
        kept.of(database, tenant)
    assert made == ["acme", "other", None]
