"""How many jobs of a queue run at once, by all workers together (WORKER_QUEUE_LIMITS)."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import suppress

from errors import QueueUnavailable
from redis_queue import slots
from redis_queue.connection import Client
from runtime.clock import boot_s


class QueueLimits:
    """Leased places, one a running job; a dead worker's come free when their leases end."""

    def __init__(self, client: Client, limits: Mapping[str, int], *, lease_s: float) -> None:
        self._client = client
        self._limits = limits
        self._lease_s = lease_s
        self._held: dict[str, tuple[str, float]] = {}
        self._guard = threading.Lock()

    def admit(self, queue: str, job_id: str) -> bool:
        """Take a place for a job; False: all are taken. Raises QueueUnavailable."""
        places = self._limits.get(queue)
        if places is None:
            return True
        if not self._take(queue, job_id, places):
            return False
        with self._guard:
            self._held[job_id] = (queue, boot_s())
        return True

    def free(self, job_id: str) -> None:
        """Give the job's place back, if it has one."""
        with self._guard:
            queue, _ = self._held.pop(job_id, ("", 0.0))
        if queue:
            with suppress(QueueUnavailable):  # its lease frees it then
                slots.give_back(self._client, _name(queue), job_id)

    def renew(self) -> None:
        """Called by the heartbeat: keep the places of the jobs in hand."""
        now = boot_s()
        with self._guard:
            due = [
                (job_id, queue)
                for job_id, (queue, taken_at) in self._held.items()
                if now - taken_at > self._lease_s / 3
            ]
        for job_id, queue in due:
            with suppress(QueueUnavailable):
                self._take(queue, job_id, self._limits[queue])
                with self._guard:
                    if job_id in self._held:
                        self._held[job_id] = (queue, now)

    def _take(self, queue: str, job_id: str, places: int) -> bool:
        return slots.take(self._client, _name(queue), job_id, places=places, lease_s=self._lease_s)


def _name(queue: str) -> str:
    return f"queue:{queue}"
