"""SIGTERM, SIGINT and a second signal: the job goes back, and nothing stays behind."""

from __future__ import annotations

import signal
import time

import pytest

from redis_queue import presence, waiting
from tests.processes.conftest import FAILING_VOICE, Stack, wait_until


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stopped_worker_hands_its_job_back_at_once(
    any_stack: Stack, number: signal.Signals
) -> None:
    worker = any_stack.started(NULL_STAGE_SECONDS=60)
    any_stack.submit("a")
    any_stack.wait_state("a", "processing")
    wait_until(lambda: any_stack.events(worker, "stage_started"))
    began = time.monotonic()
    worker.send_signal(number)
    assert worker.wait(timeout=60) == 0
    assert time.monotonic() - began < 20  # the stage takes a minute
    record = any_stack.database.jobs.get("a")
    assert record is not None
    assert (record.state, record.interruptions, record.crashes) == ("pending", 1, 0)
    assert any_stack.status("a") == "pending"
    assert any_stack.client.lrange("video_generation_queue", 0, -1) == [b"a"]
    assert waiting.counts(any_stack.client) == {"waiting": 1, "running": 0, "scheduled": 0}
    names = [line["event"] for line in any_stack.events(worker)]
    assert names[-3:] == ["job_requeued", "worker_stop_requested", "worker_shutdown_complete"]


def test_a_handed_back_job_is_taken_before_those_behind_it(stack: Stack) -> None:
    worker = stack.started(NULL_STAGE_SECONDS=60)
    stack.submit("a")
    stack.wait_state("a", "processing")
    stack.submit("b")
    worker.terminate()
    worker.wait(timeout=60)
    assert stack.client.lrange("video_generation_queue", 0, -1) == [b"a", b"b"]


def test_a_job_that_was_handed_back_goes_on_at_its_first_unfinished_stage(stack: Stack) -> None:
    worker = stack.started(NULL_STAGE_SECONDS=1)
    stack.submit("a")
    wait_until(lambda: stack.events(worker, "stage_completed"))
    worker.terminate()
    worker.wait(timeout=60)
    again = stack.started("worker-2")
    stack.wait_state("a", "completed")
    done = {line["stage"] for line in stack.events(worker, "stage_completed")}
    assert {line["stage"] for line in stack.events(again, "stage_reused")} == done
    assert done.isdisjoint(line["stage"] for line in stack.events(again, "stage_started"))


def test_a_stop_during_a_back_off_sleep_is_heard(stack: Stack) -> None:
    worker = stack.started(**FAILING_VOICE, WORKER_RETRY_BASE_S=60, WORKER_PARK_AFTER_S=600)
    stack.submit("a")
    wait_until(lambda: stack.events(worker, "job_retry_scheduled"))
    began = time.monotonic()
    worker.terminate()
    assert worker.wait(timeout=60) == 0
    assert time.monotonic() - began < 20  # the back-off takes at least 30 s
    assert stack.state("a") == "pending"


def test_an_idle_worker_just_stops(stack: Stack) -> None:
    worker = stack.started()
    wait_until(lambda: presence.workers(stack.client))
    worker.terminate()
    assert worker.wait(timeout=60) == 0
    assert stack.events(worker, "worker_shutdown_complete")[0]["reason"] == "SIGTERM"
    assert presence.workers(stack.client) == []


def test_a_second_signal_ends_it_at_once(stack: Stack) -> None:
    worker = stack.start(REDIS_URL="redis://127.0.0.1:1/0")
    wait_until(lambda: stack.events(worker, "redis_lost"))
    worker.send_signal(signal.SIGSTOP)
    worker.send_signal(signal.SIGTERM)
    worker.send_signal(signal.SIGINT)
    worker.send_signal(signal.SIGCONT)
    assert worker.wait(timeout=60) in (0, -signal.SIGINT, -signal.SIGTERM)


def test_a_worker_without_redis_says_so_in_one_line_and_waits(stack: Stack) -> None:
    worker = stack.start(REDIS_URL="redis://:sesame@127.0.0.1:1/0")
    lost = wait_until(lambda: stack.events(worker, "redis_lost"))
    assert "redis://:***@127.0.0.1:1/0" in lost[0]["hint"]
    assert "run_worker.sh up" in lost[0]["hint"]
    assert "sesame" not in stack.logs[worker.pid].read_text()
    assert worker.poll() is None
    worker.terminate()
    assert worker.wait(timeout=60) == 0
    assert len(stack.events(worker, "redis_lost")) == 1


def test_a_name_used_twice_is_two_workers(stack: Stack) -> None:
    stack.started("same")
    stack.started("same")
    rows = wait_until(lambda: len(rows := presence.workers(stack.client)) == 2 and rows)
    assert {row["worker_id"] for row in rows} == {"same"}
    assert len({row["instance"] for row in rows}) == 2
