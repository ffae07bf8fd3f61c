"""The application's logging: a message, in the worker's own log, with the job's id beside it."""

from __future__ import annotations

import structlog

_log = structlog.get_logger()


class Logger:
    """Lines of the event `message`; their fields are those of the job in hand."""

    @staticmethod
    def info(*, message: str) -> None:
        """What went as it should."""
        _log.info("message", message=message)

    @staticmethod
    def warning(*, message: str) -> None:
        """What somebody may want to look at."""
        _log.warning("message", message=message)

    @staticmethod
    def error(*, message: str) -> None:
        """What did not."""
        _log.error("message", message=message)
