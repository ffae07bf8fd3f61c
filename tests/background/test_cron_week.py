"""A simulated week of schedules: three workers on two hosts whose clocks disagree."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from background.cron import schedule_of
from background.kinds import Kind, Options, make_kind
from config import load_settings
from database import Database
from tests.background.cron_host import LOOKS, NOW

ROOT = Path(__file__).resolve().parents[2]
BEGIN = datetime(2026, 2, 2, tzinfo=UTC)
END = BEGIN + timedelta(days=7)
#: Seconds by which the two hosts' clocks are wrong; the third worker is the second host's.
SKEWS = (-25.0, 40.0, 40.0)
#: Longer steps than the schedules' shortest gap would be an outage, not a week of work.
STEPS_S = (60, 600)
SECONDS_FOR_ALL = 240.0


def kind(name: str) -> Kind:
    return make_kind(name, lambda: None, Options(), named_like=name, origin="test")


def expected() -> dict[str, set[datetime]]:
    """What a calendar says, worked out without the library that the code asks."""
    days = [BEGIN + timedelta(days=number) for number in range(8)]
    quarters = {day + timedelta(minutes=15 * n) for day in days for n in range(96)}
    return {
        "quarters": {tick for tick in quarters if BEGIN < tick <= END},
        "hours": {tick for tick in quarters if BEGIN < tick <= END and tick.minute == 0},
        # Nine in Paris is eight in UTC, in winter.
        "mornings": {day + timedelta(hours=8) for day in days if day + timedelta(hours=8) <= END},
        "sundays": {day + timedelta(hours=2) for day in days if day.weekday() == 6},
    }


def hosts(redis_url: str, database_url: str) -> Iterator[subprocess.Popen[bytes]]:
    while True:
        for skew_s in SKEWS:
            yield subprocess.Popen(
                [
                    *(sys.executable, "-m", "tests.background.cron_host"),
                    *(redis_url, database_url, str(skew_s)),
                ],
                cwd=ROOT,
                env={**os.environ},
            )


def looked(client: Any, before: int, deadline: float) -> None:
    """Until somebody has looked at the time as it is now: each may have had one look in hand."""
    while int(client.get(LOOKS) or 0) < before + len(SKEWS) + 1:
        assert time.monotonic() < deadline, "nobody looks"
        time.sleep(0.001)


def test_in_a_week_each_tick_comes_once_and_none_is_missed(
    any_database: Database, any_database_url: str, redis_url: str, client: Any
) -> None:
    rng = random.Random(7)
    settings = load_settings(_env_file=None)
    for name, cron, zone in (
        ("quarters", "*/15 * * * *", None),
        ("hours", "0 * * * *", None),
        ("mornings", "0 9 * * *", "Europe/Paris"),
        ("sundays", "0 2 * * 0", None),
    ):
        made = schedule_of(name, kind(name), cron, settings, BEGIN, timezone=zone)
        any_database.schedules.put(made)
    client.set(NOW, BEGIN.timestamp())
    coming = hosts(redis_url, any_database_url)
    running = [next(coming) for _ in SKEWS]
    now, deadline = BEGIN, time.monotonic() + SECONDS_FOR_ALL
    restarts = steps_back = 0
    try:
        while now < END + timedelta(minutes=1):
            now += timedelta(seconds=rng.randint(*STEPS_S))
            client.set(NOW, now.timestamp())
            looked(client, int(client.get(LOOKS) or 0), deadline)
            if rng.random() < 0.006:
                victim = rng.randrange(len(running))
                running[victim].kill()
                running[victim].wait()
                running[victim] = next(coming)
                restarts += 1
            if rng.random() < 0.01:
                client.set(NOW, (now - timedelta(minutes=10)).timestamp())
                looked(client, int(client.get(LOOKS) or 0), deadline)
                steps_back += 1
    finally:
        client.delete(NOW)
        for process in running:
            process.kill()
            process.wait()
    assert restarts > 3 and steps_back > 10
    jobs = any_database.jobs.page(limit=5000)
    for name, ticks in expected().items():
        ids = [job.id for job in jobs if job.kind == name]
        wanted = {f"cron-{name}-{tick:%Y%m%dT%H%M%SZ}" for tick in ticks}
        assert len(ids) == len(set(ids))
        assert set(ids) >= wanted, f"{name}: missed {sorted(wanted - set(ids))[:5]}"
        # Where the clock ended a little after the week, and a host is ahead, one more has come.
        assert len(set(ids) - wanted) <= 1
