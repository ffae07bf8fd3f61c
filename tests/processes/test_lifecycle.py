"""Burst, check, recycling, the pool; delayed and replayed jobs; foreign producers."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from datetime import timedelta

from store.records import utc_now
from tests.processes.conftest import ROOT, Stack, wait_until
from tests.processes.test_crashes import children_of, is_alive


def test_burst_empties_the_queue_and_exits(stack: Stack) -> None:
    for name in ("a", "b", "c"):
        stack.submit(name)
    worker = stack.start("burst", "--burst")
    assert worker.wait(timeout=30) == 0
    assert [stack.state(name) for name in ("a", "b", "c")] == ["completed"] * 3


def test_check_says_what_does_not_answer(stack: Stack) -> None:
    def check(**settings: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, str(ROOT / "worker.py"), "--check"],
            env=stack.environment(**settings),
            capture_output=True,
            text=True,
            timeout=60,
        )

    assert check().returncode == 0
    bad = check(
        REDIS_URL="redis://:sesame@127.0.0.1:1/0", DATABASE_URL="postgresql://127.0.0.1:1/x"
    )
    assert bad.returncode == 69
    assert "REDIS_URL" in bad.stderr and "DATABASE_URL" in bad.stderr
    assert "sesame" not in bad.stderr + bad.stdout


def test_a_worker_ends_itself_after_its_share_of_jobs(stack: Stack) -> None:
    for name in ("a", "b", "c"):
        stack.submit(name)
    worker = stack.start(WORKER_MAX_JOBS=2)
    assert worker.wait(timeout=30) == 0
    assert stack.events(worker, "worker_recycled")[0]["jobs_done"] == 2
    assert [stack.state(name) for name in ("a", "b", "c")] == ["completed"] * 2 + ["pending"]


def test_a_pool_replaces_a_killed_worker_and_stops_them_all(stack: Stack) -> None:
    pool = stack.start("pool", "--processes", "2")
    wait_until(lambda: len(stack.events(pool, "worker_started")) == 2)
    children = children_of(pool.pid)
    assert len(children) == 2
    os.kill(children[0], signal.SIGKILL)
    wait_until(lambda: len(stack.events(pool, "worker_started")) == 3)
    children = children_of(pool.pid)
    pool.terminate()
    assert pool.wait(timeout=60) == 0
    assert not any(is_alive(child) for child in children)


def test_a_pool_whose_workers_cannot_boot_ends(stack: Stack) -> None:
    # The parent reads its settings before the children do, so the fault is put in between.
    pool = stack.start("pool", "--processes", "2", WORKER_LEASE_S="never")
    assert pool.wait(timeout=30) == 78


def test_a_scheduled_job_waits_for_its_time(stack: Stack) -> None:
    worker = stack.started()
    stack.submit("later", run_at=(utc_now() + timedelta(seconds=1.5)).isoformat())
    stack.submit("now")
    assert stack.state("later") == "scheduled"
    stack.wait_state("now", "completed")
    assert stack.state("later") == "scheduled"
    stack.wait_state("later", "completed")
    record = stack.database.jobs.get("later")
    assert record is not None and record.started_at is not None
    assert record.started_at - record.created_at >= timedelta(seconds=1.5)
    assert stack.events(worker, "job_promoted")


def test_a_replay_from_a_stage_runs_that_stage_and_later_ones_anew(stack: Stack) -> None:
    worker = stack.started()
    stack.submit("a")
    stack.wait_state("a", "completed")
    stack.jobs.replay("a", from_stage="video_gen")
    wait_until(lambda: len(stack.events(worker, "job_completed")) == 2)
    started = [line["stage"] for line in stack.events(worker, "stage_started")]
    assert started[4:] == ["video_gen", "compositing"]
    reused = [line["stage"] for line in stack.events(worker, "stage_reused")]
    assert reused == ["script_gen", "voice_gen"]


def test_a_replay_comes_through_although_the_last_holder_died_at_the_very_end(stack: Stack) -> None:
    """The row says completed, Redis still says processing, and nobody is there to tell it."""
    first = stack.start("first", WORKER_KILL_AT="row_settled")
    stack.submit("a")
    first.wait(timeout=30)
    assert stack.state("a") == "completed"
    stack.jobs.replay("a", from_stage="compositing")
    second = stack.started("second")
    wait_until(lambda: stack.events(second, "job_completed"))
    stack.wait_state("a", "completed")
    assert [line["stage"] for line in stack.events(second, "stage_started")] == ["compositing"]


def test_equal_jobs_share_their_stages(stack: Stack) -> None:
    worker = stack.started()
    for name in ("a", "b"):
        stack.jobs.submit({"id": name, "product_name": "The same", "priority": "high"})
    stack.wait_state("a", "completed")
    stack.wait_state("b", "completed")
    assert len(stack.events(worker, "stage_started")) == 4
    assert len(stack.events(worker, "stage_reused")) == 4


def test_an_idempotency_key_makes_two_submits_one_job(stack: Stack) -> None:
    first = stack.jobs.submit({"id": "a", "product_name": "x", "idempotency_key": "k"})
    again = stack.jobs.submit({"id": "b", "product_name": "x", "idempotency_key": "k"})
    assert (first.created, again.created, again.job_id) == (True, False, "a")
    assert stack.client.llen("video_generation_queue") == 1


def test_foreign_entries_are_run_or_dead_lettered(any_stack: Stack) -> None:
    good = {"id": "foreign", "product_name": "Mug", "style": "bold", "cta_text": "x", "extra": 1}
    stack = any_stack
    stack.client.rpush(
        "video_generation_queue",
        json.dumps(good),
        b"{broken",
        b"\xff\xfe\x00",
        b'{"id": "no-name"}',
    )
    stack.started()
    stack.wait_state("foreign", "completed")
    record = stack.database.jobs.get("foreign")
    assert record is not None and json.loads(record.payload)["extra"] == 1
    dead = wait_until(lambda: len(rows := stack.database.jobs.page(state="failed")) == 3 and rows)
    errors = sorted(row.error or "" for row in dead)
    assert errors[0] == errors[1] == "payload: is not a job id and not a JSON object"
    assert errors[2] == "product_name: is required"
    assert stack.client.llen("video_generation_queue") == 0


def test_a_bare_push_gets_its_row_while_workers_are_busy(stack: Stack) -> None:
    stack.started(NULL_STAGE_SECONDS=60)
    stack.submit("busy")
    stack.wait_state("busy", "processing")
    stack.queue.enqueue_job("bare", {"product_name": "Mug"})
    stack.client.rpush("video_generation_queue", json.dumps({"id": "raw", "product_name": "Mug"}))
    stack.wait_state("bare", "pending")
    stack.wait_state("raw", "pending")
    assert stack.client.llen("video_generation_queue") == 2
