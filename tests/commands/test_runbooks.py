"""Every command of the runbooks is one, and runs against a fleet as it stands."""

from __future__ import annotations

import re
import shlex

import pytest
from typer.testing import CliRunner

from commands.app import app
from commands.connections import servers
from tests.house.test_monitoring import RUNBOOKS
from tests.processes.conftest import Stack, stack  # noqa: F401

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
def test_a_command_that_checks_runs(
    stack: Stack,  # noqa: F811
    command: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, text in stack.environment().items():
        monkeypatch.setenv(name, text)
    servers.cache_clear()
    ended = CliRunner().invoke(app, shlex.split(command), catch_exceptions=False)
    servers.cache_clear()
    assert ended.exit_code == 0, ended.output


@pytest.mark.parametrize("command", MENTIONED)
def test_a_command_that_acts_is_one(command: str) -> None:
    """Its words are known: with --help it is not carried out."""
    ended = CliRunner().invoke(app, [*shlex.split(command), "--help"])
    assert ended.exit_code == 0, ended.output
