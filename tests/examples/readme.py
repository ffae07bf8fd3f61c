"""Running a README's commands as they are written."""

from __future__ import annotations

import re
import socket
import subprocess
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from tests.processes.conftest import ROOT, Stack


def commands(readme: Path) -> list[str]:
    """Every command of its bash blocks, lines that go on joined and comments left out."""
    blocks = re.findall(r"^```bash\n(.*?)^```", readme.read_text(), re.M | re.S)
    joined = "\n".join(blocks).replace("\\\n", " ")
    lines = (line.partition("  #")[0].strip() for line in joined.splitlines())
    return [" ".join(line.split()) for line in lines if line and not line.startswith("#")]


def run(line: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """By the shell, from the top of the checkout."""
    return subprocess.run(
        ["bash", "-c", line],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )


def serve(stack: Stack, line: str, environment: dict[str, str]) -> Any:
    """In the background, until the test ends; its log is the stack's to read."""
    log = stack.folder / f"served-{len(stack.workers)}.log"
    with log.open("wb") as file:
        served = subprocess.Popen(
            ["bash", "-c", f"exec env {line}"],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
        )
    stack.workers.append(served)
    stack.logs[served.pid] = log
    return served


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as opened:
        return int(opened.getsockname()[1])


def status_of(url: str) -> int:
    """The status that a URL answers with; 0: nobody answers."""
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0
