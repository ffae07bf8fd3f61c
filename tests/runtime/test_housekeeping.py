"""Housekeeping and adoption: no entry, however odd, stops the rest, and nothing is forgotten."""

from __future__ import annotations

import json
from typing import Any

import pytest
from structlog.testing import capture_logs

from config import Settings
from database import Database
from redis_queue import epoch, keys, upkeep, waiting
from redis_queue.claim import Claim, RawEntry
from redis_queue.waiting import Waiting
from runtime.housekeeping import Housekeeping
from runtime.interrupts import Interrupts
from runtime.queue_limits import QueueLimits
from runtime.submit import Jobs
from runtime.taking import Taking
from store.records import NewJob


class Bench:
    """One round of housekeeping at a time, with a clock that only the test moves."""

    def __init__(self, client: Any, database: Database, settings: Settings) -> None:
        self.client = client
        self.store = database.jobs
        self.jobs = Jobs(database, client, final_ttl_s=3600)
        self.now = 0.0
        self.keeper = Housekeeping(
            client,
            database,
            instance="keeper",
            lease_s=15,
            max_crashes=5,
            final_ttl_s=3600,
            clock=lambda: self.now,
            patience_s=0,
        )
        self.taking = Taking(
            settings,
            client,
            database,
            Interrupts(),
            worker_id="w",
            instance="w-1",
            queues=settings.queues,
            limits=QueueLimits(client, {}, lease_s=settings.lease_s),
        )

    def rounds(self, count: int = 1, *, apart_s: float = 5.0) -> list[Any]:
        with capture_logs() as log:
            for _ in range(count):
                self.now += apart_s
                self.keeper.tick()
        return log

    def state(self, job_id: str) -> str:
        row = self.store.get(job_id)
        return row.state.value if row else ""


@pytest.fixture
def bench(client: Any, any_database: Database, null_settings: Settings) -> Bench:
    return Bench(client, any_database, null_settings)


def test_a_pushed_job_called_off_before_it_had_a_row_is_cancelled(bench: Bench) -> None:
    waiting.enqueue(bench.client, Waiting("a", "{}"), recorded=False)
    waiting.cancel(bench.client, "a", recorded=False, final_ttl_s=60)
    bench.rounds(2)
    assert bench.state("a") == "cancelled"


