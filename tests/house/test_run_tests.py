"""The set-up of the test run itself: what it installs, and that it never stands in the way."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
_PROGRAMS = ("chromium", "prometheus", "systemd-analyze", "zsh", "fish", "redis-cli", "curl")
_NEEDED = ("bash", "env", "timeout", "mkdir")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A PATH of its own, with what the script itself is made of."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in _NEEDED:
        found = shutil.which(name)
        assert found is not None
        (folder / name).symlink_to(found)
    return folder


def _program(path: Path, name: str, body: str = "exit 0") -> None:
    (path / name).write_text(f"#!/usr/bin/env bash\n{body}\n")
    (path / name).chmod(0o755)


def _said(path: Path, tmp_path: Path) -> str:
    ended = subprocess.run(
        [str(path / "bash"), str(ROOT / "tests" / "tools.sh"), str(tmp_path / "tools")],
        env={"PATH": str(path)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stderr


def test_with_everything_there_nothing_is_said_or_done(path: Path, tmp_path: Path) -> None:
    for name in _PROGRAMS:
        _program(path, name)
    assert _said(path, tmp_path) == ""


def test_without_apt_get_it_says_what_is_missing(path: Path, tmp_path: Path) -> None:
    _program(path, "zsh")
    said = _said(path, tmp_path)
    assert "chromium prometheus systemd fish redis-tools curl" in said and "zsh" not in said


@pytest.mark.skipif(os.geteuid() != 0, reason="only root installs")
def test_what_cannot_be_installed_stops_nothing(path: Path, tmp_path: Path) -> None:
    _program(path, "apt-get", 'echo "$@" >>"$0.asked"; [[ "$*" != *chromium* ]]')
    _program(path, "dpkg-deb")
    said = _said(path, tmp_path)
    assert "chromium could not be installed" in said and "zsh could" not in said
    asked = (path / "apt-get.asked").read_text().splitlines()
    assert asked[0] == "update"
    # Its package would start a server.
    assert "download prometheus" in asked
    assert not any("install" in line and "prometheus" in line for line in asked)
