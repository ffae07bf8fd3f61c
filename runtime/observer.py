"""Tells the log, and whoever counts, what the orchestrator does."""

from __future__ import annotations

import structlog

from errors import ChildFailed, WorkerError
from events import Event
from pipeline.ports import Observer

log = structlog.get_logger()


class LogObserver:
    """Implements pipeline.ports.Observer; the job's id is bound to the log context already."""

    def stage_started(self, stage: str, provider: str, attempt: int) -> None:
        """A try of a stage begins."""
        log.info(Event.STAGE_STARTED, stage=stage, provider=provider, attempt=attempt)

    def stage_completed(self, stage: str, seconds: float) -> None:
        """The stage is durable."""
        log.info(Event.STAGE_COMPLETED, stage=stage, seconds=round(seconds, 3))

    def stage_reused(self, stage: str) -> None:
        """A finished run served; nothing was run or paid."""
        log.info(Event.STAGE_REUSED, stage=stage)

    def stage_failed(self, stage: str, error: BaseException, failures: int) -> None:
        """A try failed: the log has what users are not shown."""
        expected = isinstance(error, WorkerError)
        tail = error.log_tail[-2000:] if isinstance(error, ChildFailed) else None
        log.warning(
            Event.STAGE_FAILED,
            stage=stage,
            failures=failures,
            error=str(error),
            kind=type(error).__name__,
            child_log=tail,
            exc_info=None if expected else error,
        )

    def retry_scheduled(self, stage: str, delay_s: float, failures: int, error: str) -> None:
        """The stage is tried again after a wait."""
        log.info(
            Event.JOB_RETRY_SCHEDULED, stage=stage, delay_s=delay_s, attempt=failures, error=error
        )


class Both:
    """Implements pipeline.ports.Observer by telling two others, in order."""

    def __init__(self, first: Observer, second: Observer) -> None:
        self._told = (first, second)

    def stage_started(self, stage: str, provider: str, attempt: int) -> None:
        """See Observer."""
        for observer in self._told:
            observer.stage_started(stage, provider, attempt)

    def stage_completed(self, stage: str, seconds: float) -> None:
        """See Observer."""
        for observer in self._told:
            observer.stage_completed(stage, seconds)

    def stage_reused(self, stage: str) -> None:
        """See Observer."""
        for observer in self._told:
            observer.stage_reused(stage)

    def stage_failed(self, stage: str, error: BaseException, failures: int) -> None:
        """See Observer."""
        for observer in self._told:
            observer.stage_failed(stage, error, failures)

    def retry_scheduled(self, stage: str, delay_s: float, failures: int, error: str) -> None:
        """See Observer."""
        for observer in self._told:
            observer.retry_scheduled(stage, delay_s, failures, error)
