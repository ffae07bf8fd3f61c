"""After a wipe, a restart or a failover of Redis: put back all that the database knows.

One worker at a time, in batches, oldest first. Claims go on meanwhile.
"""

from __future__ import annotations

from datetime import timedelta

import structlog

from events import Event
from jobs.states import JobState
from redis_queue import epoch
from redis_queue.connection import Client
from runtime.mirror import mirror
from store.jobs import JobStore
from store.records import utc_now

#: Readers of a job's status expect to find what ended within this time.
_RECENT = timedelta(hours=24)
_RECENT_MAX = 10_000

log = structlog.get_logger()


def reconcile(
    client: Client,
    store: JobStore,
    *,
    instance: str,
    epoch_now: str,
    lease_s: float,
    final_ttl_s: int,
) -> None:
    """Compare every unfinished row with Redis, then recent final ones; mark the epoch done.

    A worker that dies on the way leaves the epoch open, and another begins again: each row's
    step is idempotent. Raises QueueUnavailable, StoreUnavailable.
    """
    restored = {state.value: 0 for state in JobState}
    for batch in store.unfinished():
        if not epoch.prolong(client, instance):
            return
        for record in batch:
            if mirror(client, record, lease_s=lease_s, final_ttl_s=final_ttl_s):
                restored[record.state] += 1
    seen = 0
    for batch in store.finished_since(utc_now() - _RECENT):
        if not epoch.prolong(client, instance):
            return
        for record in batch:
            restored[record.state] += mirror(
                client, record, lease_s=lease_s, final_ttl_s=final_ttl_s
            )
        seen += len(batch)
        if seen >= _RECENT_MAX:
            break
    epoch.finish(client, instance, epoch_now)
    counts = {state: count for state, count in restored.items() if count}
    log.warning(Event.QUEUE_RECONCILED, **counts)
