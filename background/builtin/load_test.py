"""What `cli.py load-test run` submits besides videos."""

from __future__ import annotations

import hashlib
import time

from background.context import current_job
from background.job import job
from errors import PermanentError


@job("load_test.cpu", max_retries=0, timeout_s=60)
def cpu_intensive(seconds: float = 0.05) -> int:
    """Computes for so long, in Python and in native code; returns how many rounds it made."""
    deadline, rounds, digest = time.monotonic() + seconds, 0, b""
    while time.monotonic() < deadline:
        digest = hashlib.sha256(digest + bytes(1000)).digest()
        rounds += 1
    return rounds


@job("load_test.io", max_retries=0, timeout_s=60)
def io_simulation(seconds: float = 0.1) -> float:
    """Waits for so long, as for an answer from elsewhere."""
    current_job().sleep(seconds)
    return seconds


@job("load_test.failure", max_retries=0, timeout_s=60)
def failure() -> None:
    """Fails, and becomes a dead letter."""
    raise PermanentError("this job was made to fail")
