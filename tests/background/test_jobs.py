"""Declaring, enqueueing and running background jobs, by a real worker in this process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from background import (
    BackgroundJob,
    JobCancelledError,
    JobFailedError,
    JobHandle,
    current_job,
    job,
)
from background.kinds import REGISTRY
from errors import InvalidInput, NotNow, PermanentError
from redis_queue import waiting
from worker import Worker

Work = Callable[[], None]


class Greet(BackgroundJob):
    @classmethod
    def perform(cls, name: str, *, loud: bool = False) -> dict[str, str]:
        return {"said": f"Hello, {name}{'!' if loud else ''}"}


class AlwaysFails(BackgroundJob):
    queue = "low"
    max_retries = 2
    retry_delay_s = 5
    retry_backoff_max = 8

    @classmethod
    def perform(cls) -> None:
        raise RuntimeError("no such luck")


class Refuses(BackgroundJob):
    @classmethod
    def perform(cls) -> None:
        raise PermanentError("never")


class Once(BackgroundJob):
    unique_for_s = 60

    @classmethod
    def perform(cls, number: int) -> int:
        return number


class Rated(BackgroundJob):
    rate_limit = "2/minute"

    @classmethod
    def perform(cls) -> None:
        return None


@job(queue="critical")
def add(left: int, right: int) -> int:
    """The sum."""
    return left + right


@job()
async def add_later(left: int, right: int) -> int:
    await asyncio.sleep(0)
    return left + right


@job(max_retries=1)
def resumes(items: list[int], break_at: int) -> list[int]:
    seen = []
    for part in current_job().batches(items, size=2):
        if break_at in part and current_job().attempt == 1:
            raise ValueError("broken")
        seen += list(part)
    return seen


def test_a_job_runs_and_its_result_is_at_its_handle(work: Work) -> None:
    handle = Greet.perform_async("Ada", loud=True)
    assert handle.status == "pending"
    work()
    assert handle.status == "completed"
    assert handle.result == handle.get(timeout=1) == {"said": "Hello, Ada!"}
    assert JobHandle(handle.id).result == handle.result


def test_perform_can_be_called_directly() -> None:
    assert Greet.perform("Ada") == {"said": "Hello, Ada"}
    assert add(1, 2) == 3
    assert resumes([1, 2, 3], break_at=99) == [1, 2, 3]


def test_functions_plain_and_async_are_jobs_too(work: Work) -> None:
    plain, other = add.perform_async(1, right=2), add_later.perform_async(3, 4)
    work()
    assert (plain.result, other.result) == (3, 7)
    assert plain.record.queue == "critical"


def test_kinds_have_stable_names() -> None:
    assert Greet.definition.name == "greet"
    assert AlwaysFails.definition.name == "always_fails"
    assert add.definition.name == "add"
    assert REGISTRY.get("add_later") is add_later.definition


def test_two_kinds_cannot_share_a_name() -> None:
    with pytest.raises(InvalidInput, match="greet is both"):

        class Other(BackgroundJob):
            kind = "greet"

            @classmethod
            def perform(cls) -> None: ...


@pytest.mark.parametrize(
    ("args", "kwargs", "named"),
    [
        ((), {}, "arguments"),
        (("a",), {"quiet": True}, "arguments"),
        ((datetime.now(UTC),), {}, "arguments"),
        (({1: 2},), {}, "arguments.0"),
        ((float("nan"),), {}, "arguments"),
        (("a\x00b",), {}, "arguments"),
        (("\ud800",), {}, "arguments"),
    ],
)
def test_arguments_are_checked_when_enqueued(
    worker: Worker, args: Any, kwargs: Any, named: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        Greet.perform_async(*args, **kwargs)
    assert caught.value.field == named
    assert worker.database.jobs.count_by_state() == {}


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"queue": "video"}, "queue"),
        ({"queue": "No Such"}, "queue"),
        ({"max_retries": -1}, "max_retries"),
        ({"rate_limit": "often"}, "rate_limit"),
        ({"cron_missed": "always"}, "cron_missed"),
        ({"timeout_s": 0}, "timeout_s"),
        ({"kind": "Not A Kind"}, "kind"),
        ({"kind": "video"}, "kind"),
    ],
)
def test_wrong_options_are_named_when_declared(options: dict[str, Any], named: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        job(**options)(lambda: None)
    assert caught.value.field == named


def test_a_failing_job_is_parked_then_failed(worker: Worker, work: Work) -> None:
    handle = AlwaysFails.perform_async()
    waits = []
    for failures in (1, 2):
        work()
        record = handle.record
        assert (record.state, record.failures) == ("scheduled", failures)
        assert record.error == "RuntimeError: no such luck"
        assert record.due_at is not None
        waits.append(round((record.due_at - record.updated_at).total_seconds()))
        worker._housekeeping.promote(handle.id)
    work()
    assert waits == [5, 8]
    assert handle.status == "failed"
    with pytest.raises(JobFailedError, match="no such luck"):
        handle.get()


def test_a_permanent_error_is_not_tried_again(work: Work) -> None:
    handle = Refuses.perform_async()
    work()
    assert (handle.status, handle.error) == ("failed", "never")


def test_a_dead_letter_can_be_replayed(worker: Worker, work: Work) -> None:
    handle = Refuses.perform_async()
    work()
    jobs = worker_jobs(worker)
    jobs.replay(handle.id)
    assert handle.status == "pending"
    work()
    assert (handle.status, handle.record.generation) == ("failed", 1)
    with pytest.raises(InvalidInput, match="from_stage"):
        jobs.replay(handle.id, from_stage="voice_gen")


def test_a_loop_goes_on_from_its_checkpoint(worker: Worker, work: Work) -> None:
    handle = resumes.perform_async([1, 2, 3, 4, 5], break_at=4)
    work()
    record = handle.record
    assert (record.state, record.cursor) == ("scheduled", "2")
    assert (record.processed_items, record.total_items, record.progress) == (2, 5, 40)
    worker._housekeeping.promote(handle.id)
    work()
    assert handle.result == [3, 4, 5]
    assert (handle.record.processed_items, handle.record.progress) == (5, 100)


def test_an_equal_unfinished_job_stands_for_another(work: Work) -> None:
    first, again, other = (Once.perform_async(number) for number in (1, 1, 2))
    assert first == again != other
    work()
    assert Once.perform_async(1) != first


def test_uniqueness_ends_with_its_time(worker: Worker) -> None:
    short = Once.using(unique_for_s=0.001)
    first = short.perform_async(7)
    assert short.perform_async(7) != first


def test_a_rate_is_kept_by_parking(work: Work) -> None:
    handles = [Rated.perform_async() for _ in range(3)]
    work()
    assert [handle.status for handle in handles] == ["completed", "completed", "scheduled"]
    record = handles[2].record
    assert record.failures == 0
    assert "no more than 2/minute" in (record.error or "")


def test_a_kind_that_nobody_knows_waits_and_is_told(worker: Worker, work: Work) -> None:
    kind = Greet.definition
    REGISTRY._kinds.pop(kind.name)
    try:
        handle = Greet.perform_async("Ada")
        work()
        assert handle.status == "scheduled"
        assert handle.error == "no worker of this queue knows the kind greet"
        known = [found.name for found in REGISTRY.all()]
        assert worker.database.groups.unknown_kinds(known) == {"greet": 1}
    finally:
        REGISTRY.add(kind)
    worker._housekeeping.promote(handle.id)
    work()
    assert handle.status == "completed"
    assert handle.record.failures == 0


def test_a_job_can_be_called_off(work: Work) -> None:
    handle = Greet.perform_async("Ada")
    assert handle.cancel()
    work()
    assert handle.status == "cancelled"
    with pytest.raises(JobCancelledError):
        handle.get()
    assert not handle.cancel()


def test_jobs_for_later_are_scheduled(worker: Worker, client: Any) -> None:
    now = datetime.now(UTC)
    soon = Greet.perform_in(delay_seconds=300, name="Ada")
    local = Greet.perform_at(datetime.now() + timedelta(hours=2), "Ada")
    zoned = Greet.perform_at(now + timedelta(hours=3), "Ada")
    for handle, wait_s in ((soon, 300), (local, 7200), (zoned, 10_800)):
        due = handle.record.due_at
        assert handle.status == "scheduled" and due is not None
        assert abs((due - now).total_seconds() - wait_s) < 60
    assert waiting.counts(client) == {"waiting": 0, "running": 0, "scheduled": 3}


def test_many_are_accepted_in_one_transaction(worker: Worker, client: Any, work: Work) -> None:
    handles = Greet.perform_bulk([["Ada"], {"name": "Bob", "loud": True}])
    assert client.llen("{video_generation_queue}:default") == 2
    work()
    assert [handle.result["said"] for handle in handles] == ["Hello, Ada", "Hello, Bob!"]
    with pytest.raises(InvalidInput):
        Greet.perform_bulk([["Ada"], []])
    assert worker.database.jobs.count_by_state() == {"completed": 2}


def test_a_result_that_is_no_json_is_a_failure(work: Work) -> None:
    odd = job("gives_a_set", max_retries=0)(lambda: {1, 2})
    handle = odd.perform_async()
    work()
    assert handle.status == "failed"
    assert (handle.error or "").startswith("result: must be JSON")


def test_not_now_costs_no_failure(work: Work) -> None:
    def ask() -> None:
        raise NotNow("the shop is closed", retry_after_s=60)

    handle = job("closed", max_retries=0)(ask).perform_async()
    work()
    assert (handle.status, handle.record.failures) == ("scheduled", 0)


def test_results_are_dropped_when_their_time_is_over(worker: Worker, work: Work) -> None:
    forgets = job("forgets", result_ttl_s=0.0)(lambda: "soon gone")
    handle = forgets.perform_async()
    kept = Greet.perform_async("Bob")
    work()
    record = handle.record
    assert record.result_until is not None
    assert worker.database.items.drop_results(datetime.now(UTC)) == 1
    assert handle.result is None and kept.result is not None
    assert worker.database.items.drop_results(datetime.now(UTC) + timedelta(days=2)) == 1


def worker_jobs(worker: Worker) -> Any:
    from background.enqueue import backend

    return backend()._jobs  # type: ignore[attr-defined]
