"""The lease as its holder sees it: when it was last renewed, by the holder's own clock."""

from __future__ import annotations

from collections.abc import Callable

from errors import LeaseLost
from redis_queue.claim import Claim
from redis_queue.hold import Holder
from runtime.clock import boot_s

#: A write must land this long before others may think the lease over, in s.
_MARGIN_S = 2.0


class Lease:
    """Shared by the main thread, which checks, and the heartbeat thread, which renews."""

    def __init__(
        self, holder: Holder, lease_s: float, *, clock: Callable[[], float] = boot_s
    ) -> None:
        self.holder = holder
        self._clock = clock
        self._lease_s = lease_s
        # Short leases, as tests use them, keep most of their time.
        self._margin_s = min(_MARGIN_S, lease_s / 5)
        self._renewed_at = clock()
        self.lost = False
        self.stopping = False

    @property
    def claim(self) -> Claim:
        return self.holder.claim

    @property
    def renewed_at(self) -> float:
        """When the last renewal began, by the holder's own clock."""
        return self._renewed_at

    @property
    def age_s(self) -> float:
        """Seconds since the last renewal began."""
        return self._clock() - self._renewed_at

    def renew(self) -> bool:
        """Renew; returns whether a cancellation was asked for.

        Raises LeaseLost if another holds the job, QueueUnavailable where Redis is away.
        """
        # The lease runs from Redis's clock at the call, so from before the reply.
        began = self._clock()
        mine, cancelled = self.holder.renew(stopping=self.stopping)
        if not mine:
            self.lost = True
            raise LeaseLost
        self._renewed_at = began
        return cancelled

    def check(self) -> None:
        """Raise LeaseLost unless a write that starts now lands while the lease holds."""
        if self.lost or self.age_s > self._lease_s - self._margin_s:
            self.lost = True
            raise LeaseLost
