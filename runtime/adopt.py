"""Giving jobs that arrived without a row theirs: bare pushes and foreign producers' entries."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from datetime import datetime

import structlog

from errors import InvalidInput
from events import Event
from jobs.payload import ID_PATTERN, parse_job
from jobs.states import FINAL
from redis_queue import keys, upkeep, waiting
from redis_queue.connection import Client
from redis_queue.waiting import Waiting
from runtime.mirror import mirror
from store.jobs import JobStore
from store.records import JobRecord, NewJob

_ID = re.compile(ID_PATTERN)
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")

log = structlog.get_logger()


def adopt_raw(
    client: Client, store: JobStore, entry: bytes, *, lease_s: float, final_ttl_s: int
) -> bool:
    """Make a foreign entry a job at the front of its queue, or a dead letter; True: a job.

    Idempotent: the row is first, and the entry is dropped only when Redis has the job.
    """
    known = _known(store, entry)
    if known is not None:
        # An id of ours whose hash was wiped, or lapsed long after its end: the row says what it is.
        mirror(client, known, lease_s=lease_s, final_ttl_s=final_ttl_s)
        upkeep.mark_adopted(client, entry)
        return known.state not in FINAL
    try:
        payload = json.loads(entry)
        job = parse_job(payload, foreign=True)
        text = _as_text(payload)
    except InvalidInput as error:
        _bury(client, store, entry, str(error), final_ttl_s)
        return False
    except RecursionError:
        _bury(client, store, entry, "is nested too deeply", final_ttl_s)
        return False
    except ValueError:
        # No text, no JSON, or a number of thousands of digits.
        _bury(client, store, entry, "is not a job id and not a JSON object", final_ttl_s)
        return False
    queue = keys.queue_for_priority(job.priority)
    new = NewJob(job.id, text, queue=queue, tenant=job.tenant, due_at=job.run_at)
    accepted = store.accept(new, pushed=True)
    due_ms = round(job.run_at.timestamp() * 1000) if job.run_at else None
    waiting.enqueue(
        client,
        Waiting(job.id, text, queue=queue, tenant=job.tenant, due_ms=due_ms),
        recorded=True,
        front=True,
    )
    upkeep.mark_adopted(client, entry)
    log.info(Event.JOB_ADOPTED, job_id=job.id, new=accepted)
    return True


def new_job(job_id: str, fields: dict[bytes, bytes] | dict[str, str]) -> NewJob:
    """A job's hash in Redis as the row that it lacks."""
    texts = {
        (key.decode() if isinstance(key, bytes) else key): (
            value.decode(errors="replace") if isinstance(value, bytes) else value
        )
        for key, value in fields.items()
    }
    payload = texts.get("payload", "{}")
    return NewJob(
        job_id,
        payload,
        queue=texts.get("queue", "video"),
        kind=texts.get("kind", "video"),
        tenant=texts.get("tenant", "default"),
        due_at=_due_at(payload) if texts.get("status") == "scheduled" else None,
    )


def _known(store: JobStore, entry: bytes) -> JobRecord | None:
    try:
        name = entry.decode("ascii")
    except UnicodeDecodeError:
        return None
    return store.get(name) if _ID.fullmatch(name) else None


def _due_at(payload: str) -> datetime | None:
    try:
        return parse_job(json.loads(payload), foreign=True).run_at
    except (ValueError, InvalidInput):
        return None


def _as_text(payload: object) -> str:
    """JSON again; half a surrogate pair, which no text column takes, stays escaped."""
    text = json.dumps(payload, ensure_ascii=False)
    return text if text.isascii() or not _LONE_SURROGATE.search(text) else json.dumps(payload)


def _bury(client: Client, store: JobStore, entry: bytes, reason: str, final_ttl_s: int) -> None:
    """Keep an entry that cannot be run, whole, as a dead letter named by its hash."""
    job_id = "raw-" + hashlib.sha256(entry).hexdigest()[:16]
    payload = json.dumps({"entry_base64": base64.b64encode(entry).decode()})
    error = f"payload: {reason}" if reason.startswith("is ") else reason
    store.accept_dead(NewJob(job_id, payload), error=error, raw=entry)
    upkeep.mirror_final(
        client, job_id, fence=0, state="failed", error=error, final_ttl_s=final_ttl_s
    )
    upkeep.mark_adopted(client, entry)
    log.warning(Event.ENTRY_DEAD_LETTERED, job_id=job_id, reason=error, size=len(entry))
