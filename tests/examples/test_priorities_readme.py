"""What the priority-queue application's README shows works as shown."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from background import testing
from background.enqueue import ServersBackend, use_backend
from background.kinds import REGISTRY, Options
from config import Settings, variable_of
from examples.priorities.settings import PrioritySettings
from examples.priorities.workers.data_processing_worker import DataProcessingWorker
from examples.priorities.workers.idempotent_worker import IdempotentWorker
from examples.priorities.workers.resource_aware_worker import ResourceAwareWorker
from tests.examples.commands import (
    await_line,
    needs_redis_cli,
    run_shown,
    shown_commands,
    shown_python,
)
from tests.processes.conftest import ROOT, Stack, wait_until

PAGE = ROOT / "examples" / "priorities" / "README.md"
MODULES = {"WORKER_BACKGROUND_MODULES": "examples.priorities.jobs"}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as opened:
        return int(opened.getsockname()[1])


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of this one: its var/ is its own."""
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    copy = tmp_path / "checkout"
    for name in names.splitlines():
        if not name.startswith(("tests/", "docs/")) and (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, copy / name)
    return copy


@pytest.fixture
def up(checkout: Path, tmp_path: Path) -> Iterator[Path]:
    """`./run_worker.sh up` there; gives its log."""
    assert "./run_worker.sh up" in shown_commands(PAGE)
    log = tmp_path / "up.log"
    port = str(free_port())
    env = {
        **os.environ,
        **MODULES,
        "WORKER_LOG_FORMAT": "json",
        "API_PORT": port,
        "WORKER_HEALTH_CHECK_URL": f"http://localhost:{port}/health",
    }
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, str(checkout / "cli.py"), "up"], env=env, stdout=file, stderr=file
        )
    wait_until(lambda: log.read_text().count('"worker_started"') == 2, within_s=90, what="up")
    yield log
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=60) == 0


def test_up_and_the_commands_beside_it(up: Path, checkout: Path) -> None:
    (exported,) = shown_commands(PAGE, "export ")
    said = {}
    for command in shown_commands(PAGE, ".venv/bin/python cli.py "):
        ended = run_shown(command, os.environ, {}, before=exported, cwd=checkout)
        assert ended.returncode == 0, (command, ended.stderr)
        said[command.removeprefix(".venv/bin/python cli.py ").split(" --args")[0]] = ended.stdout
    for name in ("data_processing_worker", "health_check_worker", "idempotent_worker"):
        assert name in said["kinds"]
        job_id = said[f"enqueue {name}"].strip()
        await_line(up, f'"job_completed".*{job_id}')
    assert "health_check_worker" in said["schedule list"]
    # It asked the API that `up` runs.
    assert '"message": "Backend is healthy"' in up.read_text()
    found = re.search(r"(http://\S+)/#token=(\S+)", up.read_text())
    assert found is not None
    asked = urllib.request.Request(
        f"{found[1]}/jobs/{said['enqueue data_processing_worker'].strip()}",
        headers={"Authorization": f"Bearer {found[2]}"},
    )
    with urllib.request.urlopen(asked) as answer:
        assert b'"completed"' in answer.read()


@needs_redis_cli
def test_redis_cli_shows_what_waits(port_stack: Stack, valkey_port: int) -> None:
    before = use_backend(ServersBackend(port_stack.jobs))
    try:
        jobs = [DataProcessingWorker.perform_async(n, {}) for n in range(3)]
        IdempotentWorker.perform_async(1)
        ResourceAwareWorker.perform_bulk([[[1]], [[2]]])
    finally:
        use_backend(before)
    changes = {"redis-cli": f"redis-cli -p {valkey_port} -n 1"}
    said = []
    for command in shown_commands(PAGE, "redis-cli "):
        ended = run_shown(command, os.environ, changes)
        assert ended.returncode == 0, (command, ended.stderr)
        said.append(ended.stdout.split())
    assert said[:3] == [["1"], ["3"], ["2"]]
    assert said[3] == [job.id for job in jobs]
    assert said[4][said[4].index("kind") + 1] == "data_processing_worker"
    assert "{video_generation_queue}:critical" in said[5]
    assert any(line.startswith("used_memory:") for line in said[6])


def test_one_part_alone(port_stack: Stack, tmp_path: Path) -> None:
    parts = {
        "./run_worker.sh worker-1": '"worker_registered"',
        ".venv/bin/python -m api": "The dashboard: ",
    }
    assert set(parts) <= set(shown_commands(PAGE))
    port = free_port()
    env = port_stack.environment(**MODULES, API_PORT=port)
    for command, ready in parts.items():
        log = tmp_path / "part.log"
        with log.open("wb") as file:
            process = subprocess.Popen(
                command.replace(".venv/bin/python", sys.executable).split(),
                cwd=ROOT,
                env=env,
                stdout=file,
                stderr=file,
            )
        try:
            await_line(log, ready)
            if "api" in command:
                wait_until(lambda: is_served(f"http://127.0.0.1:{port}/health"))
        finally:
            process.terminate()
            process.wait(timeout=60)


def is_served(url: str) -> bool:
    try:
        with urllib.request.urlopen(url) as answer:
            return bool(answer.status == 200)
    except urllib.error.URLError:
        return False


def test_the_page_s_python_runs(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    space: dict[str, Any] = {"__name__": "page"}
    with testing.inline():
        for block in shown_python(PAGE):
            exec(block, space)
    REGISTRY._kinds.pop("welcome_worker")
    assert capsys.readouterr().out.splitlines()[-2:] == [
        "completed Welcome, Ada",
        "Welcome, Ada",
    ]


def test_options_and_settings_are_those_that_there_are() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| `([^`]+)` \|", PAGE.read_text(), re.M))
    defaults = Options()
    assert float(rows.pop("retry_backoff_max")) == defaults.retry_backoff_max
    url = rows.pop("WORKER_HEALTH_CHECK_URL")
    assert PrioritySettings(_env_file=None).health_check_url == url
    assert float(rows.pop("WORKER_CONCURRENCY")) == Settings.model_fields["concurrency"].default
    for name in ("queue", "max_retries", "retry_backoff", "cron_schedule"):
        shown = rows.pop(name)
        assert shown.strip('"') == str(getattr(defaults, name))
    named = set(re.findall(r"\b((?:WORKER|REDIS|DATABASE)_[A-Z_]+)\b", PAGE.read_text()))
    known = {variable_of(field) for field in Settings.model_fields} | {"WORKER_HEALTH_CHECK_URL"}
    assert named <= known
