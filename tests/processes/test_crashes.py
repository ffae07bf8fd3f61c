"""Workers that die or freeze: the job goes on elsewhere, and finished stages are not run again."""

from __future__ import annotations

import signal
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

from tests.processes.conftest import Stack, wait_until


def children_of(pid: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[1]) == pid:
                found.append(int(entry.name))
    return found


def is_alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_killed_workers_job_goes_on_at_its_first_unfinished_stage(any_stack: Stack) -> None:
    first = any_stack.started("first", NULL_STAGE_SECONDS=1)
    any_stack.submit("a")
    wait_until(lambda: any_stack.events(first, "stage_completed"))
    first.kill()
    second = any_stack.started("second")
    any_stack.wait_state("a", "completed")
    record = any_stack.database.jobs.get("a")
    assert record is not None and record.worker_id == "second"
    wait_until(lambda: any_stack.status("a") == "completed")
    done = {line["stage"] for line in any_stack.events(first, "stage_completed")}
    assert done == {line["stage"] for line in any_stack.events(second, "stage_reused")}
    assert any_stack.events(second, "job_reaped")[0]["crashes"] == 1


def test_a_killed_workers_children_die_with_it(stack: Stack) -> None:
    worker = stack.started(SCRIPT_PROVIDER="template", VOICE_PROVIDER="piper")
    stack.submit("a", duration_s=60)
    children = wait_until(lambda: children_of(worker.pid), what="a voice process")
    worker.kill()
    worker.wait()
    wait_until(lambda: not any(is_alive(child) for child in children), within_s=10)


def test_a_poisonous_job_fails_and_takes_no_fleet_down(stack: Stack) -> None:
    stack.submit("poison")
    for number in range(3):
        worker = stack.started(
            f"victim-{number}", NULL_STAGE_SECONDS=60, WORKER_LEASE_S=1, WORKER_MAX_CRASHES=2
        )
        wait_until(partial(stack.events, worker, "stage_started"))
        worker.kill()
        worker.wait()
    stack.started("last", WORKER_LEASE_S=1, WORKER_MAX_CRASHES=2)
    stack.wait_state("poison", "failed")
    record = stack.database.jobs.get("poison")
    assert record is not None and record.error == "its worker died 3 times in stage script_gen"
    stack.submit("b")
    stack.wait_state("b", "completed")


def test_a_worker_that_wakes_after_its_lease_changes_nothing(any_stack: Stack) -> None:
    sleeper = any_stack.started("sleeper", NULL_STAGE_SECONDS=1)
    any_stack.submit("a")
    # Frozen while a stage runs: inside a transaction it would hold SQLite's one write lock.
    wait_until(lambda: any_stack.events(sleeper, "stage_started"))
    sleeper.send_signal(signal.SIGSTOP)
    any_stack.started("other")
    any_stack.wait_state("a", "completed")
    before = any_stack.database.jobs.get("a")
    lines = any_stack.database.jobs.time_line("a")
    sleeper.send_signal(signal.SIGCONT)
    wait_until(lambda: any_stack.events(sleeper, "job_lease_lost"), what="lease lost")
    assert any_stack.database.jobs.get("a") == before
    assert any_stack.database.jobs.time_line("a") == lines
    any_stack.submit("b")
    any_stack.wait_state("b", "completed")


def test_an_id_popped_by_a_worker_that_was_killed_is_run(stack: Stack) -> None:
    """The gap between BLPOP and claim: the id is nowhere but in the ledger."""
    stack.submit("a")
    assert stack.client.lpop("video_generation_queue") == b"a"
    worker = stack.started()
    stack.wait_state("a", "completed")
    assert stack.events(worker, "queue_repaired")[0]["missing"] == 1


def test_many_kills_lose_no_job_and_run_no_finished_stage_twice(stack: Stack) -> None:
    """A short chaos run; benchmarks/chaos.py is the long one."""
    jobs = [stack.submit(f"job-{number}") for number in range(12)]
    settings: dict[str, Any] = {
        "NULL_STAGE_SECONDS": 0.15,
        "WORKER_LEASE_S": 1,
        "WORKER_MAX_CRASHES": 1000,
    }
    fleet = [stack.started(f"w{number}", **settings) for number in range(2)]
    everyone = list(fleet)
    for round_ in range(8):
        victim = fleet[round_ % 2]
        seen = len(stack.events(victim, "stage_started"))

        def moved(victim: Any = victim, seen: int = seen) -> bool:
            begun = len(stack.events(victim, "stage_started")) > seen
            return begun or all(stack.state(job) == "completed" for job in jobs)

        wait_until(moved)
        victim.kill()
        victim.wait()
        fleet[round_ % 2] = stack.started(f"w{round_ % 2}-{round_}", **settings)
        everyone.append(fleet[round_ % 2])
    for job in jobs:
        stack.wait_state(job, "completed", within_s=60)
    finished = Counter(
        (line["job_id"], line["stage"])
        for worker in everyone
        for line in stack.events(worker, "stage_completed")
    )
    assert max(finished.values()) == 1, "a finished stage was run again"
    completed = Counter(
        line["job_id"] for worker in everyone for line in stack.events(worker, "job_completed")
    )
    assert max(completed.values()) == 1
