"""What housekeeping reads and mends in Redis: expired leases, due jobs, lost ids, foreign entries.

Every change of a job's state is made by the caller in the database first; these functions
mirror it. All are idempotent and bounded.
"""

from __future__ import annotations

from dataclasses import dataclass

from redis_queue import keys, scripts
from redis_queue.connection import Client, translated
from redis_queue.messages import progress_message
from redis_queue.waiting import Waiting

_SCAN = 1000


@dataclass(frozen=True)
class Expired:
    """A lease that ran out, as Redis remembers its holder."""

    job_id: str
    fence: int
    queue: str
    stopping: bool


def now_ms(client: Client) -> int:
    """Redis's clock: the one clock for leases and schedules."""
    with translated():
        seconds, micros = client.time()
    return int(seconds) * 1000 + int(micros) // 1000


def expired_leases(client: Client, limit: int = 100) -> list[Expired]:
    """Leases that ran out, oldest first."""
    with translated():
        ids = client.zrangebyscore(keys.LEASES, "-inf", now_ms(client), start=0, num=limit)
        pipe = client.pipeline(transaction=False)
        for job_id in ids:
            pipe.hmget(keys.JOB_PREFIX + job_id.decode(), "fence", "queue", "stopping", "status")
        rows = pipe.execute()
    found = []
    for job_id, (fence, queue, stopping, status) in zip(ids, rows, strict=True):
        if status != b"processing":
            with translated():
                client.zrem(keys.LEASES, job_id)
            continue
        name = (queue or b"video").decode()
        found.append(Expired(job_id.decode(), int(fence or 0), name, stopping == b"1"))
    return found


def due(client: Client, limit: int = 100) -> list[str]:
    """Ids of scheduled jobs that are due."""
    with translated():
        ids = client.zrangebyscore(keys.SCHEDULED, "-inf", now_ms(client), start=0, num=limit)
    return [job_id.decode() for job_id in ids]


def promote(client: Client, job_id: str, queue: str) -> bool:
    """A due job's second half: from schedule to list. The row says pending already."""
    names = [keys.job(job_id), keys.SCHEDULED, keys.list_of(queue), keys.LEDGER]
    return bool(scripts.run(client, "promote", names, [job_id]))


def mirror_final(
    client: Client,
    job_id: str,
    *,
    fence: int,
    state: str,
    error: str,
    final_ttl_s: int,
    progress: int = 0,
) -> bool:
    """Mirror a final row, and tell subscribers once; False: Redis knows a later fence."""
    message = progress_message(job_id, None, progress, None, status=state, error=error)
    names = [keys.job(job_id), keys.LEASES, keys.LEDGER, keys.SCHEDULED, keys.events(job_id)]
    names.append(keys.EVENTS)
    args = [job_id, fence, state, error, final_ttl_s, message, keys.channel(job_id), progress]
    return bool(scripts.run(client, "dead_letter", names, args))


def unrecorded(client: Client, limit: int = 100) -> list[tuple[str, dict[bytes, bytes]]]:
    """Jobs pushed without a row, oldest first, with their hashes."""
    with translated():
        ids = [job_id.decode() for job_id in client.zrange(keys.UNRECORDED, 0, limit - 1)]
        pipe = client.pipeline(transaction=False)
        for job_id in ids:
            pipe.hgetall(keys.job(job_id))
        return list(zip(ids, pipe.execute(), strict=True))


def fields_of(client: Client, job_id: str) -> dict[bytes, bytes]:
    """A job's hash, empty if Redis does not know it."""
    with translated():
        return dict(client.hgetall(keys.job(job_id)))


def mark_recorded(client: Client, job_id: str) -> None:
    """The job has its row now."""
    with translated():
        client.zrem(keys.UNRECORDED, job_id)


def pending_cancels(client: Client, limit: int = 100) -> list[str]:
    """Cancellations that the rows do not know yet."""
    with translated():
        return [job_id.decode() for job_id in client.zrange(keys.CANCELS, 0, limit - 1)]


def mark_cancel_recorded(client: Client, job_id: str) -> None:
    """The row knows of the cancellation."""
    with translated():
        client.zrem(keys.CANCELS, job_id)


def raw_entries(client: Client, limit: int = 100) -> list[bytes]:
    """Foreign entries that a claim took off a list and nobody adopted yet."""
    with translated():
        return list(client.lrange(keys.RAW, 0, limit - 1))


