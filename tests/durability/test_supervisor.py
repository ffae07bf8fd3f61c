"""A real supervisord runs the shipped configuration."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from redis_queue import waiting
from tests.durability.conftest import Install
from tests.processes.conftest import ROOT, Stack, wait_until
from tests.processes.test_crashes import children_of, is_alive

COUNT = 2


class Supervisor:
    """supervisord in the foreground, and supervisorctl beside it."""

    def __init__(self, conf: Path, environment: dict[str, str]) -> None:
        # A Unix socket's path must be short, and pytest's folders are not.
        self._folder = tempfile.TemporaryDirectory(prefix="sv-")
        home = Path(self._folder.name)
        self._conf = home / "supervisord.conf"
        self._conf.write_text(
            f"[unix_http_server]\nfile={home}/s\n"
            f"[supervisord]\nlogfile={home}/log\npidfile={home}/pid\n"
            "[rpcinterface:supervisor]\n"
            "supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface\n"
            f"[supervisorctl]\nserverurl=unix://{home}/s\n"
            f"[include]\nfiles={conf}\n"
        )
        self.process = subprocess.Popen(
            [sys.executable, "-m", "supervisor.supervisord", "-n", "-c", str(self._conf)],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def ctl(self, *arguments: str) -> str:
        command = [sys.executable, "-m", "supervisor.supervisorctl", "-c", str(self._conf)]
        return subprocess.run(
            [*command, *arguments], capture_output=True, text=True, timeout=60
        ).stdout

    def pids(self) -> list[int]:
        return [int(pid) for pid in re.findall(r"RUNNING\s+pid (\d+)", self.ctl("status"))]

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=30)
        self._folder.cleanup()


@pytest.fixture
def supervisor(stack: Stack, installed: Install) -> Iterator[Supervisor]:
    folder = installed("supervisor", "--count", str(COUNT), "--apply")
    environment = stack.environment(NULL_STAGE_SECONDS=60)
    opened = Supervisor(folder / "video-workers.conf", environment)
    yield opened
    opened.close()


@pytest.mark.slow
def test_the_shipped_conf_starts_restarts_and_stops_workers(
    supervisor: Supervisor, stack: Stack
) -> None:
    pids = wait_until(lambda: len(found := supervisor.pids()) == COUNT and found)
    stack.submit("a")
    stack.wait_state("a", "processing")

    supervisor.ctl("restart", "video-worker:*")
    again = wait_until(lambda: len(found := supervisor.pids()) == COUNT and found)
    assert set(again).isdisjoint(pids) and not any(map(is_alive, pids))
    stack.wait_state("a", "processing")
    record = stack.database.jobs.get("a")
    assert record is not None and (record.interruptions, record.crashes) == (1, 0)

    children = [child for pid in again for child in children_of(pid)]
    supervisor.ctl("stop", "video-worker:*")
    assert supervisor.ctl("status").count("STOPPED") == COUNT
    assert (stack.state("a"), stack.status("a")) == ("pending", "pending")
    assert waiting.counts(stack.client) == {"waiting": 1, "running": 0, "scheduled": 0}
    assert not any(map(is_alive, [*again, *children]))

    supervisor.ctl("start", "video-worker:*")
    stack.wait_state("a", "processing")


@pytest.mark.slow
def test_a_killed_worker_comes_back_and_wrong_settings_stay_down(
    supervisor: Supervisor, stack: Stack, installed: Install
) -> None:
    pids = wait_until(lambda: len(found := supervisor.pids()) == COUNT and found)
    os.kill(pids[0], 9)
    wait_until(lambda: len(found := supervisor.pids()) == COUNT and pids[0] not in found)
    folder = installed("supervisor", "--count", "1", "--apply")
    wrong = Supervisor(folder / "video-workers.conf", stack.environment(WORKER_LEASE_S="never"))
    try:
        # EXITED where its start took longer than startsecs: 78 is an exit that is expected.
        down = ("FATAL", "EXITED")
        wait_until(lambda: any(state in wrong.ctl("status") for state in down), within_s=240)
    finally:
        wrong.close()


def test_install_shows_first_and_writes_only_when_told_to(
    installed: Install, tmp_path: Path
) -> None:
    dest = installed("supervisor")
    assert not dest.exists()
    dest = installed("supervisor", "--count", "3", "--user", "video", "--apply")
    text = (dest / "video-workers.conf").read_text()
    assert "numprocs=3" in text and "user=video" in text and "@" not in text
    assert (tmp_path / "checkout/var/log").is_dir()


@pytest.mark.parametrize(
    "arguments",
    [["--count", "0"], ["--root", "/"], ["--user", "a b"], ["--target", "cron"], ["--what"]],
)
def test_install_refuses_what_it_cannot_fill_in(arguments: list[str]) -> None:
    ended = subprocess.run(
        [str(ROOT / "deploy/install.sh"), *arguments], capture_output=True, text=True
    )
    assert ended.returncode == 64 and ended.stderr.startswith("install.sh: ")
