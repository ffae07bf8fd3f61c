"""Schedules: each tick once, whoever looks and whatever the clocks say."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import structlog
from structlog.testing import capture_logs

from background import BackgroundJob
from background.cron import Cron, declare, next_tick, schedule_of
from background.kinds import REGISTRY, Kind
from background.schedules import Schedules
from config import Settings
from database import Database
from errors import InvalidInput
from redis_queue import waiting
from runtime.submit import Jobs

START = datetime(2026, 3, 2, 10, 0, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


class Tidy(BackgroundJob):
    queue = "low"
    cron_schedule = "*/15 * * * *"

    @classmethod
    def perform(cls, note: str = "") -> str:
        return note


@pytest.fixture
def settings(null_settings: Settings) -> Settings:
    return null_settings


@pytest.fixture
def cron(database: Database, client: Any) -> Cron:
    return Cron(database.schedules, database.jobs, client)


@pytest.fixture
def people(settings: Settings, database: Database, client: Any) -> Iterator[Schedules]:
    jobs = Jobs(database, client, final_ttl_s=3600)
    yield Schedules(settings, database.schedules, jobs, client, REGISTRY)


def tidy(**options: Any) -> Kind:
    from dataclasses import replace

    return replace(Tidy.definition, options=replace(Tidy.definition.options, **options))


def test_a_tick_is_enqueued_when_it_is_due_and_once(
    cron: Cron, database: Database, client: Any, settings: Settings
) -> None:
    declare(database.schedules, [tidy()], settings, START)
    assert cron.round(START) == []
    (job_id,) = cron.round(datetime(2026, 3, 2, 10, 15, tzinfo=UTC))
    assert job_id == "cron-tidy-20260302T101500Z"
    assert cron.round(datetime(2026, 3, 2, 10, 15, 1, tzinfo=UTC)) == []
    row = database.jobs.get(job_id)
    assert row is not None and (row.kind, row.queue, row.state) == ("tidy", "low", "pending")
    assert waiting.depths(client)["low"] == 1
    (schedule,) = database.schedules.all()
    assert schedule.last_job == job_id
    assert schedule.next_at == datetime(2026, 3, 2, 10, 30, tzinfo=UTC)


def test_of_two_that_see_the_same_tick_one_enqueues_it(
    database: Database, client: Any, settings: Settings
) -> None:
    declare(database.schedules, [tidy()], settings, START)
    seen = database.schedules.due(START + 15 * MINUTE)
    first = Cron(database.schedules, database.jobs, client)
    assert len(first.round(START + 15 * MINUTE)) == 1
    late = Cron(database.schedules, database.jobs, client)
    assert [late._take(schedule, START + 15 * MINUTE) for schedule in seen] == [None]
    assert database.jobs.count_by_state() == {"pending": 1}


def test_a_clock_that_steps_back_repeats_nothing(
    cron: Cron, database: Database, settings: Settings
) -> None:
    declare(database.schedules, [tidy()], settings, START)
    assert len(cron.round(START + 15 * MINUTE)) == 1
    declare(database.schedules, [tidy()], settings, START)
    assert cron.round(START + 10 * MINUTE) == []
    assert cron.round(START + 15 * MINUTE) == []
    assert len(cron.round(START + 30 * MINUTE)) == 1


@pytest.mark.parametrize(
    ("missed", "late", "expected"),
    [
        ("once", 3 * 60, ["cron-tidy-20260302T130000Z"]),
        ("skip", 3 * 60, []),
        ("skip", 3 * 60 - 0.25, ["cron-tidy-20260302T130000Z"]),
    ],
)
def test_missed_ticks_are_run_once_or_skipped(
    cron: Cron,
    database: Database,
    settings: Settings,
    missed: str,
    late: float,
    expected: list[str],
) -> None:
    """At 13:03:30 the tick of 13:00 is missed; at 13:00:15 it is merely late."""
    declare(database.schedules, [tidy(cron_missed=missed)], settings, START)
    shift = timedelta(minutes=3 if late == 180 else 0, seconds=-15 if late != 180 else 0)
    now = START + timedelta(hours=3) + shift
    assert cron.round(now) == expected
    assert database.schedules.all()[0].next_at == datetime(2026, 3, 2, 13, 15, tzinfo=UTC)
    assert cron.round(now) == []


def test_a_paused_schedule_does_not_tick_and_makes_up_for_nothing(
    cron: Cron, people: Schedules, database: Database, settings: Settings
) -> None:
    declare(database.schedules, [tidy()], settings, START)
    assert people.pause("tidy") and not people.pause("tidy")
    declare(database.schedules, [tidy()], settings, START)
    assert cron.round(START + timedelta(days=1)) == []
    assert people.resume("tidy") and not people.resume("tidy")
    assert people.get("tidy").next_at > datetime.now(UTC) - MINUTE


def test_a_schedule_that_is_no_more_declared_goes_and_others_stay(
    people: Schedules, database: Database, settings: Settings
) -> None:
    people.add("by-hand", "tidy", "0 9 * * 1", args=["x"])
    declare(database.schedules, [tidy()], settings, START)
    declare(database.schedules, [tidy(cron_schedule=None)], settings, START)
    assert [schedule.name for schedule in people.all()] == ["by-hand"]
    people.remove("by-hand")
    assert people.all() == []


def test_a_changed_schedule_is_due_by_its_new_times(database: Database, settings: Settings) -> None:
    declare(database.schedules, [tidy()], settings, START)
    declare(database.schedules, [tidy(cron_schedule="0 12 * * *")], settings, START)
    assert database.schedules.all()[0].next_at == datetime(2026, 3, 2, 12, tzinfo=UTC)


def test_a_kind_whose_schedule_cannot_be_kept_does_not_stop_the_others(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its own mistake is logged; a worker of many kinds goes on ticking for all the rest."""
    from dataclasses import replace

    needy = replace(
        tidy(), name="needs_a_user", signature=inspect.signature(lambda user_id: user_id)
    )
    wrong = replace(tidy(cron_schedule="61 * * * *"), name="wrong_minute")
    # A fresh one: other tests' settings may have been cached in the module's own.
    monkeypatch.setattr("background.cron.log", structlog.get_logger())
    with capture_logs() as logs:
        declare(database.schedules, [needy, wrong, tidy()], settings, START)
    assert [schedule.name for schedule in database.schedules.all()] == ["tidy"]
    refused = {line["schedule"]: line["reason"] for line in logs}
    assert refused.keys() == {"needs_a_user", "wrong_minute"}
    assert "user_id" in refused["needs_a_user"]
    assert refused["wrong_minute"].startswith("cron_schedule: ")


