"""A job over much data, a chunk at a time."""

from __future__ import annotations

from collections.abc import Sequence

from background import current_job
from examples.priorities.logger import Logger
from examples.priorities.worker import Worker


class ResourceAwareWorker(Worker):
    """Adds up numbers in chunks, and yields between them.

    Each chunk is checkpointed with the sum so far: after a crash, a deploy or a retry it goes
    on from there.
    """

    queue = "low"
    chunk_size = 1000
    pause_s = 0.1

    @classmethod
    def perform(cls, large_dataset: Sequence[int]) -> dict[str, int]:
        """How many numbers there are, and their sum."""
        job = current_job()
        at, total = job.cursor or (0, 0)
        while at < len(large_dataset):
            chunk = large_dataset[at : at + cls.chunk_size]
            total += sum(chunk)
            at += len(chunk)
            job.checkpoint([at, total], processed=at, total=len(large_dataset))
            # A stop or a cancellation comes in here.
            job.sleep(cls.pause_s)
        Logger.info(message=f"Added up {at} numbers")
        return {"numbers": at, "sum": total}
