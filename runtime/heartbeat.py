"""The heartbeat: one thread with a Redis connection of its own, never touching the database.

Every tick: renew the lease when a third of it has passed, else look for a cancellation; end a
stage that is late or stuck; hear what an operator asks; now and then tell that this worker
lives.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress

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
        crew: Callable[[], Sequence[tuple[Lease, Interrupts]]] = list,
    ) -> None:
        """`crew`: the leases that are held beside the main loop's, and whom each concerns."""
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
        self._crew = crew
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
        answers = True
        with self._guard:
            lease = self._lease
            if lease is not None:
                answers = self._keep(lease, self._interrupts)
        others = self._crew()
        for held, interrupts in others:
            # Each wait for a Redis that is away would delay the judgement of the next lease.
            if answers:
                answers = self._keep(held, interrupts)
            else:
                self._judge(held, interrupts)
        late_s = [(held, interrupts.watch()) for held, interrupts in others]
        if max(self._interrupts.watch(), *(late for _, late in late_s), 0.0) > _HARD_GRACE_S:
            self._leave_hard([held for held, late in late_s if not late])
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

    def _leave_hard(self, others: Sequence[Lease]) -> None:
        """End the process; to the jobs that were doing well it is an interruption, no crash."""
        for lease in others:
            lease.stopping = True
            with suppress(QueueUnavailable, LeaseLost):
                lease.renew()
        os._exit(EXIT_STUCK)

    def _judge(self, lease: Lease, interrupts: Interrupts) -> None:
        """By the lease's own clock alone."""
        try:
            lease.check()
        except LeaseLost:
            interrupts.ask(LeaseLost)

    def _keep(self, lease: Lease, interrupts: Interrupts) -> bool:
        """Renew, or look whether that is needed; False: Redis does not answer."""
        try:
            if lease.age_s >= self._renew_after_s:
                cancelled = lease.renew()
            else:
                mine, cancelled = lease.holder.peek()
                if not mine:
                    cancelled = lease.renew()  # says for certain, by script
            if cancelled:
                interrupts.ask(JobCancelled)
        except QueueUnavailable:
            self._judge(lease, interrupts)
            return False
        except LeaseLost:
            interrupts.ask(LeaseLost)
        return True
