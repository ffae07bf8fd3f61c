"""What all workers together may start of one kind in a time."""

from __future__ import annotations

import threading
import time
from typing import Any

from background.kinds import Kind
from errors import NotNow
from redis_queue import keys

_LEAST_WAIT_S = 0.1


class Rates:
    """Counted in the queue's Redis, by a sliding window. Connects on first use."""

    def __init__(self, redis_url: str) -> None:
        # The library has its own scheme for Unix sockets.
        self._url = redis_url.replace("unix://", "redis+unix://", 1)
        self._limiter: Any = None
        self._guard = threading.Lock()

    def keep(self, kind: Kind) -> None:
        """Count a start. Raises NotNow, with the time to wait, where it would be too many."""
        if kind.options.rate_limit is None:
            return
        import limits

        rate = limits.parse(kind.options.rate_limit)
        limiter = self._ready()
        name = f"kind:{kind.name}"
        try:
            if limiter.hit(rate, name):
                return
            wait_s = limiter.get_window_stats(rate, name).reset_time - time.time()
        except Exception as error:
            raise NotNow(f"{kind.name}: its rate cannot be read now", retry_after_s=1.0) from error
        raise NotNow(
            f"{kind.name}: no more than {kind.options.rate_limit}",
            retry_after_s=max(_LEAST_WAIT_S, wait_s),
        )

    def _ready(self) -> Any:
        with self._guard:
            if self._limiter is None:
                from limits import storage, strategies

                kept = storage.storage_from_string(self._url, key_prefix=keys.RATES)
                self._limiter = strategies.SlidingWindowCounterRateLimiter(kept)
            return self._limiter