def test_run_now_is_beside_the_ticks(
    people: Schedules, database: Database, settings: Settings
) -> None:
    declare(database.schedules, [tidy()], settings, START)
    before = people.get("tidy").next_at
    row = database.jobs.get(people.run("tidy"))
    assert row is not None and row.kind == "tidy"
    assert people.get("tidy").next_at == before


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda it: it.add("x", "nobody", "* * * * *"), "kind"),
        (lambda it: it.add("x", "tidy", "* * * *"), "cron_schedule"),
        (lambda it: it.add("x", "tidy", "61 * * * *"), "cron_schedule"),
        (lambda it: it.add("x", "tidy", "0 0 31 2 *"), "cron_schedule"),
        (lambda it: it.add("x", "tidy", "* * * * *", timezone="Mars/Base"), "cron_timezone"),
        (lambda it: it.add("x", "tidy", "* * * * *", args=[1, 2]), "arguments"),
        (lambda it: it.add("../x", "tidy", "* * * * *"), "name"),
        (lambda it: it.run("nobody"), "name"),
        (lambda it: it.once("nobody", START), "kind"),
    ],
)
def test_what_cannot_be_scheduled_is_refused_by_name(
    people: Schedules, call: Any, named: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        call(people)
    assert caught.value.field == named
    assert people.all() == []


def test_one_that_code_declares_is_not_changed_by_hand(
    people: Schedules, database: Database, settings: Settings
) -> None:
    declare(database.schedules, [tidy()], settings, START)
    for call in (lambda: people.remove("tidy"), lambda: people.add("tidy", "tidy", "0 0 * * *")):
        with pytest.raises(InvalidInput, match="declared"):
            call()


def test_a_time_that_a_clock_change_skips_or_repeats_runs_once() -> None:
    """Paris: 29 March 2026 has no 02:30, 25 October has two."""
    ticks = []
    for day in (datetime(2026, 3, 28, 12, tzinfo=UTC), datetime(2026, 10, 24, 12, tzinfo=UTC)):
        first = next_tick("30 2 * * *", "Europe/Paris", day)
        ticks += [first, next_tick("30 2 * * *", "Europe/Paris", first)]
    assert [tick.isoformat() for tick in ticks] == [
        "2026-03-29T01:00:00+00:00",
        "2026-03-30T00:30:00+00:00",
        "2026-10-25T00:30:00+00:00",
        "2026-10-26T01:30:00+00:00",
    ]


def test_a_long_name_makes_a_job_id_that_fits(settings: Settings) -> None:
    from background.cron import tick_job
    from jobs.payload import ID_PATTERN

    made = schedule_of("n" * 100, tidy(), "0 0 * * *", settings, START)
    import re

    assert re.fullmatch(ID_PATTERN, tick_job(made).id)
