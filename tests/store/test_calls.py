"""Paid calls are recorded before they are made, within caps, and summed in micro-dollars."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from database import Database
from errors import LeaseLost
from store.calls import CallOwner, CallRecord, CapReached, Caps
from store.records import NewJob, utc_now
from store.stage_runs import StageKey


@pytest.fixture
def db(any_database: Database) -> Database:
    for name, fence in (("a", 10), ("b", 20)):
        any_database.jobs.accept(NewJob(name, "{}"), pushed=True)
        assert any_database.jobs.change.claim(name, fence=fence, worker_id="w", instance="i")
    return any_database


OWNER = CallOwner("a", 10, "default", "script_gen", "scope")
OTHER = CallOwner("b", 20, "default", "script_gen", "scope-b")


def begin(
    db: Database, request: str = "r", *, owner: CallOwner = OWNER, caps: Caps | None = None
) -> CallRecord:
    return db.calls.begin(
        owner, "claude", request, call_id=uuid.uuid4().hex, estimate=1000, caps=caps or Caps()
    )


def test_an_open_call_is_found_again_and_never_begun_twice(db: Database) -> None:
    first = begin(db)
    assert (first.state, first.remote_id) == ("intent", None)
    db.calls.change(OWNER, first.id, "submitted", remote_id="remote-1")
    again = begin(db)
    assert (again.id, again.state, again.remote_id) == (first.id, "submitted", "remote-1")
    db.calls.change(OWNER, first.id, "finished", cost_microusd=700, answer={"x": 1}, usage={})
    done = begin(db)
    assert (done.id, done.cost_microusd, done.answer) == (first.id, 700, {"x": 1})


def test_the_provider_names_a_call_whose_answer_was_lost(db: Database) -> None:
    lost = begin(db)
    assert not db.calls.named(lost.id, "replicate", "of-another-provider")
    assert not db.calls.named("no-such-call", "claude", "remote-1")
    assert db.calls.named(lost.id, "claude", "remote-1")
    found = begin(db)
    assert (found.id, found.state, found.remote_id) == (lost.id, "submitted", "remote-1")
    # Told again, or of what has ended since, it changes nothing.
    assert not db.calls.named(lost.id, "claude", "remote-2")
    db.calls.change(OWNER, lost.id, "failed", cost_microusd=0, reason="5xx")
    assert not db.calls.named(lost.id, "claude", "remote-3")


def test_a_failed_or_doubtful_call_makes_room_for_a_new_one(db: Database) -> None:
    first = begin(db)
    db.calls.change(OWNER, first.id, "doubtful", cost_microusd=1000, reason="crash")
    second = begin(db)
    assert second.id != first.id
    db.calls.change(OWNER, second.id, "failed", cost_microusd=0, reason="5xx")
    assert begin(db).id not in (first.id, second.id)


def test_another_question_stage_run_or_tenant_is_another_call(db: Database) -> None:
    assert len({begin(db).id, begin(db, "other").id, begin(db, owner=OTHER).id}) == 3


def test_only_the_holder_of_the_job_writes(db: Database) -> None:
    call = begin(db)
    db.jobs.change.reap("a", fence=10, stopping=False, max_crashes=5)
    with pytest.raises(LeaseLost):
        begin(db, "new")
    with pytest.raises(LeaseLost):
        db.calls.change(OWNER, call.id, "finished", cost_microusd=1)


@pytest.mark.parametrize("caps", [Caps(job=2500), Caps(day=2500), Caps(tenant_day=2500)])
def test_a_cap_is_checked_before_anything_is_spent(db: Database, caps: Caps) -> None:
    begin(db, "1", caps=caps)
    begin(db, "2", caps=caps)
    with pytest.raises(CapReached):
        begin(db, "3", caps=caps)
    assert len(db.calls.of_job("a")) == 2
    begin(db, "2", caps=caps)  # what was begun goes on


def test_a_jobs_cap_does_not_count_other_jobs(db: Database) -> None:
    begin(db, "1", owner=OTHER)
    begin(db, "1", caps=Caps(job=1000))


def test_a_cap_holds_when_many_ask_at_once(db: Database) -> None:
    def ask(number: int) -> bool:
        try:
            begin(db, str(number), caps=Caps(day=5000))
        except CapReached:
            return False
        return True

    with ThreadPoolExecutor(4) as threads:
        assert sum(threads.map(ask, range(12))) == 5


def test_costs_are_summed_with_what_was_wasted_and_what_is_in_doubt(db: Database) -> None:
    paid = begin(db, "paid")
    db.calls.change(OWNER, paid.id, "finished", cost_microusd=700, usage={})
    doubt = begin(db, "doubt")
    db.calls.change(OWNER, doubt.id, "doubtful", cost_microusd=1000, reason="crash")
    wasted = begin(db, "w", owner=OTHER)
    db.calls.change(OTHER, wasted.id, "finished", cost_microusd=50, usage={})
    db.jobs.change.fail("b", fence=20, error="later stage")
    key = StageKey("a", 10, 0, "default", "script_gen", "claude/1", "scope")
    db.stages.begin(key)
    db.stages.finish(key, data={}, files={}, progress=25)
    db.jobs.change.complete("a", fence=10, result={})
    (row,) = db.calls.costs("provider", since=utc_now() - timedelta(days=1))
    assert row == {
        "provider": "claude",
        "calls": 3,
        "spent_microusd": 1750,
        "doubtful_microusd": 1000,
        "thrown_away_microusd": 50,
    }
    (by_day,) = db.calls.costs("day", since=utc_now() - timedelta(days=1))
    assert by_day["day"] == f"{utc_now():%Y-%m-%d}"
    (by_tenant,) = db.calls.costs("tenant", since=utc_now() - timedelta(days=1))
    assert by_tenant["tenant"] == "default"
