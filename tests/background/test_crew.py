"""Background jobs in real worker processes, in the main thread and as threads beside it."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from background.enqueue import ServersBackend, use_backend
from redis_queue import presence, waiting
from tests.background import kinds
from tests.processes.conftest import ROOT, Stack, any_stack, wait_until

__all__ = ["any_stack"]

#: Settings of workers that know the tests' kinds.
KNOWN: dict[str, Any] = {
    "WORKER_BACKGROUND_MODULES": "tests.background.kinds",
    "PYTHONPATH": str(ROOT),
}


@pytest.fixture
def fleet(any_stack: Stack) -> Iterator[Stack]:
    """Real workers that know the tests' kinds, where this process enqueues."""
    before = use_backend(ServersBackend(any_stack.jobs))
    yield any_stack
    use_backend(before)


def started(fleet: Stack, name: str = "worker-1", *arguments: str, **settings: Any) -> Any:
    return fleet.started(name, *arguments, **{**KNOWN, **settings})


@pytest.mark.parametrize("concurrency", [1, 4])
def test_jobs_run_in_one_thread_or_in_several(fleet: Stack, concurrency: int) -> None:
    started(fleet, WORKER_CONCURRENCY=concurrency)
    handles = [kinds.waits.perform_async(0.2) for _ in range(8)]
    handles += [kinds.waits_async.perform_async(0.2) for _ in range(4)]
    threads = {handle.get(timeout=60) for handle in handles}
    assert len(threads) == concurrency
    assert ("MainThread" in threads) == (concurrency == 1)


def test_a_video_is_made_beside_the_threads(fleet: Stack) -> None:
    worker = started(fleet, WORKER_CONCURRENCY=2, NULL_STAGE_SECONDS=0.3)
    fleet.submit("ad")
    wait_until(lambda: fleet.events(worker, "stage_started"))
    handles = [kinds.waits.perform_async(0) for _ in range(6)]
    for handle in handles:
        handle.get(timeout=60)
    assert fleet.state("ad") == "processing"
    fleet.wait_state("ad", "completed")


@pytest.mark.parametrize("concurrency", [1, 4])
def test_a_stopped_worker_hands_back_what_it_runs(fleet: Stack, concurrency: int) -> None:
    worker = started(fleet, WORKER_CONCURRENCY=concurrency)
    handles = [kinds.waits.perform_async(60) for _ in range(concurrency)]
    wait_until(lambda: {handle.status for handle in handles} == {"processing"})
    began = time.monotonic()
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(timeout=60) == 0
    assert time.monotonic() - began < 30  # of the 60 that the jobs take
    for handle in handles:
        record = handle.record
        assert (record.state, record.interruptions, record.crashes) == ("pending", 1, 0)
        assert fleet.status(handle.id) == "pending"
    assert waiting.counts(fleet.client) == {
        "waiting": concurrency,
        "running": 0,
        "scheduled": 0,
    }


def test_a_thread_that_does_not_listen_does_not_hold_up_a_stop(
    fleet: Stack, tmp_path: Path
) -> None:
    worker = started(fleet, WORKER_CONCURRENCY=2)
    handle = kinds.deaf.perform_async(str(tmp_path))
    wait_until((tmp_path / "deaf").exists)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(timeout=60) == 0
    assert (handle.record.state, handle.record.interruptions) == ("pending", 1)


@pytest.mark.parametrize("concurrency", [1, 2])
def test_a_running_job_is_cancelled_within_a_second_or_so(fleet: Stack, concurrency: int) -> None:
    started(fleet, WORKER_CONCURRENCY=concurrency)
    handle, other = kinds.waits.perform_async(60), kinds.waits.perform_async(0)
    wait_until(lambda: handle.status == "processing")
    assert handle.cancel()
    wait_until(lambda: handle.status == "cancelled")
    other.get(timeout=60)


@pytest.mark.parametrize("concurrency", [1, 2])
def test_a_time_out_goes_past_what_a_job_catches(fleet: Stack, concurrency: int) -> None:
    worker = started(fleet, WORKER_CONCURRENCY=concurrency)
    handle = kinds.too_slow.perform_async()
    wait_until(lambda: handle.status == "failed")
    assert handle.error == "the stage did not finish within 1 s"
    assert worker.poll() is None
    kinds.noop.perform_async().get(timeout=10)


@pytest.mark.parametrize("concurrency", [1, 2])
def test_a_job_that_waits_in_its_loop_hears_its_time_out_and_a_cancellation(
    fleet: Stack, concurrency: int
) -> None:
    worker = started(fleet, WORKER_CONCURRENCY=concurrency)
    slow, called_off = kinds.too_slow_async.perform_async(), kinds.waits_async.perform_async(600)
    wait_until(lambda: slow.status == "failed")
    assert slow.error == "the stage did not finish within 1 s"
    wait_until(lambda: called_off.status == "processing")
    assert called_off.cancel()
    wait_until(lambda: called_off.status == "cancelled")
    # The thread's loop goes on with the next job.
    kinds.waits_async.perform_async(0.01).get(timeout=60)
    assert worker.poll() is None


