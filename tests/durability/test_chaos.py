"""Short runs of the chaos command: what it counts and what it promises, it says itself."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.processes.conftest import ROOT


def chaos(*arguments: str) -> str:
    ended = subprocess.run(
        [sys.executable, "-m", "benchmarks.chaos", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


@pytest.mark.slow
def test_kills_at_every_step_and_at_random_break_no_promise_on_sqlite() -> None:
    said = chaos("--kills", "14", "--jobs", "22", "--steps", "--freezes", "2")
    assert "1 for 22 jobs" in said


@pytest.mark.slow
def test_a_mix_of_kinds_breaks_no_promise_either(any_database_url: str) -> None:
    more = [] if any_database_url.startswith("sqlite") else ["--database", any_database_url]
    chaos("--kills", "10", "--jobs", "26", "--freezes", "1", "--mixed", *more)


@pytest.mark.slow
def test_kills_freezes_and_wipes_break_no_promise(any_database_url: str) -> None:
    if any_database_url.startswith("sqlite"):
        arguments = ["--wipes", "2"]
    else:
        arguments = ["--wipes", "1", "--database", any_database_url]
    chaos("--kills", "8", "--jobs", "12", "--freezes", "1", *arguments)
