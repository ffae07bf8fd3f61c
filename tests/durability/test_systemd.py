"""The systemd units: well-formed, locked down, and the notify protocol as systemd hears it."""

from __future__ import annotations

import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from tests.durability.conftest import Install
from tests.processes.conftest import Stack, wait_until

needs_analyze = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="this host has no systemd-analyze"
)


def unit_of(installed: Install) -> Path:
    """The template as the instance that systemd would make of it."""
    folder = installed("systemd", "--user", "root", "--apply")
    return (folder / "video-worker@.service").rename(folder / "video-worker@1.service")


@needs_analyze
def test_the_units_are_well_formed(installed: Install) -> None:
    unit = unit_of(installed)
    assert "@ROOT@" not in unit.read_text()
    checked = subprocess.run(
        [
            "systemd-analyze",
            "verify",
            "--man=no",
            str(unit),
            str(unit.parent / "video-workers.target"),
        ],
        capture_output=True,
        text=True,
    )
    # Only what it says of these files: the host's own units are not ours to mend.
    said = [line for line in checked.stderr.splitlines() if "video-worker" in line]
    assert said == []


@needs_analyze
def test_a_worker_is_exposed_at_most_2_0(installed: Install) -> None:
    checked = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=20", unit_of(installed)],
        capture_output=True,
        text=True,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "Overall exposure level" in checked.stdout


def test_a_worker_tells_systemd_of_readiness_life_and_stop(stack: Stack, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind("\0" + f"video-worker-test-{tmp_path.name}-{id(tmp_path)}")
        heard.setblocking(False)
        said: list[str] = []

        def listen(word: str) -> bool:
            try:
                while True:
                    said.append(heard.recv(4096).decode())
            except BlockingIOError:
                return word in said

        address = "@" + heard.getsockname()[1:].decode()
        worker = stack.start(NOTIFY_SOCKET=address)
        wait_until(lambda: listen("READY=1"))
        assert stack.events(worker, "worker_started")
        wait_until(lambda: listen("WATCHDOG=1"))
        worker.terminate()
        wait_until(lambda: listen("STOPPING=1"))
        assert worker.wait(timeout=60) == 0
        assert said.index("READY=1") < said.index("STOPPING=1")