def mark_adopted(client: Client, entry: bytes) -> None:
    """A foreign entry has become a job or a dead letter."""
    with translated():
        client.lrem(keys.RAW, 1, entry)


def lists_match_ledger(client: Client) -> bool:
    """Whether as many entries are listed as jobs wait: O(1) in the number of jobs."""
    with translated():
        names = client.smembers(keys.QUEUES)
        pipe = client.pipeline(transaction=False)
        pipe.zcard(keys.LEDGER)
        pipe.llen(keys.VIDEO_LIST)
        for name in names - {b"video"}:
            pipe.llen(keys.list_of(name.decode()))
        waiting, *lengths = pipe.execute()
    return bool(waiting == sum(lengths))


def find_unlisted(client: Client) -> tuple[set[str], list[tuple[str, bytes]]]:
    """Compare lists and ledger in full: (waiting ids in no list, (queue, entry) of foreign ones).

    O(waiting jobs), read in batches; called only when the counts disagree, or rarely.
    """
    with translated():
        names = {name.decode() for name in client.smembers(keys.QUEUES)} | {"video"}
    listed: set[bytes] = set()
    foreign: list[tuple[str, bytes]] = []
    waiting = {member for member, _ in _ledger(client)}
    for name in sorted(names):
        start = 0
        while True:
            with translated():
                batch = client.lrange(keys.list_of(name), start, start + _SCAN - 1)
            listed.update(batch)
            foreign += [(name, entry) for entry in batch if entry not in waiting]
            if len(batch) < _SCAN:
                break
            start += _SCAN
    missing = {member.decode() for member in waiting - listed}
    return missing, [(name, entry) for name, entry in foreign if not _has_hash(client, entry)]


def fence_of(client: Client, job_id: str) -> int | None:
    """The fence that Redis has for a job, None if it does not know it."""
    with translated():
        fence = client.hget(keys.job(job_id), "fence")
    return int(fence) if fence is not None else None


def _ledger(client: Client) -> list[tuple[bytes, float]]:
    members: list[tuple[bytes, float]] = []
    cursor = 0
    while True:
        with translated():
            cursor, batch = client.zscan(keys.LEDGER, cursor, count=_SCAN)
        members += batch
        if cursor == 0:
            return members


def _has_hash(client: Client, entry: bytes) -> bool:
    with translated():
        return bool(client.exists(keys.JOB_PREFIX.encode() + entry))


def repair(client: Client, job_id: str) -> bool:
    """Put a waiting id that no list names back to the front of its list."""
    with translated():
        queue = (client.hget(keys.job(job_id), "queue") or b"video").decode()
    names = [keys.job(job_id), keys.list_of(queue), keys.LEDGER]
    return bool(scripts.run(client, "repair", names, [job_id]))


def take_foreign(client: Client, queue: str, entry: bytes) -> bool:
    """Move a foreign entry from its list to the entries being adopted; False: it is gone."""
    with translated():
        pipe = client.pipeline(transaction=True)
        pipe.rpush(keys.RAW, entry)
        pipe.lrem(keys.list_of(queue), 1, entry)
        removed = pipe.execute()[1]
        if not removed:
            client.lrem(keys.RAW, -1, entry)
    return bool(removed)


def restore(
    client: Client,
    job: Waiting,
    *,
    state: str,
    fence: int,
    lease_ms: int,
    final_ttl_s: int,
    enqueued_ms: int,
    more: dict[str, str],
    wrong_fence: int | None = None,
) -> bool:
    """Make Redis say what the row says; False: it knows the job at least as well.

    `wrong_fence` is a fence in Redis that the caller knows to be mistaken, and overrules.
    """
    names = [keys.job(job.job_id), keys.list_of(job.queue), keys.LEDGER, keys.SCHEDULED]
    fields = {"kind": job.kind, "payload": job.payload, "tenant": job.tenant, **more}
    flat = [text for pair in fields.items() for text in pair]
    args = [job.job_id, job.queue, state, fence, job.due_ms or 0, lease_ms, final_ttl_s]
    return bool(
        scripts.run(
            client,
            "reconcile",
            [*names, keys.LEASES, keys.QUEUES],
            [*args, enqueued_ms, "" if wrong_fence is None else wrong_fence, *flat],
        )
    )


def may_sweep(client: Client, *, every_s: float) -> bool:
    """Whether this worker is to look for old artefacts now: one does, once in `every_s`."""
    with translated():
        return bool(client.set(keys.SWEPT, "1", nx=True, px=round(every_s * 1000)))