def test_a_cancel_that_meets_a_hand_back_reaches_the_row(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The row is running at the first look, and waits again at the second."""
    bench.jobs.submit({"id": "a", "product_name": "Mug"})
    bench.rounds()
    monkeypatch.setattr(bench.store.change, "cancel_waiting", lambda _id: None)
    assert bench.jobs.cancel("a") == "pending"
    monkeypatch.undo()
    bench.rounds()
    assert bench.state("a") == "cancelled"


@pytest.mark.parametrize(
    "odd",
    [
        b'{"id": "odd", "product_name": "Mug", "note": "\\ud800"}',
        b'{"id": "odd", "product_name": "Mug", "size": ' + b"9" * 5000 + b"}",
        b"[" * 100_000,
        b"\xff\xfe\x00",
        b'"a text"',
    ],
    ids=["half a surrogate pair", "a huge number", "deep", "no text", "no object"],
)
def test_no_foreign_entry_stops_a_worker_or_its_housekeeping(bench: Bench, odd: bytes) -> None:
    bench.client.rpush(keys.VIDEO_LIST, odd)
    bench.taking.look_at_epoch()
    found = bench.taking.next(wait=False)
    assert isinstance(found, RawEntry)
    bench.taking.adopt(found)
    bench.client.rpush(keys.RAW, odd)  # and once more, as a killed worker would leave it
    log = bench.rounds(3)
    assert [line for line in log if line["event"] == "housekeeping_failed"] == []
    assert bench.client.llen(keys.RAW) == 0
    assert len(bench.store.page()) == 1


def test_an_entry_that_cannot_be_handled_holds_up_none_of_the_others(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("bad", "good"):
        waiting.enqueue(bench.client, Waiting(name, "{}"), recorded=False)
    accept = bench.store.accept

    def fail(job: NewJob, **more: Any) -> bool:
        if job.id == "bad":
            raise ValueError("no column takes this")
        return accept(job, **more)

    monkeypatch.setattr(bench.store, "accept", fail)
    bench.client.rpush(keys.RAW, b'{"id": "raw", "product_name": "Mug"}')
    log = bench.rounds(3)
    assert "housekeeping_failed" in {line["event"] for line in log}
    assert (bench.state("good"), bench.state("raw")) == ("pending", "pending")


def test_an_id_popped_just_before_a_wipe_is_no_dead_letter(bench: Bench) -> None:
    bench.jobs.submit({"id": "a", "product_name": "Mug"})
    bench.taking.look_at_epoch()
    bench.taking._popped = bench.taking.claims.wait()
    bench.client.flushdb()
    found = bench.taking.next(wait=False)
    assert isinstance(found, RawEntry)
    assert bench.taking.adopt(found)
    assert [row.id for row in bench.store.page()] == ["a"]
    assert isinstance(bench.taking.next(wait=False), Claim)


def test_a_left_behind_entry_is_adopted_while_others_come_and_go(bench: Bench) -> None:
    bench.client.rpush(keys.RAW, b'{"id": "left", "product_name": "Mug"}')
    for number in range(4):
        passing = json.dumps({"id": f"p{number}", "product_name": "Mug"})
        bench.client.rpush(keys.RAW, passing)
        bench.rounds(apart_s=1)
        upkeep.mark_adopted(bench.client, passing.encode())
    assert bench.state("left") == "pending"


def test_a_foreign_entrys_time_is_kept(bench: Bench) -> None:
    later = {"product_name": "Mug", "run_at": "2099-01-01T00:00:00"}
    bench.client.rpush(keys.RAW, json.dumps({"id": "raw", **later}))
    payload = json.dumps({"id": "bare", **later})
    waiting.enqueue(
        bench.client, Waiting("bare", payload, due_ms=4_070_908_800_000), recorded=False
    )
    bench.rounds(3)
    for name in ("raw", "bare"):
        row = bench.store.get(name)
        assert row is not None and row.state == "scheduled"
        assert row.due_at is not None and row.due_at.year == 2099


def test_a_late_note_that_a_row_was_pushed_does_not_cover_its_replay(bench: Bench) -> None:
    bench.store.accept(NewJob("a", "{}"))
    [read] = bench.store.unpushed(older_than_s=-1)
    bench.store.change.claim("a", fence=10, worker_id="w", instance="i")
    bench.store.change.complete("a", fence=10, result={})
    bench.store.change.replay("a", from_stage=None)
    bench.store.mark_pushed([read])
    assert [row.id for row in bench.store.unpushed(older_than_s=-1)] == ["a"]


def test_a_reconciler_that_died_holds_the_others_up_for_a_moment_only(bench: Bench) -> None:
    epoch.look(bench.client)
    assert epoch.acquire(bench.client, "dead")
    assert 0 < bench.client.pttl(keys.RECONCILE_LOCK) <= 10_000


def test_a_row_that_is_claimed_while_its_lease_runs_out_is_left_alone(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The claim's own write of the row was slow: the reaper misses it, then sees it done."""
    bench.jobs.submit({"id": "a", "product_name": "Mug"})
    bench.taking.look_at_epoch()
    claim = bench.taking.next(wait=False)
    assert isinstance(claim, Claim)
    assert bench.taking.take(claim) is not None
    monkeypatch.setattr(bench.store.change, "reap", lambda *_args, **_options: None)
    before = bench.client.hgetall(keys.job("a"))
    bench.keeper.reap(upkeep.Expired("a", claim.fence, "video", stopping=False))
    assert bench.client.hgetall(keys.job("a")) == before
