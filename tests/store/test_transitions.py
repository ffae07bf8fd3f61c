"""Each transition is one compare-and-set, on SQLite and on PostgreSQL alike."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from database import Database
from errors import LeaseLost
from jobs.states import JobState
from store.engine import writing
from store.records import NewJob, utc_now
from store.stage_runs import Busy, Done, Mine, StageKey


@pytest.fixture
def db(any_database: Database) -> Database:
    any_database.jobs.accept(NewJob("a", "{}"), pushed=True)
    return any_database


def hold(db: Database, job_id: str = "a", fence: int = 10) -> None:
    assert db.jobs.change.claim(job_id, fence=fence, worker_id="w", instance="i")


def key(
    stage: str = "script_gen", *, job: str = "a", fence: int = 10, hash_: str = "h"
) -> StageKey:
    return StageKey(job, fence, 0, "default", stage, "null/1", hash_)


def test_schema_can_be_brought_up_to_date_twice_and_at_once(any_database_url: str) -> None:
    def init(_: int) -> None:
        opened = Database(any_database_url)
        opened.init()
        opened.close()

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(init, range(8)))


def test_an_id_is_accepted_once(db: Database) -> None:
    assert not db.jobs.accept(NewJob("a", '{"other": 1}'))
    record = db.jobs.get("a")
    assert record is not None and record.payload == "{}"


def test_an_idempotency_key_is_accepted_once_per_tenant(db: Database) -> None:
    assert db.jobs.accept(NewJob("b", "{}", idempotency_key="k"))
    assert not db.jobs.accept(NewJob("c", "{}", idempotency_key="k"))
    assert db.jobs.accept(NewJob("d", "{}", idempotency_key="k", tenant="other"))
    found = db.jobs.by_idempotency_key("default", "k")
    assert found is not None and found.id == "b"


def test_only_one_claim_wins(db: Database) -> None:
    hold(db)
    assert not db.jobs.change.claim("a", fence=11, worker_id="w2", instance="i2")


def test_a_repeated_claim_after_a_lost_answer_is_won(db: Database) -> None:
    hold(db)
    hold(db)


def test_a_lower_fence_is_refused(db: Database) -> None:
    hold(db, fence=10)
    assert db.jobs.change.hand_back("a", fence=10)
    assert not db.jobs.change.claim("a", fence=11, worker_id="w", instance="late")
    assert db.jobs.change.claim("a", fence=12, worker_id="w", instance="i")


def test_only_the_holder_settles(db: Database) -> None:
    hold(db)
    assert not db.jobs.change.complete("a", fence=9, result={})
    assert not db.jobs.change.fail("a", fence=11, error="x")
    done = db.jobs.change.complete("a", fence=10, result={"x": 1})
    assert done is not None and done.state == JobState.COMPLETED and done.result == {"x": 1}
    assert db.jobs.change.complete("a", fence=10, result={}), "a repeat of the winner's is won"
    assert not db.jobs.change.fail("a", fence=10, error="too late")


def test_of_a_settle_and_a_cancel_the_first_wins(db: Database) -> None:
    hold(db)
    assert db.jobs.change.cancel_held("a", fence=10)
    assert not db.jobs.change.complete("a", fence=10, result={})
    record = db.jobs.get("a")
    assert record is not None and record.state == JobState.CANCELLED


def test_handing_back_is_free_but_counted(db: Database) -> None:
    hold(db)
    back = db.jobs.change.hand_back("a", fence=10)
    assert back is not None
    assert (back.state, back.fence, back.interruptions, back.crashes) == ("pending", 11, 1, 0)
    assert back.worker_id is None


def test_a_parked_job_keeps_its_failures(db: Database) -> None:
    hold(db)
    due = utc_now() + timedelta(seconds=60)
    parked = db.jobs.change.park("a", fence=10, due_at=due, error="429", failures=2)
    assert parked is not None and parked.state == JobState.SCHEDULED and parked.failures == 2
    assert parked.due_at is not None and abs((parked.due_at - due).total_seconds()) < 0.01
    promoted = db.jobs.change.promote("a")
    assert promoted is not None and promoted.state == JobState.PENDING and promoted.failures == 2
    assert db.jobs.change.promote("a") is None


def test_crashes_are_counted_wait_longer_and_end_as_poison(db: Database) -> None:
    states, waits = [], []
    fence = 10
    for _ in range(4):
        hold(db, fence=fence)
        reaped = db.jobs.change.reap("a", fence=fence, stopping=False, max_crashes=3)
        assert reaped is not None and reaped.fence == fence + 1
        states.append(reaped.state.value)
        if reaped.due_at is not None:
            waits.append(round((reaped.due_at - reaped.updated_at).total_seconds()))
        if reaped.state == JobState.SCHEDULED:
            db.jobs.change.promote("a")
        fence += 10
    assert states == ["pending", "scheduled", "scheduled", "failed"]
    assert waits[:2] == [1, 2]
    record = db.jobs.get("a")
    assert record is not None and record.error and "died 4 times" in record.error


def test_a_kill_while_stopping_is_an_interruption(db: Database) -> None:
    hold(db)
    reaped = db.jobs.change.reap("a", fence=10, stopping=True, max_crashes=0)
    assert reaped is not None and (reaped.state, reaped.crashes) == ("pending", 0)
    assert reaped.interruptions == 1


def test_a_renewed_job_is_not_reaped_by_an_old_fence(db: Database) -> None:
    hold(db, fence=10)
    assert db.jobs.change.reap("a", fence=9, stopping=False, max_crashes=5) is None


def test_replay_forgets_the_named_stage_and_all_later_ones(db: Database) -> None:
    hold(db)
    assert db.jobs.change.replay("a", from_stage=None) is None, "it runs"
    db.jobs.change.fail("a", fence=10, error="x")
    again = db.jobs.change.replay("a", from_stage="video_gen")
    assert again is not None and again.state == JobState.PENDING and again.generation == 1
    assert again.stage_generations == {"video_gen": 1, "compositing": 1}
    assert again.error is None and not again.pushed


def test_a_finished_stage_is_found_again_by_any_job(db: Database) -> None:
    db.jobs.accept(NewJob("b", "{}"), pushed=True)
    hold(db)
    hold(db, "b", fence=20)
    assert db.stages.begin(key()) == Mine(1)
    db.stages.finish(key(), data={"x": [1]}, files={"f": {"key": "k"}}, progress=25)
    assert db.stages.begin(key()) == Done({"x": [1]}, {"f": {"key": "k"}})
    assert db.stages.begin(key(job="b", fence=20)) == Done({"x": [1]}, {"f": {"key": "k"}})
    lines = db.jobs.time_line("b")
    assert [(line["stage"], line["reused"]) for line in lines] == [("script_gen", True)]


def test_two_jobs_that_meet_do_not_both_run_a_stage(db: Database) -> None:
    db.jobs.accept(NewJob("b", "{}"), pushed=True)
    hold(db)
    hold(db, "b", fence=20)
    assert db.stages.begin(key()) == Mine(1)
    assert db.stages.begin(key(job="b", fence=20)) == Busy()
    db.jobs.change.reap("a", fence=10, stopping=False, max_crashes=5)
    assert db.stages.begin(key(job="b", fence=20)) == Mine(2), "its owner died: taken over"


def test_a_worker_that_lost_its_job_writes_no_stage(db: Database) -> None:
    hold(db)
    db.stages.begin(key())
    db.jobs.change.reap("a", fence=10, stopping=False, max_crashes=5)
    with pytest.raises(LeaseLost):
        db.stages.finish(key(), data={}, files={}, progress=25)
    with pytest.raises(LeaseLost):
        db.stages.begin(key("voice_gen"))


def test_a_finished_stage_sets_the_budgets_back(db: Database) -> None:
    hold(db)
    db.jobs.change.reap("a", fence=10, stopping=False, max_crashes=5)
    hold(db, fence=20)
    db.stages.begin(key(fence=20))
    db.stages.fail(key(fence=20), failures=2)
    record = db.jobs.get("a")
    assert record is not None and (record.crashes, record.failures) == (1, 2)
    db.stages.finish(key(fence=20), data={}, files={}, progress=25)
    record = db.jobs.get("a")
    assert record is not None and (record.crashes, record.failures) == (0, 0)


def test_rows_that_redis_was_never_told_of_are_found(db: Database) -> None:
    db.jobs.accept(NewJob("b", "{}"))
    assert [record.id for record in db.jobs.unpushed(older_than_s=-1)] == ["b"]
    assert db.jobs.unpushed(older_than_s=60) == []
    db.jobs.mark_pushed(db.jobs.unpushed(older_than_s=-1))
    assert db.jobs.unpushed(older_than_s=-1) == []


def test_unfinished_rows_come_in_batches_oldest_first(db: Database) -> None:
    for number in range(1100):
        db.jobs.accept(NewJob(f"n{number:04}", "{}"), pushed=True)
    batches = list(db.jobs.unfinished())
    ids = [record.id for batch in batches for record in batch]
    assert len(batches) == 3 and len(set(ids)) == 1101
    assert ids[0] == "a"


def test_a_dead_letter_keeps_its_bytes(db: Database) -> None:
    assert db.jobs.accept_dead(NewJob("raw-1", "{}"), error="no", raw=b"\xff\x00")
    assert not db.jobs.accept_dead(NewJob("raw-1", "{}"), error="no", raw=b"\xff\x00")
    record = db.jobs.get("raw-1")
    assert record is not None and record.state == JobState.FAILED


def test_reading_does_not_wait_for_a_writer(tmp_path: Path) -> None:
    """On SQLite one writer at a time is enough; readers see the row as it was before."""
    url = f"sqlite:///{tmp_path / 'test.db'}"
    writer, reader = Database(url), Database(url)
    writer.init()
    writer.jobs.accept(NewJob("a", "{}"))
    with writing(writer.engine):
        assert reader.jobs.get("a") is not None
    writer.close()
    reader.close()


def test_a_damaged_result_is_forgotten_once_and_its_successor_is_kept(db: Database) -> None:
    """Two jobs find the same damaged result; one has it made again before the other forgets it."""
    hold(db)
    db.stages.begin(key())
    db.stages.finish(key(), data={}, files={}, progress=25)
    found = db.stages.begin(key())
    assert isinstance(found, Done)
    db.stages.forget("default", "h", found)
    assert isinstance(db.stages.begin(key()), Mine)
    db.stages.forget("default", "h", found)  # while it is being made again
    db.stages.finish(key(), data={"made": "again"}, files={}, progress=25)
    db.stages.forget("default", "h", found)  # and after
    again = db.stages.begin(key())
    assert isinstance(again, Done) and again.data == {"made": "again"}
