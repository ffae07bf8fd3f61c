"""Which workers are alive: each describes itself with every heartbeat."""

from __future__ import annotations

from redis_queue import keys
from redis_queue.connection import Client, translated
from redis_queue.messages import decode_hash
from redis_queue.upkeep import now_ms


def beat(client: Client, instance: str, fields: dict[str, str], ttl_s: int) -> None:
    """Describe a worker; the description lapses after `ttl_s` without another beat."""
    now = now_ms(client)
    with translated():
        pipe = client.pipeline(transaction=False)
        pipe.hset(keys.worker(instance), mapping={**fields, "beat_ms": str(now)})
        pipe.expire(keys.worker(instance), ttl_s)
        pipe.zadd(keys.WORKERS, {instance: now})
        pipe.zremrangebyscore(keys.WORKERS, "-inf", now - ttl_s * 1000)
        pipe.execute()


def leave(client: Client, instance: str) -> None:
    """A worker that stops in order takes its description along."""
    with translated():
        client.delete(keys.worker(instance), keys.order(instance))
        client.zrem(keys.WORKERS, instance)


def workers(client: Client) -> list[dict[str, str]]:
    """The living workers' descriptions, by name."""
    with translated():
        instances = [name.decode() for name in client.zrange(keys.WORKERS, 0, -1)]
        pipe = client.pipeline(transaction=False)
        for instance in instances:
            pipe.hgetall(keys.worker(instance))
        rows = [
            {"instance": instance, **decode_hash(fields)}
            for instance, fields in zip(instances, pipe.execute(), strict=True)
            if fields
        ]
    return sorted(rows, key=lambda row: (row.get("worker_id", ""), row["instance"]))
