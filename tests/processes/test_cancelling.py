"""Cancellation from anywhere, time-outs, and limits on children."""

from __future__ import annotations

from tests.processes.conftest import FAILING_VOICE, Stack, wait_until
from tests.processes.test_crashes import children_of, is_alive


def test_a_running_job_is_cancelled_within_a_second(any_stack: Stack) -> None:
    worker = any_stack.started(NULL_STAGE_SECONDS=60)
    any_stack.submit("a")
    wait_until(lambda: any_stack.events(worker, "stage_started"))
    assert any_stack.jobs.cancel("a") == "processing"
    any_stack.wait_state("a", "cancelled", within_s=10)  # it would go on for minutes
    wait_until(lambda: any_stack.status("a") == "cancelled")
    any_stack.submit("b")
    any_stack.wait_state("b", "processing")


def test_redis_client_alone_cancels_too(stack: Stack) -> None:
    worker = stack.started(NULL_STAGE_SECONDS=60)
    stack.submit("a")
    stack.submit("b")
    wait_until(lambda: stack.events(worker, "stage_started"))
    assert stack.queue.cancel_job("b")
    assert stack.queue.cancel_job("a")
    stack.wait_state("a", "cancelled")
    stack.wait_state("b", "cancelled")
    assert not stack.queue.cancel_job("a")


def test_cancelling_kills_the_stages_children(stack: Stack) -> None:
    worker = stack.started(SCRIPT_PROVIDER="template", VOICE_PROVIDER="piper")
    stack.submit("a", duration_s=60)
    children = wait_until(lambda: children_of(worker.pid), what="a voice process")
    stack.jobs.cancel("a")
    stack.wait_state("a", "cancelled", within_s=10)
    assert not any(is_alive(child) for child in children)
    assert worker.poll() is None


def test_a_waiting_job_is_cancelled_at_once(stack: Stack) -> None:
    stack.submit("a")
    assert stack.jobs.cancel("a") == "pending"
    assert (stack.state("a"), stack.status("a")) == ("cancelled", "cancelled")
    assert stack.client.llen("video_generation_queue") == 0


def test_a_stage_past_its_time_is_tried_again_and_then_fails(stack: Stack) -> None:
    worker = stack.started(NULL_STAGE_SECONDS=60, WORKER_STAGE_TIMEOUT_S=1, WORKER_STALL_S=1)
    stack.submit("a")
    stack.wait_state("a", "failed", within_s=90)
    record = stack.database.jobs.get("a")
    assert record is not None and record.error == "script_gen: the stage did not finish within 1 s"
    assert len(stack.events(worker, "job_retry_scheduled")) == 3


def test_a_child_above_its_memory_fails_its_stage_with_a_reason(stack: Stack) -> None:
    worker = stack.started(**FAILING_VOICE)
    stack.submit("a")
    stack.wait_state("a", "failed", within_s=90)
    record = stack.database.jobs.get("a")
    assert record is not None and record.error is not None
    assert "voice_gen" in record.error and "64 MB" in record.error
    delays = [line["delay_s"] for line in stack.events(worker, "job_retry_scheduled")]
    assert delays == [0.05, 0.1, 0.2]
    assert worker.poll() is None
