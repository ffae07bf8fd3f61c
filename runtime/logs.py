"""Structured logs: readable on a terminal, one JSON object a line elsewhere."""

from __future__ import annotations

import logging
import sys
from functools import lru_cache
from typing import Any

import structlog

from config import Settings, secret_values

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
    *_, renderer = last
    last[-1] = _Redacted(renderer, secret_values(settings))
    structlog.configure(
        processors=[*shared, *last],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[settings.log_level.upper()]
        ),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )


class _Redacted:
    """A renderer whose lines hold no secret of the settings, wherever it came from."""

    def __init__(self, renderer: Any, secrets: list[str]) -> None:
        self._renderer = renderer
        self._secrets = secrets

    def __call__(self, logger: Any, method: str, event: dict[str, Any]) -> str:
        line = str(self._renderer(logger, method, event))
        for secret in self._secrets:
            line = line.replace(secret, "***")
        return line


def _without_secrets(_logger: Any, _method: str, event: dict[str, Any]) -> dict[str, Any]:
    for key in event:
        if _is_secret(key):
            event[key] = "***"
    return event


@lru_cache(maxsize=1024)
def _is_secret(key: str) -> bool:
    return any(part in key.lower() for part in _SECRET_PARTS)


def _without_empty(_logger: Any, _method: str, event: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in event.items() if value is not None}


def _event_first(_logger: Any, _method: str, event: dict[str, Any]) -> dict[str, Any]:
    """Lines that people scan begin with what happened."""
    return {"event": event.pop("event", ""), **event}
