"""Commands in processes of their own, forked from one in which everything is imported.

Several hundred commands are run by the tests, and importing is most of what each of them does.
A process is the same from there on: its own arguments, environment, streams and exit code.
"""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.processes.conftest import ROOT

_WARM = multiprocessing.get_context("forkserver")
_WARM.set_forkserver_preload(["commands.app"])


def run_cli(
    arguments: Sequence[str], environment: Mapping[str, str], timeout_s: float = 60
) -> subprocess.CompletedProcess[str]:
    """As `python cli.py` with these arguments and nothing else in its environment."""
    with tempfile.TemporaryDirectory() as name:
        told, wrong = Path(name) / "stdout", Path(name) / "stderr"
        child = _WARM.Process(target=_run, args=(arguments, dict(environment), told, wrong))
        child.start()
        child.join(timeout_s)
        if child.exitcode is None:
            child.kill()
            raise TimeoutError(f"{arguments} did not end within {timeout_s} s")
        code = child.exitcode
        child.close()
        return subprocess.CompletedProcess(arguments, code, told.read_text(), wrong.read_text())


def _run(arguments: Sequence[str], environment: Mapping[str, str], told: Path, wrong: Path) -> None:
    for number, path in ((1, told), (2, wrong)):
        opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = [str(ROOT / "cli.py"), *arguments]
    from commands.app import main

    main()
