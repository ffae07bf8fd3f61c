"""Background jobs on the same durable queue: declare a kind, enqueue it, hold its handle.

from background import BackgroundJob, current_job, job

class Greet(BackgroundJob):
    @classmethod
    def perform(cls, name: str) -> str:
        return f"Hello, {name}"

handle = Greet.perform_async("Ada")
handle.get(timeout=10)
"""

from background.batch import Batch
from background.concurrently import gather_bounded, map_bounded
from background.context import current_job
from background.handle import JobCancelledError, JobFailedError, JobHandle
from background.job import BackgroundJob, job

__all__ = [
    "BackgroundJob",
    "Batch",
    "JobCancelledError",
    "JobFailedError",
    "JobHandle",
    "current_job",
    "gather_bounded",
    "job",
    "map_bounded",
]
