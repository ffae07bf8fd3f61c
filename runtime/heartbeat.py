"""The heartbeat: one thread with a Redis connection of its own, never touching the database.

Every tick: renew the lease when a third of it has passed, else look for a cancellation; end a
stage that is late or stuck; hear what an operator asks; now and then tell that this worker
lives.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

from errors import JobCancelled, LeaseLost, QueueUnavailable
from redis_queue import control, presence
from redis_queue.connection import Client
from runtime.clock import boot_s
from runtime.interrupts import Interrupts
from runtime.lease import Lease

#: How often a cancellation is looked for: well under the second that is promised.
_TICK_S = 0.5
_PRESENCE_S = 5.0
#: A worker whose state has changed tells so sooner, but not more often than this.
_NEWS_S = 1.0
#: How long a stage that was told to end may ignore it before the process leaves.
_HARD_GRACE_S = 10.0
#: sysexits.h EX_SOFTWARE: a stage could not be ended in any gentler way.
EXIT_STUCK = 70


class Heartbeat(threading.Thread):
    """Runs from the worker's start to its end; `hold` hands it the lease of each job."""

    def __init__(
        self,
        client: Client,
        interrupts: Interrupts,
        *,
        instance: str,
        lease_s: float,
        describe: Callable[[], dict[str, str]],
        phase: Callable[[], object] = lambda: None,
        on_order: Callable[[control.Order], None] = lambda _order: None,
        on_tick: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(name="heartbeat", daemon=True)
        self._client = client
        self._interrupts = interrupts
        self._instance = instance
        self._renew_after_s = lease_s / 3
        self._tick_s = min(_TICK_S, lease_s / 6)
        self._presence_ttl_s = max(30, round(lease_s * 2))
        self._describe = describe
        self._phase = phase
        self._on_order = on_order
        self._on_tick = on_tick
        self._lease: Lease | None = None
        self._guard = threading.Lock()
        self._ended = threading.Event()
        self._last_presence = -_PRESENCE_S
        self._told: object = None

    def hold(self, lease: Lease | None) -> None:
        """From now on renew this lease; None: no job in hand."""
        with self._guard:
            self._lease = lease

    def end(self) -> None:
        """Stop renewing and leave; returns when the thread is gone."""
        self._ended.set()
        if self.is_alive():
            self.join(timeout=2)

    def run(self) -> None:
        """The loop; every iteration is one `tick`."""
        while not self._ended.wait(self._tick_s):
            self.tick()

    def tick(self) -> None:
        """One heartbeat. Never raises: Redis away is answered by the lease's own clock."""
        self._on_tick()
        with self._guard:
            lease = self._lease
            if lease is not None:
                self._keep(lease)
        if self._interrupts.watch() > _HARD_GRACE_S:
            os._exit(EXIT_STUCK)
        try:
            order = control.order_for(self._client, self._instance)
            if order is not None:
                self._on_order(order)
            self._tell()
        except QueueUnavailable:
            return

    def _tell(self) -> None:
        silent_s, phase = boot_s() - self._last_presence, self._phase()
        if silent_s >= _PRESENCE_S or (phase != self._told and silent_s >= _NEWS_S):
            self._last_presence, self._told = boot_s(), phase
            presence.beat(self._client, self._instance, self._describe(), self._presence_ttl_s)

    def _keep(self, lease: Lease) -> None:
        try:
            if lease.age_s >= self._renew_after_s:
                cancelled = lease.renew()
            else:
                mine, cancelled = lease.holder.peek()
                if not mine:
                    cancelled = lease.renew()  # says for certain, by script
            if cancelled:
                self._interrupts.ask(JobCancelled)
        except QueueUnavailable:
            try:
                lease.check()
            except LeaseLost:
                self._interrupts.ask(LeaseLost)
        except LeaseLost:
            self._interrupts.ask(LeaseLost)
