"""The commands that an example's README shows, so that a test can run each of them."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.processes.conftest import ROOT, wait_until

needs_redis_cli = pytest.mark.skipif(not shutil.which("redis-cli"), reason="redis-cli")
needs_curl = pytest.mark.skipif(not shutil.which("curl"), reason="curl")


def shown_commands(page: Path, program: str = "") -> list[str]:
    """Every line of the page's bash blocks, comments left out; those that begin with `program`."""
    blocks = re.findall(r"```bash\n(.*?)```", page.read_text(), re.S)
    joined = "\n".join(blocks).replace("\\\n", " ")
    lines = [re.sub(r"\s+#\s.*$", "", line).strip() for line in joined.splitlines()]
    return [line for line in lines if line.startswith(program) and line and line[0] != "#"]


def shown_python(page: Path) -> list[str]:
    """The page's Python blocks."""
    return re.findall(r"```python\n(.*?)```", page.read_text(), re.S)


def run_shown(
    command: str,
    env: Mapping[str, str],
    changes: Mapping[str, str],
    *,
    before: str = "",
    cwd: Path = ROOT,
    given: str = "",
) -> subprocess.CompletedProcess[str]:
    """Run a command as shown, in the checkout, with the test's own ports in place of usual ones."""
    text = command.replace(".venv/bin/python", sys.executable)
    for usual, own in changes.items():
        text = text.replace(usual, own)
    return subprocess.run(
        ["bash", "-euc", f"{before}\n{text}"],
        cwd=cwd,
        env=dict(env),
        input=given,
        capture_output=True,
        text=True,
        timeout=60,
    )


def await_line(log: Path, pattern: str, *, within_s: float = 90) -> None:
    """Wait until a line of the log has what the pattern looks for."""
    wait_until(lambda: re.search(pattern, log.read_text()), within_s=within_s, what=pattern)
