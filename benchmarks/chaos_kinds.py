"""Background jobs that the chaos command runs beside its videos: a loop with checkpoints, a plain
and an async wait, and one that fails at its first try."""

from __future__ import annotations

import asyncio
import os
from collections import defaultdict
from pathlib import Path

from background import current_job, job
from jobs.work import encode_call
from store.records import NewJob

_PARTS, _PART_S = 5, 0.08


@job("chaos.loop", queue="default", max_retries=100)
def loop(log: str) -> int:
    """Notes each part that it begins; a part that is checkpointed must not begin again."""
    for part in current_job().batches(range(_PARTS), 1):
        with os.fdopen(os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT), "w") as file:
            file.write(f"{current_job().id} {part[0]}\n")
        current_job().sleep(_PART_S)
    return _PARTS


@job("chaos.wait", queue="critical", max_retries=100)
def wait() -> str:
    current_job().sleep(0.1)
    return "waited"


@job("chaos.wait_async", queue="low", max_retries=100)
async def wait_async() -> str:
    await asyncio.sleep(0.1)
    return "waited"


@job("chaos.fails_once", queue="default", max_retries=100, retry_delay_s=0.05)
def fails_once() -> int:
    if current_job().attempt == 1:
        raise RuntimeError("the first try")
    return current_job().attempt


def nth(number: int, job_id: str, log: Path) -> NewJob:
    """A job of each kind in turn."""
    made = (loop, wait, wait_async, fails_once)[number % 4].definition
    args = [str(log)] if made.name == "chaos.loop" else []
    return NewJob(job_id, encode_call(args, {}), queue=made.options.queue, kind=made.name)


def parts_again(log: Path) -> list[tuple[str, int]]:
    """(job, part) that began once more after the part behind it had begun: so it was durable."""
    furthest: dict[str, int] = defaultdict(int)
    again = []
    for line in log.read_text().splitlines() if log.exists() else []:
        job_id, part = line.split()
        if int(part) < furthest[job_id]:
            again.append((job_id, int(part)))
        furthest[job_id] = max(furthest[job_id], int(part))
    return again
