"""Every command of the runbooks is one, and runs against a fleet as it stands."""

from __future__ import annotations

import re
import shlex

import pytest
from typer.testing import CliRunner

from commands.app import app
from tests.commands.test_cli import Cli, cli  # noqa: F401
from tests.house.test_monitoring import RUNBOOKS
from tests.processes.conftest import stack  # noqa: F401

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


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_that_checks_runs(cli: Cli, command: str) -> None:  # noqa: F811
    cli(*shlex.split(command))


@pytest.mark.parametrize("command", MENTIONED)
def test_a_command_that_acts_is_one(command: str) -> None:
    """Its words are known: with --help it is not carried out."""
    ended = CliRunner().invoke(app, [*shlex.split(command), "--help"])
    assert ended.exit_code == 0, ended.output
