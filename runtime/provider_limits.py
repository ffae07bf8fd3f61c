"""What all workers together may ask of a provider: rate, concurrent places, circuit breaker;
and what it told without being asked.

1. an open breaker parks the job: nothing is sent to a provider that is down;
2. a place is taken, waiting a while if all are; its lease is renewed by the heartbeat;
3. the rate is kept, waiting a while; then the call is made, and its outcome counts;
4. a call that fails as the trial of an open breaker parks its job too: it was our question.
"""

from __future__ import annotations

import random
import threading
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from errors import NotNow, ProviderUnavailable, QueueUnavailable
from redis_queue import hints, keys, slots
from redis_queue.connection import Client, translated
from runtime.interrupts import Interrupts

#: A place is held for this long without a renewal, in s.
_SLOT_LEASE_S = 15.0
_RENEW_AFTER_S = 5.0
#: Longest wait for a place or for the rate with the job in hand; then the job is parked.
_PATIENCE_S = 8.0
_PARK_S = 5.0


@dataclass(frozen=True)
class ProviderLimit:
    """One provider's limits. 0 is none."""

    concurrent: int = 0
    per_minute: int = 0


class ProviderLimits:
    """Shared through Redis; one instance per worker. Redis away is NotNow: late, not blind."""

    def __init__(
        self,
        client: Client,
        redis_url: str,
        limits: Mapping[str, ProviderLimit],
        interrupts: Interrupts,
        *,
        breaker_failures: int,
        breaker_reset_s: float,
    ) -> None:
        self._client = client
        self._redis_url = redis_url
        self._limits = limits
        self._interrupts = interrupts
        self._breaker_failures = breaker_failures
        self._breaker_reset_s = breaker_reset_s
        self._breakers: dict[str, Any] = {}
        self._storages: dict[str, Any] = {}
        self._limiter: Any = None
        self._patience_s = _PATIENCE_S
        self._held: dict[str, tuple[str, float]] = {}
        self._guard = threading.Lock()

    @contextmanager
    def slot(self, provider: str) -> Iterator[None]:
        """See pipeline.calls.Calls.slot."""
        import pybreaker

        limit = self._limits.get(provider, ProviderLimit())
        is_trial = False
        try:
            breaker = self._breaker(provider)
            self._refuse_while_open(provider)
            token = self._take(provider, limit)
            try:
                self._keep_rate(provider, limit)
                is_trial = self._storages[provider].state != pybreaker.STATE_CLOSED
                with breaker.calling():
                    yield
            finally:
                self._free(provider, token)
        except pybreaker.CircuitBreakerError as error:
            raise self._is_down(provider, self._breaker_reset_s) from error
        except ProviderUnavailable as error:
            if not is_trial:
                raise
            wait_s = max(self._breaker_reset_s, error.retry_after_s or 0.0)
            raise self._is_down(provider, wait_s) from error
        except QueueUnavailable as error:
            raise NotNow(f"{provider}: its limits cannot be read now", retry_after_s=1) from error

    def told(self, provider: str, remote_ids: Sequence[str]) -> list[str]:
        """See pipeline.calls.Calls.told; with Redis away nothing was told."""
        try:
            return hints.take(self._client, provider, remote_ids)
        except QueueUnavailable:
            return []

    def renew(self) -> None:
        """Called by the heartbeat: keep the places that this worker holds."""
        now = time.monotonic()
        with self._guard:
            due = [
                (token, provider)
                for token, (provider, renewed_at) in self._held.items()
                if now - renewed_at >= _RENEW_AFTER_S
            ]
        for token, provider in due:
            places = self._limits[provider].concurrent
            with suppress(QueueUnavailable):
                slots.take(self._client, provider, token, places=places, lease_s=_SLOT_LEASE_S)
                with self._guard:
                    if token in self._held:
                        self._held[token] = (provider, now)

    def breakers(self) -> dict[str, bool]:
        """Whether each provider that this worker has asked is left alone; {} with Redis away."""
        names = list(self._breakers)
        found: dict[str, bool] = {}
        if names:
            with suppress(QueueUnavailable), translated():
                states = self._client.mget([keys.breaker_state(name) for name in names])
                found = {name: state == b"open" for name, state in zip(names, states, strict=True)}
        return found

    def _take(self, provider: str, limit: ProviderLimit) -> str | None:
        if not limit.concurrent:
            return None
        token = uuid.uuid4().hex
        deadline = time.monotonic() + self._patience_s
        while not slots.take(
            self._client, provider, token, places=limit.concurrent, lease_s=_SLOT_LEASE_S
        ):
            if time.monotonic() > deadline:
                raise NotNow(f"{provider}: all its places are taken", retry_after_s=_PARK_S)
            # At random, so that many waiting workers do not ask in step.
            self._interrupts.sleep(0.05 + 0.15 * random.random())
        with self._guard:
            self._held[token] = (provider, time.monotonic())
        return token

    def _free(self, provider: str, token: str | None) -> None:
        if token is None:
            return
        with self._guard:
            self._held.pop(token, None)
        with suppress(QueueUnavailable):  # its lease frees it then
            slots.give_back(self._client, provider, token)

    def _keep_rate(self, provider: str, limit: ProviderLimit) -> None:
        if not limit.per_minute:
            return
        import limits
        from limits import storage as limits_storage
        from limits import strategies

        if self._limiter is None:
            storage = limits_storage.storage_from_string(self._limits_url(), key_prefix=keys.RATES)
            self._limiter = strategies.SlidingWindowCounterRateLimiter(storage)
        rate = limits.RateLimitItemPerMinute(limit.per_minute)
        deadline = time.monotonic() + self._patience_s
        while not self._limiter.hit(rate, provider):
            window = self._limiter.get_window_stats(rate, provider)
            reset_s = max(0.05, window.reset_time - time.time())
            if time.monotonic() + min(reset_s, 0.5) > deadline:
                raise NotNow(f"{provider}: its rate is used up", retry_after_s=max(1.0, reset_s))
            self._interrupts.sleep(min(0.5, reset_s))

    def _limits_url(self) -> str:
        # The library has its own scheme for Unix sockets.
        return self._redis_url.replace("unix://", "redis+unix://", 1)

    def _refuse_while_open(self, provider: str) -> None:
        import pybreaker

        storage = self._storages[provider]
        opened_at = storage.opened_at
        if storage.state != pybreaker.STATE_OPEN or opened_at is None:
            return
        left_s = self._breaker_reset_s - (datetime.now(UTC) - opened_at).total_seconds()
        if left_s > 0:
            raise self._is_down(provider, left_s)

    def _is_down(self, provider: str, left_s: float) -> NotNow:
        return NotNow(
            f"{provider} does not work at the moment; it is asked again soon",
            # Spread out, so that not every parked job asks at the same moment.
            retry_after_s=max(1.0, left_s) * (1 + 0.2 * random.random()),
        )

    def _breaker(self, provider: str) -> Any:
        if provider not in self._breakers:
            import pybreaker

            with translated():
                storage = pybreaker.CircuitRedisStorage(
                    pybreaker.STATE_CLOSED, self._client, namespace=keys.breaker(provider)
                )
            self._storages[provider] = storage
            self._breakers[provider] = pybreaker.CircuitBreaker(
                fail_max=self._breaker_failures,
                reset_timeout=self._breaker_reset_s,
                # Only "unavailable" speaks of the provider; the rest of us or of the job.
                exclude=[lambda error: not isinstance(error, ProviderUnavailable)],
                state_storage=storage,
                throw_new_error_on_trip=False,
                name=provider,
            )
        return self._breakers[provider]
