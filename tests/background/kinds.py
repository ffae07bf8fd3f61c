"""Kinds that real worker processes run in the tests: WORKER_BACKGROUND_MODULES names this."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import threading
import time
from pathlib import Path

from background import BackgroundJob, current_job, job


@job()
def noop() -> None:
    """Nothing at all."""


@job()
def waits(seconds: float) -> str:
    """Waits as jobs should, so that it can be interrupted anywhere."""
    current_job().sleep(seconds)
    return threading.current_thread().name


@job(timeout_s=1.0, max_retries=0)
def too_slow() -> None:
    """Busy in Python far beyond its time."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with contextlib.suppress(Exception):
            sum(range(1000))


@job()
async def waits_async(seconds: float) -> str:
    await asyncio.sleep(seconds)
    return threading.current_thread().name


@job(timeout_s=1.0, max_retries=0)
async def too_slow_async() -> None:
    """Waits in its loop far beyond its time."""
    await asyncio.sleep(600)


@job(max_retries=0)
def deaf(folder: str) -> None:
    """Blocks in a call that no exception reaches, as native code may."""
    Path(folder, "deaf").touch()
    time.sleep(60)


@job(max_retries=0)
def kills_its_worker() -> None:
    """As native code does that crashes."""
    os.kill(os.getpid(), signal.SIGKILL)


@job(queue="narrow")
def notes_itself(folder: str, seconds: float) -> None:
    """Shows in a folder how many run at once."""
    mark = Path(folder, f"running-{os.getpid()}-{threading.get_ident()}")
    mark.touch()
    most = Path(folder, "most")
    now = len(list(Path(folder).glob("running-*")))
    most.write_text(str(max(now, int(most.read_text() or 0) if most.exists() else 0)))
    time.sleep(seconds)
    mark.unlink()


class CountsUp(BackgroundJob):
    """Writes each of its items to a file once, a checkpoint after each part."""

    queue = "low"

    @classmethod
    def perform(cls, path: str, total: int, size: int, pause_s: float = 0.02) -> int:
        for part in current_job().batches(range(total), size):
            with Path(path).open("a") as file:
                file.write("".join(f"{number}\n" for number in part))
            time.sleep(pause_s)
        return total


@job()
def fails_once(path: str) -> str:
    """Fails at its first try."""
    if not Path(path).exists():
        Path(path).touch()
        raise RuntimeError("the first time")
    return "the second time"


@job()
def told(batch_id: str, path: str = "") -> str:
    """A batch's callback."""
    return batch_id
