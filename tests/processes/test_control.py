"""Pausing queues, quieting and stopping workers, from outside, on real workers."""

from __future__ import annotations

from typing import Any

from jobs.states import STAGES
from redis_queue import control, presence
from redis_queue.control import Order
from tests.processes.conftest import Stack, wait_until


def described(stack: Stack, name: str = "worker-1") -> dict[str, str]:
    rows = presence.workers(stack.client)
    return next((row for row in rows if row["worker_id"] == name), {})


def wait_described(stack: Stack, **wanted: str) -> dict[str, str]:
    """The worker's description, once it says so."""

    def found() -> Any:
        row = described(stack)
        return row if wanted.items() <= row.items() else None

    return dict(wait_until(found, what=str(wanted)))


def test_a_worker_tells_what_it_does(stack: Stack) -> None:
    stack.started(NULL_STAGE_SECONDS=1)
    row = wait_described(stack, state="idle", stage="", current_job="")
    assert float(row["cpu_percent"]) >= 0
    stack.submit("a")

    def names_the_stage() -> bool:
        row = described(stack)
        told = (row["state"], row["current_job"]) == ("working", "a")
        return told and row["stage"] in STAGES

    wait_until(names_the_stage)
    stack.wait_state("a", "completed")
    wait_described(stack, state="idle", current_job="")


def test_a_paused_queue_stands_still_and_goes_on(stack: Stack) -> None:
    worker = stack.started()
    control.pause(stack.client, "video")  # the worker waits at this very queue now
    for name in ("a", "b"):
        stack.submit(name)
    stack.submit("urgent", priority="high")
    stack.wait_state("urgent", "completed")
    # Another round of the worker, in which it would have claimed.
    stack.submit("urgent-too", priority="high")
    stack.wait_state("urgent-too", "completed")
    assert stack.client.llen("video_generation_queue") == 2
    assert [stack.state(name) for name in ("a", "b")] == ["pending", "pending"]
    control.resume(stack.client, "video")
    stack.wait_state("a", "completed")
    stack.wait_state("b", "completed")
    assert stack.events(worker, "queue_repaired") == []


def test_a_worker_all_of_whose_queues_are_paused_waits_and_stops_in_time(stack: Stack) -> None:
    control.pause(stack.client, "video")
    stack.submit("a")
    worker = stack.started(WORKER_QUEUES="video")
    wait_until(lambda: any(c["cmd"] == "blpop" for c in stack.client.client_list()))
    worker.terminate()
    assert worker.wait(timeout=60) == 0
    assert stack.client.llen("video_generation_queue") == 1
    control.resume(stack.client, "video")


def test_a_quiet_worker_finishes_its_job_claims_nothing_and_works_again(stack: Stack) -> None:
    worker = stack.started(NULL_STAGE_SECONDS=0.4)
    stack.submit("a")
    stack.submit("b")
    stack.wait_state("a", "processing")
    instance = wait_described(stack, state="working")["instance"]
    control.give(stack.client, instance, Order.QUIET)
    stack.wait_state("a", "completed")
    wait_described(stack, state="quiet", current_job="")
    assert stack.state("b") == "pending"
    control.give(stack.client, instance, Order.WORK)
    stack.wait_state("b", "completed")
    assert [len(stack.events(worker, e)) for e in ("worker_quieted", "worker_resumed")] == [1, 1]


def test_an_idle_worker_told_to_be_quiet_leaves_the_next_job_to_others(stack: Stack) -> None:
    stack.started()
    instance = wait_described(stack, state="idle")["instance"]
    control.give(stack.client, instance, Order.QUIET)
    wait_described(stack, state="quiet")
    other = stack.started("other")
    stack.submit("a")
    stack.wait_state("a", "completed")
    assert stack.events(other, "job_completed")


def test_a_worker_that_is_told_to_stop_hands_its_job_back(stack: Stack) -> None:
    worker = stack.started(NULL_STAGE_SECONDS=60)
    stack.submit("a")
    stack.wait_state("a", "processing")
    instance = wait_described(stack, state="working")["instance"]
    control.give(stack.client, instance, Order.STOP)
    assert worker.wait(timeout=60) == 0
    assert stack.state("a") == "pending" and stack.status("a") == "pending"
    record = stack.database.jobs.get("a")
    assert record is not None and record.crashes == 0 and record.interruptions == 1
    assert stack.client.exists(f"{{video_generation_queue}}:order:{instance}") == 0
