"""Jobs that wait: putting them there, reading them, calling them off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from redis_queue import keys, scripts
from redis_queue.connection import Client, translated
from redis_queue.messages import decode_hash, progress_message, status_of, success_message

#: Scripts in one round trip.
_AT_ONCE = 500


@dataclass(frozen=True)
class Waiting:
    """A job as the queue needs it; `due_ms` makes it a scheduled one."""

    job_id: str
    payload: str
    queue: str = "video"
    kind: str = "video"
    tenant: str = "default"
    due_ms: int | None = None


def enqueue(client: Client, job: Waiting, *, recorded: bool, front: bool = False) -> bool:
    """Make a job wait; False: Redis knows it already. Idempotent."""
    return bool(scripts.run(client, *_enqueueing(job, recorded=recorded, front=front)))


def enqueue_all(client: Client, jobs: Sequence[Waiting]) -> None:
    """Make many recorded jobs wait, in few round trips. Idempotent."""
    for start in range(0, len(jobs), _AT_ONCE):
        part = jobs[start : start + _AT_ONCE]
        scripts.run_all(client, [_enqueueing(job, recorded=True, front=False) for job in part])


def _enqueueing(job: Waiting, *, recorded: bool, front: bool) -> scripts.Call:
    names = [keys.job(job.job_id), keys.list_of(job.queue), keys.LEDGER, keys.SCHEDULED]
    state = "pending" if job.due_ms is None else "scheduled"
    args = [job.job_id, job.queue, state, job.due_ms or 0, "front" if front else "back"]
    return (
        "enqueue",
        [*names, keys.QUEUES, keys.UNRECORDED],
        [*args, "1" if recorded else "0", *_fields(job)],
    )


def replay(client: Client, job: Waiting, *, fence: int) -> bool:
    """Make a finished job wait again, if it does not already. Idempotent.

    False: its last holder has yet to tell Redis of the end, and would be cut short.
    """
    with translated():
        ended, worker_id = client.hmget(keys.job(job.job_id), "ended", "worker_id")
    told = [ended, _told_at_end(job.job_id, worker_id)] if ended else ["", ""]
    names = [keys.job(job.job_id), keys.list_of(job.queue), keys.LEDGER, keys.QUEUES]
    names.append(keys.events(job.job_id))
    args = [job.job_id, job.queue, fence, *told, *_fields(job)]
    return int(scripts.run(client, "replay", names, args)) >= 0


def cancel(client: Client, job_id: str, *, recorded: bool, final_ttl_s: int) -> str | None:
    """Cancel a waiting job at once, ask a running one to stop; the state before, None: unknown."""
    with translated():
        queue, progress = client.hmget(keys.job(job_id), "queue", "progress")
    message = progress_message(job_id, None, int(progress or 0), None, status="cancelled")
    names = [keys.job(job_id), keys.list_of((queue or b"video").decode()), keys.LEDGER]
    reply: bytes = scripts.run(
        client,
        "cancel",
        [*names, keys.SCHEDULED, keys.CANCELS, keys.events(job_id), keys.EVENTS],
        [job_id, final_ttl_s, message, keys.channel(job_id), "1" if recorded else "0"],
    )
    return reply.decode() or None


def status(client: Client, job_id: str) -> dict[str, Any] | None:
    """The job as Redis knows it, or None."""
    with translated():
        fields = decode_hash(client.hgetall(keys.job(job_id)))
    return status_of(fields) if fields.get("status") else None


def depths(client: Client) -> dict[str, int]:
    """Waiting entries by queue name, the three video queues always among them."""
    with translated():
        names = {name.decode() for name in client.smembers(keys.QUEUES)}
        ordered = sorted(names | {"video-high", "video", "video-low"})
        pipe = client.pipeline(transaction=False)
        for name in ordered:
            pipe.llen(keys.list_of(name))
        return dict(zip(ordered, pipe.execute(), strict=True))


def counts(client: Client) -> dict[str, int]:
    """How many jobs wait, run and are scheduled, over all queues."""
    with translated():
        pipe = client.pipeline(transaction=False)
        for key in (keys.LEDGER, keys.LEASES, keys.SCHEDULED):
            pipe.zcard(key)
        waiting, running, scheduled = pipe.execute()
    return {"waiting": waiting, "running": running, "scheduled": scheduled}


def events(client: Client, job_id: str, after: str = "-") -> list[tuple[str, str]]:
    """The job's event log as (event id, message JSON), oldest first, after an event id."""
    start = "-" if after == "-" else f"({after}"
    with translated():
        pipe = client.pipeline(transaction=False)
        # First: what comes in between is in the log then, or is yet to be told.
        pipe.hmget(keys.job(job_id), "ended", "worker_id")
        pipe.xrange(keys.events(job_id), min=start)
        (ended, worker_id), rows = pipe.execute()
    found = {event_id.decode(): fields[b"data"].decode() for event_id, fields in rows}
    if ended is not None and (after == "-" or _place(ended.decode()) > _place(after)):
        found[ended.decode()] = _told_at_end(job_id, worker_id)
    return sorted(found.items(), key=lambda event: _place(event[0]))


def _told_at_end(job_id: str, worker_id: bytes | None) -> str:
    """The message of a job that complete_many ended, whose hash alone has it."""
    return success_message(job_id, worker_id.decode() if worker_id else None)


def _place(entry: str) -> tuple[int, int]:
    moment, _, number = entry.partition("-")
    return int(moment), int(number or 0)


def _fields(job: Waiting) -> list[str]:
    pairs = {"kind": job.kind, "payload": job.payload, "tenant": job.tenant}
    return [text for pair in pairs.items() for text in pair]


def last_event(client: Client) -> str:
    """The id of the last entry in the log of all jobs; "0-0" if there is none."""
    with translated():
        rows = client.xrevrange(keys.EVENTS, count=1)
    return rows[0][0].decode() if rows else "0-0"


def new_events(client: Client, after: str, *, block_ms: int) -> list[tuple[str, dict[str, str]]]:
    """Entries of the log of all jobs after an id, waiting for some up to `block_ms`."""
    with translated():
        found = client.xread({keys.EVENTS: after}, count=500, block=block_ms)
    return [(entry.decode(), decode_hash(fields)) for _, rows in found for entry, fields in rows]


def all_events(client: Client, after: str, limit: int) -> list[tuple[str, dict[str, str]]]:
    """Entries of the log of all jobs after an id, oldest first."""
    with translated():
        rows = client.xrange(keys.EVENTS, min=f"({after}", count=limit)
    return [(entry.decode(), decode_hash(fields)) for entry, fields in rows]
