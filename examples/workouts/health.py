"""What `GET /health` tells of the application: the queue and the two services it works against.

Served by runtime.health_server, beside `/health/live`, `/health/ready` and `/metrics`.
"""

from __future__ import annotations

from typing import Any

from prometheus_client import CollectorRegistry, Gauge
from prometheus_client.exposition import generate_latest

from errors import QueueUnavailable
from examples.workouts.clients import AiCoach, WorkoutApi
from examples.workouts.settings import QUEUES
from redis_queue import presence, waiting
from redis_queue.connection import Client, translated

_TAKES_JOBS = ("idle", "working")


class WorkoutHealth:
    """Implements runtime.health_server.Told. Each look is a fresh one."""

    def __init__(self, client: Client, api: WorkoutApi, coach: AiCoach) -> None:
        self._client = client
        self._api = api
        self._coach = coach
        own = self._registry = CollectorRegistry()
        self._up = Gauge("workouts_up", "1 while it answers well.", ["part"], registry=own)
        self._depth = Gauge("workouts_queue_depth", "Jobs that wait.", registry=own)

    def report(self) -> dict[str, Any]:
        """`status` is "healthy" where all three answer; `queue_depth` None with Redis away."""
        depth = self._queue_depth()
        api, coach = self._api.status(), self._coach.status()
        connected = {"redis": depth is not None, "api": api == "200", "ai_coach": coach == "200"}
        return {
            "status": "healthy" if all(connected.values()) else "unhealthy",
            "redis_connected": connected["redis"],
            "queue_depth": depth,
            "api_connected": connected["api"],
            "ai_coach_connected": connected["ai_coach"],
            "details": {
                "queue_depth": "unknown" if depth is None else str(depth),
                "api_status": api,
                "ai_coach_status": coach,
            },
        }

    def is_live(self) -> bool:
        """This process answers; a worker that is stuck is the pool's business."""
        return True

    def takes_jobs(self) -> bool:
        """Whether any worker of the queue would claim a job that came now."""
        try:
            return any(row.get("state") in _TAKES_JOBS for row in presence.workers(self._client))
        except QueueUnavailable:
            return False

    def metrics(self) -> bytes:
        """The same as gauges, for Prometheus."""
        found = self.report()
        for part in ("redis", "api", "ai_coach"):
            self._up.labels(part).set(found[f"{part}_connected"])
        self._depth.set(found["queue_depth"] or 0)
        return generate_latest(self._registry)

    def _queue_depth(self) -> int | None:
        try:
            with translated():
                self._client.ping()
            depths = waiting.depths(self._client)
        except QueueUnavailable:
            return None
        return sum(depths.get(queue, 0) for queue in QUEUES)
