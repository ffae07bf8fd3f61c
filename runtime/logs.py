"""Structured logs: readable on a terminal, one JSON object a line elsewhere."""

from __future__ import annotations

import logging
import sys
from typing import Any

import structlog

from config import Settings

#: Parts of a key's name whose value never reaches a log.
_SECRET_PARTS = ("password", "secret", "token", "api_key", "apikey", "authorization", "signature")


def configure_logs(settings: Settings) -> None:
    """Set structlog up for this process; logs go to stderr, results to stdout."""
    as_text = settings.log_format == "text" or (
        settings.log_format == "auto" and sys.stderr.isatty()
    )
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _without_secrets,
        _without_empty,
    ]
    if as_text:
        last: list[Any] = [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())]
    else:
        last = [
            structlog.processors.format_exc_info,
            _event_first,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ]
    structlog.configure(
        processors=[*shared, *last],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[settings.log_level.upper()]
        ),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )


def _without_secrets(_logger: Any, _method: str, event: dict[str, Any]) -> dict[str, Any]:
    for key in event:
        if any(part in key.lower() for part in _SECRET_PARTS):
            event[key] = "***"
    return event


def _without_empty(_logger: Any, _method: str, event: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in event.items() if value is not None}


def _event_first(_logger: Any, _method: str, event: dict[str, Any]) -> dict[str, Any]:
    """Lines that people scan begin with what happened."""
    return {"event": event.pop("event", ""), **event}
