"""The queue as callers see it: `from redis_client import redis_client`.

The instance connects on first use. `enqueue_job` alone is as durable as this Redis until a
worker has given the job its database row, seconds later; `cli.py submit` writes the row first.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from config import settings
from jobs.payload import parse_job
from redis_queue import keys, waiting
from redis_queue.connection import Client, connect
from redis_queue.waiting import Waiting


class RedisClient:
    """Enqueue, look up and cancel jobs. Thread-safe, as the client below it is."""

    def __init__(self, url: str | None = None) -> None:
        self._url = url
        self._client: Client | None = None

    def get_client(self) -> Client:
        """The plain client, for commands such as `llen`; bytes in and out."""
        if self._client is None:
            url = self._url or settings().redis_url.get_secret_value()
            self._client = connect(url, name="video-client")
        return self._client

    def enqueue_job(self, job_id: str, job_data: Mapping[str, Any]) -> bool:
        """Make a video job wait; False: this id is known already, and nothing changed.

        Raises InvalidInput that names the field, QueueUnavailable where Redis is away.
        """
        job = parse_job({**job_data, "id": job_id})
        due_ms = round(job.run_at.timestamp() * 1000) if job.run_at else None
        return waiting.enqueue(
            self.get_client(),
            Waiting(
                job.id,
                json.dumps({**job_data, "id": job_id}, ensure_ascii=False, default=str),
                queue=keys.queue_for_priority(job.priority),
                tenant=job.tenant,
                due_ms=due_ms,
            ),
            recorded=False,
        )

    def get_job_status(self, job_id: str) -> dict[str, Any] | None:
        """`job_id, status, stage, progress, worker_id, error, created_at, updated_at`, or None."""
        return waiting.status(self.get_client(), job_id)

    def cancel_job(self, job_id: str) -> bool:
        """Cancel a waiting job at once, or a running one within a second; False: too late."""
        before = waiting.cancel(
            self.get_client(), job_id, recorded=False, final_ttl_s=settings().final_ttl_s
        )
        return before in ("pending", "scheduled", "processing")


redis_client = RedisClient()
