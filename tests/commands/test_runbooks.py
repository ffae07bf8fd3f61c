"""Every command of the runbooks is one, and runs against a fleet as it stands."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from commands.app import app
from tests.house.test_monitoring import RUNBOOKS
from tests.processes.conftest import ROOT, Stack, stack  # noqa: F401

_RUN_ALL = """
import shlex, sys
from typer.testing import CliRunner
from commands.app import app
for command in sys.argv[1:]:
    ended = CliRunner().invoke(app, shlex.split(command))
    print(ended.exit_code, command)
    sys.stderr.write("" if ended.exit_code == 0 else ended.output + repr(ended.exception))
"""
_PROGRAM = ".venv/bin/python cli.py "
COMMANDS = sorted(
    {
        line.removeprefix(_PROGRAM).partition("#")[0].strip()
        for page in RUNBOOKS.glob("*.md")
        for line in page.read_text().splitlines()
        if line.startswith(_PROGRAM)
    }
)
MENTIONED = sorted(
    {
        name
        for page in RUNBOOKS.glob("*.md")
        for name in re.findall(r"`cli\.py (.+?)`", page.read_text())
    }
)


def test_the_pages_have_commands() -> None:
    assert len(COMMANDS) >= 8 and len(MENTIONED) >= 4


def test_the_commands_that_check_run(stack: Stack) -> None:  # noqa: F811
    # One process for all of them: starting it takes longer than any command.
    ended = subprocess.run(
        [sys.executable, "-c", _RUN_ALL, *COMMANDS],
        cwd=ROOT,
        env=stack.environment(),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.stdout.splitlines() == [f"0 {command}" for command in COMMANDS], ended.stderr


@pytest.mark.parametrize("command", MENTIONED)
def test_a_command_that_acts_is_one(command: str) -> None:
    """Its words are known: with --help it is not carried out."""
    ended = CliRunner().invoke(app, [*shlex.split(command), "--help"])
    assert ended.exit_code == 0, ended.output
