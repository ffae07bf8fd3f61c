"""Makes Redis say what a row says: the repair for every transition whose second half was lost."""

from __future__ import annotations

from jobs.states import JobState
from redis_queue import upkeep
from redis_queue.connection import Client
from redis_queue.messages import progress_message
from redis_queue.waiting import Waiting
from store.records import JobRecord, NewJob


def waiting_of(record: JobRecord) -> Waiting:
    """The row as the queue needs it."""
    due_ms = record.due_ms if record.state == JobState.SCHEDULED else None
    return Waiting(
        record.id,
        record.payload,
        queue=record.queue,
        kind=record.kind,
        tenant=record.tenant,
        due_ms=due_ms,
    )


def waiting_of_new(job: NewJob) -> Waiting:
    """A job that has just been accepted, as the queue needs it."""
    due_ms = round(job.due_at.timestamp() * 1000) if job.due_at else None
    return Waiting(
        job.id, job.payload, queue=job.queue, kind=job.kind, tenant=job.tenant, due_ms=due_ms
    )


def mirror(
    client: Client,
    record: JobRecord,
    *,
    lease_s: float,
    final_ttl_s: int,
    wrong_fence: int | None = None,
) -> bool:
    """Write the row's state over what Redis has, unless that is at least as new.

    A `processing` row gets one lease for its holder to show itself; if it does not, the job is
    reaped in the ordinary way. `wrong_fence` is what Redis has and the row disproves.
    """
    return upkeep.restore(
        client,
        waiting_of(record),
        state=record.state,
        fence=record.fence,
        lease_ms=round(lease_s * 1000),
        final_ttl_s=final_ttl_s,
        enqueued_ms=record.created_ms,
        more=_state_of(record),
        wrong_fence=wrong_fence,
    )


def hash_of(record: JobRecord) -> dict[str, str]:
    """The job's hash as its row has it, but for what only its holder knows."""
    job = waiting_of(record)
    names = {"kind": job.kind, "payload": job.payload, "tenant": job.tenant, "queue": job.queue}
    return names | {"enqueued_ms": str(record.created_ms)} | _state_of(record)


def _state_of(record: JobRecord) -> dict[str, str]:
    fields = {
        "stage": record.stage or "",
        "progress": str(record.progress),
        "created_ms": str(record.created_ms),
        "updated_ms": str(round(record.updated_at.timestamp() * 1000)),
        "stopping": "0",
        "cancel": "1" if record.cancel_requested else "0",
    }
    more = {
        "error": record.error,
        "worker_id": record.worker_id,
        "instance": record.instance,
    }
    return fields | {name: value for name, value in more.items() if value}


def state_message(record: JobRecord) -> str:
    """What subscribers are told of a change that no worker reports."""
    return progress_message(
        record.id, record.stage, record.progress, None, status=record.state, error=record.error
    )
