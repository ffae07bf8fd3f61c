"""Makes Redis say what a row says: the repair for every transition whose second half was lost."""

from __future__ import annotations

from jobs.states import JobState
from redis_queue import upkeep
from redis_queue.connection import Client
from redis_queue.messages import progress_message
from redis_queue.waiting import Waiting
from store.records import JobRecord


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
    fields = {
        "stage": record.stage or "",
        "progress": str(record.progress),
        "created_ms": str(record.created_ms),
        "updated_ms": str(round(record.updated_at.timestamp() * 1000)),
        "stopping": "0",
        "cancel": "1" if record.cancel_requested else "0",
    }
    if record.error:
        fields["error"] = record.error
    if record.worker_id:
        fields["worker_id"] = record.worker_id
    if record.instance:
        fields["instance"] = record.instance
    return upkeep.restore(
        client,
        waiting_of(record),
        state=record.state,
        fence=record.fence,
        lease_ms=round(lease_s * 1000),
        final_ttl_s=final_ttl_s,
        enqueued_ms=record.created_ms,
        more=fields,
        wrong_fence=wrong_fence,
    )


def state_message(record: JobRecord) -> str:
    """What subscribers are told of a change that no worker reports."""
    return progress_message(
        record.id, record.stage, record.progress, None, status=record.state, error=record.error
    )
