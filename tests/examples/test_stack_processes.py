"""The stack example with real workers, started by its own commands."""

from __future__ import annotations

import json
import re
import shutil
import signal
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from background.handle import JobHandle
from config import EXIT_CONFIG, EXIT_UNAVAILABLE
from examples.stack.queues import load_test, system
from examples.stack.running import environment_of
from redis_queue import presence
from tests.examples import impatient
from tests.examples.readme import commands, free_port, run, serve, status_of
from tests.processes.conftest import ROOT, Stack, wait_until

README = ROOT / "examples/stack/README.md"
STACK = f"{sys.executable} -m examples.stack"


def started(fleet: Stack, line: str, **settings: object) -> Any:
    worker = serve(fleet, f"{STACK} {line}", fleet.environment(**settings))
    wait_until(lambda: fleet.events(worker, "worker_started"), what=line)
    return worker


@pytest.mark.parametrize("queue", ["system", "load_test", "media"])
def test_a_queue_is_checked(stack: Stack, queue: str) -> None:
    for settings, code in (
        ({}, 0),
        ({"REDIS_URL": "redis://127.0.0.1:1"}, EXIT_UNAVAILABLE),
        ({"WORKER_LEASE_S": "never"}, EXIT_CONFIG),
    ):
        ended = run(f"{STACK} {queue} --check", stack.environment(**settings))
        assert ended.returncode == code, ended.stderr


def test_fifty_run_at_once_and_the_queues_worker_takes_no_other_work(fleet: Stack) -> None:
    started(fleet, "load_test w")
    other = system.WorkerSettings.enqueue("system_health_check")
    handles = [load_test.WorkerSettings.enqueue("io_simulation", 30) for _ in range(60)]
    row = wait_until(
        lambda: next((r for r in presence.workers(fleet.client) if r["running"] == "50"), None)
    )
    assert (row["worker_id"], row["queues"]) == ("w", "load_test")
    states = [handle.status for handle in handles]
    assert (states.count("processing"), states.count("pending")) == (50, 10)
    assert other.status == "pending"


def test_burst_does_what_waits_and_ends(small_fleet: Stack) -> None:
    handles = [system.WorkerSettings.enqueue("system_health_check") for _ in range(3)]
    ended = run(f"{STACK} system --burst", small_fleet.environment())
    assert ended.returncode == 0, ended.stderr
    assert {handle.status for handle in handles} == {"completed"}


def test_a_task_is_ended_after_its_queues_time(small_fleet: Stack) -> None:
    environment = small_fleet.environment(**environment_of(impatient.WorkerSettings))
    worker = serve(small_fleet, f"{sys.executable} worker.py w", environment)
    handle = impatient.WorkerSettings.enqueue("io_simulation", 3600)
    wait_until(lambda: handle.status == "failed")
    assert handle.error == "the stage did not finish within 1 s"
    assert impatient.WorkerSettings.enqueue("io_simulation", 0).get(timeout=60)["seconds"] == 0
    assert worker.poll() is None


def test_a_stopped_worker_hands_its_tasks_back(fleet: Stack) -> None:
    worker = started(fleet, "load_test w")
    handles = [load_test.WorkerSettings.enqueue("io_simulation", 60) for _ in range(20)]
    wait_until(lambda: {handle.status for handle in handles} == {"processing"})
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(timeout=60) == 0
    assert {handle.status for handle in handles} == {"pending"}
    assert {handle.record.interruptions for handle in handles} == {1}


def test_a_folder_is_watched(small_fleet: Stack, tmp_path: Path) -> None:
    folder = tmp_path / "app"
    shutil.copytree(ROOT / "examples/stack/tasks", folder)
    worker = started(small_fleet, f"system --watch {folder}")
    (folder / "load.py").touch()
    wait_until(lambda: len(small_fleet.events(worker, "worker_started")) == 2)
    assert small_fleet.events(worker, "source_changed")[0]["files"] == ["load.py"]
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(timeout=60) == 0


def test_load_tests_are_run_and_reported(small_fleet: Stack) -> None:
    started(small_fleet, "load_test w")
    for load_type in ("cpu_intensive", "io_simulation", "memory_operations", "failure_testing"):
        line = f"{STACK} load-test run --type {load_type} --tasks 10 --json"
        ended = run(line, small_fleet.environment())
        assert ended.returncode == 0, ended.stderr
        report = json.loads(ended.stdout)
        failed = 5 if load_type == "failure_testing" else 0
        counted = [report[name] for name in ("tasks", "completed", "failed", "unfinished")]
        assert counted == [10, 10 - failed, failed, 0]
        assert report["errors"] == ({"this task was made to fail": 5} if failed else {})
        assert report["run_max"] >= report["run_p50"] >= 0 <= report["delayed_max"]
    assert run(f"{STACK} load-test run --type odd", small_fleet.environment()).returncode == 2


def test_health_has_an_exit_code(small_fleet: Stack) -> None:
    line = f"{STACK} health status --detailed"
    assert run(line, small_fleet.environment()).returncode == 0
    system.WorkerSettings.enqueue("system_health_check")
    waits = run(line, small_fleet.environment())
    assert waits.returncode == 1 and "system (System maintenance" in waits.stdout
    away = run(f"{line} --json", small_fleet.environment(REDIS_URL="redis://127.0.0.1:1"))
    assert away.returncode == EXIT_UNAVAILABLE
    assert json.loads(away.stdout)["redis_connected"] is False


def test_the_readme_works_from_top_to_bottom(small_fleet: Stack) -> None:
    environment, port, ran = small_fleet.environment(), free_port(), []
    for command in commands(README):
        ran.append(command)
        line = command.replace("--port 8000", f"--port {port}")
        if re.search(r"stack (load_test$|media --watch|serve)", line):
            served = serve(small_fleet, line, environment)
            if "serve" in line:
                url = f"http://127.0.0.1:{port}"
                for path in ("/health", "/health/detailed", "/queues"):
                    wait_until(partial(is_well, url + path))
            else:
                wait_until(partial(small_fleet.events, served, "worker_started"))
            continue
        ended = run(line, environment)
        assert ended.returncode == 0, (command, ended.stdout, ended.stderr)
        if "io_simulation" in line:
            assert "10 tasks of type io_simulation" in ended.stdout
            assert "completed=10 failed=0 unfinished=0" in ended.stdout
    assert len(ran) >= 13


def is_well(url: str) -> bool:
    return status_of(url) == 200


def test_the_readmes_table_and_code_are_the_examples() -> None:
    from examples.stack.registry import QUEUES

    text = README.read_text()
    for name, settings in QUEUES.items():
        row = f"| {settings.max_jobs} | {settings.job_timeout} s | {settings.max_tries} |"
        assert re.search(rf"^\| `{name}` \| .*{re.escape(row)}$", text, re.M)
    assert JobHandle("x").id == "x"
    for word in ("status", "result", "get", "cancel"):
        assert hasattr(JobHandle, word)
