"""Connections to Redis, and the translation of its errors.

Nothing here connects before the first command. Workers do not let the client retry: a retry
hidden in the client would repeat a script whose first reply was lost.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from errors import QueueUnavailable

#: Longest wait of a BLPOP, in s; socket time-outs lie just above it.
BLOCK_S = 1.0
_CONNECT_TIMEOUT_S = 2.0
_SOCKET_TIMEOUT_S = BLOCK_S + 2.0

#: Error codes of a server that cannot serve us now but may soon.
_AWAY_CODES = (
    "UNBLOCKED",
    "READONLY",
    "LOADING",
    "MISCONF",
    "OOM",
    "BUSY",
    "CLUSTERDOWN",
    "NOREPLICAS",
    "MASTERDOWN",
    "TRYAGAIN",
)

Client = Any  # redis.Redis: its own annotations are unions of sync and async results


def connect(url: str, *, name: str = "", max_connections: int = 16) -> Client:
    """A lazy client: bytes in and out, no hidden retries, short time-outs."""
    # A Unix socket knows no keep-alive, and its connection class refuses the option.
    tcp = {} if url.startswith("unix:") else {"socket_keepalive": True}
    return redis.Redis.from_url(
        url,
        retry=Retry(NoBackoff(), 0),
        socket_connect_timeout=_CONNECT_TIMEOUT_S,
        socket_timeout=_SOCKET_TIMEOUT_S,
        client_name=name or None,
        max_connections=max_connections,
        # Maintenance notifications of managed servers need RESP3 and a round trip at connect.
        protocol=2,
        **tcp,
    )


@contextmanager
def translated() -> Iterator[None]:
    """Turn "Redis is away" in all its forms into QueueUnavailable; other errors pass."""
    try:
        yield
    except (redis.ConnectionError, redis.TimeoutError) as error:
        raise QueueUnavailable(_brief(error)) from error
    except redis.ResponseError as error:
        # A script's own error is prefixed, so the code may stand inside the text.
        text = str(error)
        if any(code in text[:200].split(" ")[:6] or text.startswith(code) for code in _AWAY_CODES):
            raise QueueUnavailable(_brief(error)) from error
        raise


def _brief(error: Exception) -> str:
    return f"Redis: {type(error).__name__}"
