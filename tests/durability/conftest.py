"""The stacks of the process tests, for tests that break them; and an installation to start from."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.processes.conftest import ROOT, any_stack, stack

__all__ = ["Install", "any_stack", "stack"]

#: Runs deploy/install.sh for a checkout of the test's own; returns the folder it wrote to.
Install = Callable[..., Path]


@pytest.fixture
def installed(tmp_path: Path) -> Install:
    """The shipped files with paths filled in: this code, in a folder that a test may write to."""
    root = tmp_path / "checkout"
    (root / ".venv/bin").mkdir(parents=True)
    (root / "worker.py").symlink_to(ROOT / "worker.py")
    (root / "README.md").symlink_to(ROOT / "README.md")
    python = root / ".venv/bin/python"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)

    def install(target: str, *arguments: str) -> Path:
        dest = tmp_path / target
        subprocess.run(
            [
                str(ROOT / "deploy/install.sh"),
                *("--target", target, "--root", str(root), "--dest", str(dest), *arguments),
            ],
            check=True,
            capture_output=True,
        )
        return dest

    return install
