"""What an operator's screen shows of the queue: read only, and cheap however much waits."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from jobs.states import FINAL
from redis_queue import control, keys, waiting
from redis_queue.connection import Client, translated
from redis_queue.messages import iso_of_ms
from redis_queue.upkeep import now_ms

#: Entries of the event log that are looked through for ended jobs.
_LATELY = 500


@dataclass(frozen=True)
class QueueLine:
    """One queue. `oldest_s` is how long the job at its head has waited; None: nothing waits."""

    name: str
    depth: int
    oldest_s: float | None
    paused: bool


def queues(client: Client) -> list[QueueLine]:
    """All queues that were ever used or are paused, the three video queues among them."""
    depths, paused = waiting.depths(client), control.paused(client)
    depths |= dict.fromkeys(paused - depths.keys(), 0)
    now = now_ms(client)
    with translated():
        pipe = client.pipeline(transaction=False)
        for name in depths:
            pipe.lindex(keys.list_of(name), 0)
        heads = pipe.execute()
        for head in heads:
            pipe.hget(keys.JOB_PREFIX.encode() + (head or b""), "enqueued_ms")
        since = pipe.execute()
    return [
        QueueLine(name, depth, max(0.0, (now - int(ms)) / 1000) if ms else None, name in paused)
        for (name, depth), ms in zip(depths.items(), since, strict=True)
    ]


def progress_of(client: Client, job_ids: Iterable[str]) -> dict[str, int]:
    """Percent done of the jobs that Redis knows."""
    ids = list(job_ids)
    with translated():
        pipe = client.pipeline(transaction=False)
        for job_id in ids:
            pipe.hget(keys.job(job_id), "progress")
        found = zip(ids, pipe.execute(), strict=True)
    return {job_id: int(percent) for job_id, percent in found if percent is not None}


def ended_lately(client: Client, limit: int) -> list[dict[str, Any]]:
    """Jobs that ended, the last one first, as far back as the event log's end tells.

    Each with job_id, status, worker_id, error and ended_at (ISO 8601, UTC).
    """
    with translated():
        rows = client.xrevrange(keys.EVENTS, count=_LATELY)
    found: list[dict[str, Any]] = []
    for entry, fields in rows:
        message = json.loads(fields[b"data"])
        if message.get("status") in FINAL and len(found) < limit:
            told = {name: message.get(name) for name in ("job_id", "status", "worker_id", "error")}
            found.append({**told, "ended_at": iso_of_ms(entry.partition(b"-")[0].decode())})
    return found
