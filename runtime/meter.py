"""What a worker counts; this one counts nothing, as a worker that serves no metrics does.

runtime/metrics.py has the one that counts. It is apart because its library costs memory.
"""

from __future__ import annotations

from store.records import JobRecord


class Meter:
    """Implements pipeline.ports.Observer, and hears of jobs and money besides."""

    def text(self) -> bytes:
        """Everything counted, in Prometheus's text format."""
        return b""

    def stage_started(self, stage: str, provider: str, attempt: int) -> None:
        """See Observer."""

    def stage_completed(self, stage: str, seconds: float) -> None:
        """See Observer."""

    def stage_reused(self, stage: str) -> None:
        """See Observer."""

    def stage_failed(self, stage: str, error: BaseException, failures: int) -> None:
        """See Observer."""

    def retry_scheduled(self, stage: str, delay_s: float, failures: int, error: str) -> None:
        """See Observer."""

    def job_started(self, record: JobRecord, waited_s: float) -> None:
        """A claimed job is about to run; it waited so long in its queue."""

    def job_settled(self, record: JobRecord) -> None:
        """This worker wrote the job's new state, final or not; `record` is the row."""

    def spent(self, provider: str, microdollars: int) -> None:
        """A paid call ended, or is in doubt, and this is what it counts for."""
