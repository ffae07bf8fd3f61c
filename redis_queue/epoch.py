"""The epoch: how workers notice that Redis was wiped, restarted or failed over.

The key holds `<random>:<server run id>`. A wipe loses the key; a restart or a failover changes
the run id, and what the new server remembers may be older than what was answered.
"""

from __future__ import annotations

import uuid

import redis

from redis_queue import keys
from redis_queue.connection import Client, translated

#: A worker that dies while it reconciles holds the others up for this long.
_LOCK_TTL_MS = 10_000


def look(client: Client) -> str:
    """The epoch now, set anew if the key is missing or names another server.

    Claims go on under the new epoch at once; `needs_reconcile` is true until one worker has
    compared the database with what this Redis holds.
    """
    with translated():
        run_id = _run_id(client)
        known = client.get(keys.EPOCH)
        if known is not None and known.decode().endswith(f":{run_id}"):
            return str(known.decode())
        fresh = f"{uuid.uuid4().hex}:{run_id}"
        if known is None:
            client.set(keys.EPOCH, fresh, nx=True)
        else:
            client.set(keys.EPOCH, fresh)
        return str(client.get(keys.EPOCH).decode())


def needs_reconcile(client: Client) -> bool:
    """Whether nobody has finished reconciling under the present epoch."""
    with translated():
        epoch, done = client.mget(keys.EPOCH, keys.RECONCILED)
    return bool(epoch != done)


def acquire(client: Client, instance: str) -> bool:
    """Become the one worker that reconciles; holds for 10 s unless prolonged."""
    with translated():
        return bool(client.set(keys.RECONCILE_LOCK, instance, nx=True, px=_LOCK_TTL_MS))


def prolong(client: Client, instance: str) -> bool:
    """Keep the lock; False: it lapsed and another worker may reconcile."""
    with translated():
        if client.get(keys.RECONCILE_LOCK) != instance.encode():
            return False
        return bool(client.pexpire(keys.RECONCILE_LOCK, _LOCK_TTL_MS))


def finish(client: Client, instance: str, epoch: str) -> None:
    """Every row was compared under `epoch`."""
    with translated():
        client.set(keys.RECONCILED, epoch)
        if client.get(keys.RECONCILE_LOCK) == instance.encode():
            client.delete(keys.RECONCILE_LOCK)


def eviction_policy(client: Client) -> str | None:
    """`maxmemory-policy` when memory is capped, None when it is not or may not be asked."""
    with translated():
        info = client.info("memory")
    return str(info.get("maxmemory_policy")) if info.get("maxmemory") else None


def _run_id(client: Client) -> str:
    try:
        info = client.info("server")
    except redis.ResponseError:
        return "unknown"  # INFO is forbidden, or an emulation has none: wipes are still seen
    return str(info.get("run_id", "unknown"))
