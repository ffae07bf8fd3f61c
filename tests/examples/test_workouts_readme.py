"""What the workout application's README and compose.yaml say is so."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from config import Settings, variable_of
from examples.workouts.settings import WorkoutSettings, worker_fields
from redis_queue.connection import connect
from tests.examples.commands import (
    await_line,
    needs_curl,
    needs_redis_cli,
    run_shown,
    shown_commands,
    shown_python,
)
from tests.processes.conftest import ROOT, wait_until

FOLDER = ROOT / "examples" / "workouts"
PAGE = FOLDER / "README.md"


def section_settings() -> dict[str, Any]:
    """Every setting of the sections, with its default."""
    return {
        f"WORKER_{section}__{name}".upper(): default
        for section, values in WorkoutSettings(_env_file=None)
        for name, default in values
    }


def test_every_setting_is_listed_with_its_default() -> None:
    rows = re.findall(r"^\| (`WORKER_[^|]+) \|([^|]*)\|", PAGE.read_text(), re.M)
    listed: dict[str, str] = {}
    for names, defaults in rows:
        values = re.findall(r"`([^`]+)`", defaults) or [""]
        listed |= dict(zip(re.findall(r"`([^`]+)`", names), values, strict=True))
    told = {
        name: "" if default is None else str(default).lower()
        for name, default in section_settings().items()
    }
    assert {name: value.removesuffix(".0") for name, value in told.items()} == listed


@pytest.mark.parametrize(
    ("variable", "value", "field", "meant"),
    [
        ("WORKER_REDIS__HOST", "redis", "redis_url", "redis://redis:6379/1"),
        ("WORKER_REDIS__PORT", "7000", "redis_url", "redis://localhost:7000/1"),
        ("WORKER_REDIS__DATABASE", "3", "redis_url", "redis://localhost:6379/3"),
        ("WORKER_REDIS__CACHE_DATABASE", "4", "cache_redis_url", "redis://localhost:6379/4"),
        ("WORKER_REDIS__PASSWORD", "p@ss/1", "redis_url", "redis://:p%40ss%2F1@localhost:6379/1"),
        ("WORKER_WORKER__MAX_JOBS", "7", "concurrency", "7"),
        ("WORKER_WORKER__JOB_TIMEOUT", "60", "stage_timeout_s", "60.0"),
        ("WORKER_WORKER__JOB_TIMEOUT", "60", "stall_s", "60.0"),
    ],
)
def test_a_setting_reaches_the_worker(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, field: str, meant: str
) -> None:
    monkeypatch.setenv(variable, value)
    assert worker_fields(WorkoutSettings(_env_file=None))[field] == meant


def test_the_containers_set_only_what_there_is() -> None:
    parsed = yaml.safe_load((FOLDER / "compose.yaml").read_text())
    services = parsed["services"]
    worker = services["worker"]["environment"]
    known = section_settings().keys() | {variable_of(name) for name in Settings.model_fields}
    assert worker.keys() <= known
    assert set(services["worker"]["depends_on"]) <= services.keys()
    assert worker["WORKER_REDIS__HOST"] in services
    for name, port in (("api", 8000), ("ai-coach", 8001)):
        assert f"http://{name}:{port}" in worker.values()
        assert services[name]["command"].endswith(f"--port {port}")
        assert services[name]["build"]["dockerfile"] == "deploy/docker/Dockerfile"
    assert services["worker"]["ports"] == [f"127.0.0.1:8002:{worker['WORKER_WORKER__HEALTH_PORT']}"]
    assert set(re.findall(r"(?:up -d|logs -f|build|config|exec) (\S+)", PAGE.read_text())) <= set(
        services
    )


def test_the_image_has_what_its_file_copies() -> None:
    text = (ROOT / "deploy" / "docker" / "Dockerfile").read_text()
    assert (ROOT / "requirements.txt").is_file() and "COPY requirements.txt" in text
    assert re.search(r'^CMD \["python", "worker.py"\]$', text, re.M)
    ignored = (ROOT / ".dockerignore").read_text().split()
    assert not {"examples", "api", "worker.py", "requirements.txt"} & set(ignored)


@pytest.fixture
def own_ports() -> dict[str, int]:
    """A free port in place of each usual one."""
    listening = [socket.create_server(("127.0.0.1", 0)) for _ in range(4)]
    ports = [opened.getsockname()[1] for opened in listening]
    for opened in listening:
        opened.close()
    return dict(zip(("6379", "8000", "8001", "8002"), ports, strict=True))


@pytest.fixture
def environment(own_ports: dict[str, int], tmp_path: Path) -> dict[str, str]:
    return {
        **os.environ,
        "WORKER_REDIS__PORT": str(own_ports["6379"]),
        "WORKER_API_CLIENT__WORKOUT_API_URL": f"http://localhost:{own_ports['8000']}",
        "WORKER_API_CLIENT__AI_COACH_URL": f"http://localhost:{own_ports['8001']}",
        "WORKER_WORKER__HEALTH_PORT": str(own_ports["8002"]),
        "WORKER_REFRESH__RETRY_DELAY": "0.2",
        "WORKER_LOG_FORMAT": "json",
        "DATABASE_URL": f"sqlite:///{tmp_path / 'record.db'}",
    }


@pytest.fixture
def running(environment: dict[str, str], tmp_path: Path) -> Iterator[dict[str, Path]]:
    """The two programs that the README keeps running, as it shows them."""
    started, logs = [], {}
    for module in ("examples.workouts.local", "examples.workouts"):
        assert any(line.endswith(f"-m {module}") for line in shown_commands(PAGE))
        logs[module] = tmp_path / f"{module}.log"
        with logs[module].open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", module], cwd=ROOT, env=environment, stdout=log, stderr=log
            )
        started.append(process)
        await_line(logs[module], "Now, in" if module.endswith("local") else '"worker_started"')
    yield logs
    for process in reversed(started):
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 0


def test_set_up_is_one_command() -> None:
    """Where all is installed already, as it is for a test, it does nothing and says so."""
    (command,) = shown_commands(PAGE, "./run_worker.sh")
    ended = run_shown(command, os.environ, {})
    assert ended.returncode == 0 and "Installed" in ended.stderr


@needs_curl
@needs_redis_cli
def test_every_command_runs_as_shown(
    running: dict[str, Path], environment: dict[str, str], own_ports: dict[str, int]
) -> None:
    commands = [
        command
        for command in shown_commands(PAGE)
        if not command.startswith(("docker ", "./run_worker.sh setup"))
        and not command.endswith(("-m examples.workouts", "-m examples.workouts.local", 'env)"'))
    ]
    assert len(commands) >= 16
    changes = {
        "localhost:8000": f"localhost:{own_ports['8000']}",
        "localhost:8002": f"localhost:{own_ports['8002']}",
        "redis-cli": f"redis-cli -p {own_ports['6379']}",
    }
    # As `eval` would have it, once for all.
    (known,) = shown_commands(PAGE, 'eval "$(')
    asked = known.removeprefix('eval "$(').removesuffix(')"')
    shell = run_shown(asked, environment, changes).stdout
    assert "export REDIS_URL=redis://localhost:" in shell
    cache = connect(f"redis://localhost:{own_ports['6379']}/0")
    said = {}
    for command in commands:
        # The first job is to have run before the page looks for what it left.
        if "| xargs" in command:
            wait_until(lambda: len(cache.keys("idempotency:refresh:*")) == 24)
        ended = run_shown(command, environment, changes, before=shell)
        assert ended.returncode == 0, (command, ended.stdout, ended.stderr)
        said[command] = ended.stdout
    (block,) = shown_python(PAGE)
    ended = run_shown(".venv/bin/python -", environment, changes, before=shell, given=block)
    assert ended.returncode == 0 and "'skipped': 24" in ended.stdout, ended.stderr
    assert said["curl http://localhost:8002/health"].startswith('{"status": "healthy"')
    log = running["examples.workouts"]
    await_line(log, "8 of 24 exercises were not refreshed")
    # The second try finishes the rest.
    await_line(log, '"refreshed": 8, "skipped": 16, "failed": 0')


def test_passwords_foreign_hosts_and_taken_ports_are_minded(
    environment: dict[str, str], own_ports: dict[str, int]
) -> None:
    def local(**changes: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "examples.workouts.local"],
            cwd=ROOT,
            env={**environment, **changes},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    elsewhere = local(WORKER_REDIS__HOST="redis.example.org")
    assert "not on this machine by your settings: Redis" in elsewhere.communicate(timeout=60)[0]
    assert elsewhere.returncode == 78
    with socket.create_server(("127.0.0.1", own_ports["8001"])):
        refused = local()
        assert "cannot start" in refused.communicate(timeout=60)[0]
    assert refused.returncode == 69
    with local(WORKER_REDIS__PASSWORD="open sesame") as locked:
        assert locked.stdout is not None
        assert any(line.startswith("Now") for line in locked.stdout)
        assert connect(f"redis://:open%20sesame@localhost:{own_ports['6379']}/1").ping()
        locked.terminate()
    assert locked.returncode == 0


def test_a_neighbour_runs_by_itself() -> None:
    for name in ("api", "coach"):
        with subprocess.Popen(
            [sys.executable, "-m", "examples.workouts.neighbours", name],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout is not None
            assert process.stdout.readline().startswith(f"{name}: port ")
            process.terminate()
        assert process.returncode == 0


def has_compose() -> bool:
    asked = ["docker", "compose", "version"]
    return (
        bool(shutil.which("docker")) and not subprocess.run(asked, capture_output=True).returncode
    )


@pytest.mark.skipif(not has_compose(), reason="docker compose")
def test_compose_accepts_its_file() -> None:
    ended = subprocess.run(
        ["docker", "compose", "-f", str(FOLDER / "compose.yaml"), "config", "worker"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.returncode == 0, ended.stderr
