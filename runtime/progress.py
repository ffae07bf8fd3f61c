"""Progress of the job in hand: throttled, published, and never in the way of the work."""

from __future__ import annotations

import time

from errors import QueueUnavailable
from jobs.states import overall_progress
from redis_queue.messages import progress_message
from runtime.interrupts import Interrupts
from runtime.lease import Lease

#: Least time between two messages of one stage, in s.
_LEAST_GAP_S = 0.1
#: An error later than this means that nothing answers; sooner, that a connection was cut.
_NO_ANSWER_S = 0.5


class JobProgress:
    """Implements pipeline.ports.Progress over one lease."""

    def __init__(self, lease: Lease, interrupts: Interrupts, worker_id: str) -> None:
        self._lease = lease
        self._interrupts = interrupts
        self._worker_id = worker_id
        self._said: tuple[str, int] = ("", -1)
        self._said_at = 0.0
        #: The renewal after which Redis stopped answering; silent until there is a later one.
        self._silent_after: float | None = None

    def report(self, stage: str, fraction: float, note: str = "") -> None:
        """See Progress. A stage's begin and end are always published."""
        if self._silent_after == self._lease.renewed_at:
            return  # each try would hold the work up for as long as a socket waits
        percent = overall_progress(stage, fraction)
        now = time.monotonic()
        at_edge = fraction <= 0.0 or fraction >= 1.0
        if (stage, percent) == self._said and not (at_edge and fraction <= 0.0):
            return
        if now - self._said_at < _LEAST_GAP_S and not at_edge:
            return
        self._said, self._said_at = (stage, percent), now
        message = progress_message(
            self._lease.claim.job_id, stage, percent, self._worker_id, note=note, ts=time.time()
        )
        try:
            # A reply that an interruption tore in half would poison the connection.
            with self._interrupts.held():
                # Refused means another holds the job; the next renewal says so and ends it.
                self._lease.holder.progress(stage, percent, message)
        except QueueUnavailable:
            # The work goes on; the next message says where it is.
            if time.monotonic() - now > _NO_ANSWER_S:
                self._silent_after = self._lease.renewed_at
