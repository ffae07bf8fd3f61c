"""Giving jobs that arrived without a row theirs: bare pushes and foreign producers' entries."""

from __future__ import annotations

import base64
import hashlib
import json

import structlog

from errors import InvalidInput
from events import Event
from jobs.payload import parse_job
from redis_queue import keys, upkeep, waiting
from redis_queue.connection import Client
from redis_queue.waiting import Waiting
from store.jobs import JobStore
from store.records import NewJob

log = structlog.get_logger()


def adopt_raw(client: Client, store: JobStore, entry: bytes, *, final_ttl_s: int) -> bool:
    """Make a foreign entry a job at the front of its queue, or a dead letter; True: a job.

    Idempotent: the row is first, and the entry is dropped only when Redis has the job.
    """
    try:
        payload = json.loads(entry)
        job = parse_job(payload, foreign=True)
    except (UnicodeDecodeError, json.JSONDecodeError):
        _bury(client, store, entry, "is not a job id and not a JSON object", final_ttl_s)
        return False
    except RecursionError:
        _bury(client, store, entry, "is nested too deeply", final_ttl_s)
        return False
    except InvalidInput as error:
        _bury(client, store, entry, str(error), final_ttl_s)
        return False
    queue = keys.queue_for_priority(job.priority)
    text = json.dumps(payload, ensure_ascii=False)
    accepted = store.accept(NewJob(job.id, text, queue=queue, tenant=job.tenant), pushed=True)
    waiting.enqueue(
        client, Waiting(job.id, text, queue=queue, tenant=job.tenant), recorded=True, front=True
    )
    upkeep.mark_adopted(client, entry)
    log.info(Event.JOB_ADOPTED, job_id=job.id, new=accepted)
    return True


def adopt_unrecorded(client: Client, store: JobStore) -> int:
    """Insert rows for jobs that `redis_client.enqueue_job` pushed; returns how many."""
    adopted = 0
    for job_id, fields in upkeep.unrecorded(client):
        if fields:
            adopted += store.accept(new_job(job_id, fields), pushed=True)
        upkeep.mark_recorded(client, job_id)
    return adopted


def new_job(job_id: str, fields: dict[bytes, bytes] | dict[str, str]) -> NewJob:
    """A job's hash in Redis as the row that it lacks."""
    texts = {
        (key.decode() if isinstance(key, bytes) else key): (
            value.decode(errors="replace") if isinstance(value, bytes) else value
        )
        for key, value in fields.items()
    }
    return NewJob(
        job_id,
        texts.get("payload", "{}"),
        queue=texts.get("queue", "video"),
        kind=texts.get("kind", "video"),
        tenant=texts.get("tenant", "default"),
    )


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