@pytest.mark.parametrize("concurrency", [1, 3])
def test_a_killed_worker_loses_nothing_and_loops_go_on(
    fleet: Stack, concurrency: int, tmp_path: Path
) -> None:
    victim = started(fleet, WORKER_CONCURRENCY=concurrency)
    files = [tmp_path / f"items-{number}" for number in range(concurrency)]
    handles = [kinds.CountsUp.perform_async(str(path), 40, 4, 0.1) for path in files]
    wait_until(lambda: all(int(handle.record.cursor or 0) >= 8 for handle in handles))
    victim.kill()
    started(fleet, "worker-2", WORKER_CONCURRENCY=concurrency)
    for handle, path in zip(handles, files, strict=True):
        assert handle.get(timeout=60) == 40
        seen = [int(line) for line in path.read_text().split()]
        assert sorted(set(seen)) == list(range(40))
        # The part in hand when the kill came may be there twice; no finished one is.
        assert len(seen) <= 44


def test_a_queues_limit_holds_across_workers(fleet: Stack, tmp_path: Path) -> None:
    for number in range(2):
        started(
            fleet,
            f"worker-{number}",
            WORKER_QUEUES="narrow",
            WORKER_CONCURRENCY=4,
            WORKER_QUEUE_LIMITS="narrow=2",
        )
    handles = [kinds.notes_itself.perform_async(str(tmp_path), 0.1) for _ in range(12)]
    for handle in handles:
        handle.get(timeout=40)
    assert int((tmp_path / "most").read_text()) <= 2


@pytest.mark.parametrize("concurrency", [1, 4])
def test_burst_empties_the_queue_and_ends(fleet: Stack, concurrency: int) -> None:
    handles = kinds.noop.using(queue="low").perform_bulk([[] for _ in range(30)])
    worker = fleet.start(
        "burst",
        "--burst",
        WORKER_BACKGROUND_MODULES="tests.background.kinds",
        PYTHONPATH=str(ROOT),
        WORKER_CONCURRENCY=concurrency,
    )
    assert worker.wait(timeout=40) == 0
    assert {handle.status for handle in handles} == {"completed"}


def test_a_worker_tells_how_many_jobs_it_runs(fleet: Stack) -> None:
    started(fleet, WORKER_CONCURRENCY=3)
    handles = [kinds.waits.perform_async(30) for _ in range(3)]
    row = wait_until(
        lambda: next((r for r in presence.workers(fleet.client) if r["running"] == "3"), None)
    )
    assert row["state"] == "working"
    assert row["current_job"] in {handle.id for handle in handles}


def test_jobs_behind_a_slow_one_go_back_for_others(fleet: Stack) -> None:
    """Quick jobs let a worker claim ahead; then its threads are taken up by slow ones."""
    first = started(fleet, WORKER_CONCURRENCY=2)
    for handle in kinds.noop.perform_bulk([[] for _ in range(400)])[-1:]:
        handle.get(timeout=60)
    slow = kinds.waits.perform_bulk([[60], [60]])
    behind = kinds.noop.perform_bulk([[] for _ in range(40)])
    wait_until(lambda: {handle.status for handle in slow} == {"processing"})
    second = started(fleet, "worker-2", WORKER_CONCURRENCY=2)
    for handle in behind:
        handle.get(timeout=60)
    assert {handle.status for handle in slow} == {"processing"}
    assert {handle.record.interruptions for handle in behind} == {0}
    by = {line["job_id"] for line in fleet.events(second, "job_completed")}
    assert by >= {handle.id for handle in behind[-10:]}
    assert first.poll() is None


def test_what_runs_beside_a_poison_job_is_not_taken_for_one(fleet: Stack) -> None:
    """Each time the poison is run it takes with it what the other threads have in hand."""
    settings = {**KNOWN, "WORKER_CONCURRENCY": 4, "WORKER_MAX_CRASHES": 2, "WORKER_LEASE_S": 4}
    workers: list[Any] = []
    beside = kinds.waits.perform_bulk([[2.0]] * 2)
    poison = kinds.kills_its_worker.perform_async()

    def over() -> bool:
        if not workers or workers[-1].poll() is not None:
            workers.append(fleet.start(**settings))
        states = {handle.status for handle in (*beside, poison)}
        return states <= {"completed", "failed"}

    wait_until(over, within_s=180)
    assert [worker.poll() for worker in workers[:3]] == [-signal.SIGKILL] * 3
    assert poison.status == "failed" and "died 3 times" in (poison.record.error or "")
    assert [handle.status for handle in beside] == ["completed"] * 2


def test_a_video_is_not_taken_for_the_poison_job_beside_it(fleet: Stack) -> None:
    settings = {**KNOWN, "WORKER_CONCURRENCY": 4, "WORKER_MAX_CRASHES": 1, "WORKER_LEASE_S": 4}
    settings["NULL_STAGE_SECONDS"] = 2
    workers: list[Any] = []
    fleet.submit("film")
    poison = kinds.kills_its_worker.perform_async()

    def over() -> bool:
        if not workers or workers[-1].poll() is not None:
            workers.append(fleet.start(**settings))
        return {fleet.state("film"), poison.status} <= {"completed", "failed"}

    wait_until(over, within_s=180)
    assert [worker.poll() for worker in workers[:2]] == [-signal.SIGKILL] * 2
    assert poison.status == "failed"
    assert fleet.state("film") == "completed"
