"""A leased semaphore: at most N holders across all workers, and a dead one frees its place."""

from __future__ import annotations

from redis_queue import keys, scripts
from redis_queue.connection import Client, translated


def take(client: Client, name: str, token: str, *, places: int, lease_s: float) -> bool:
    """Take a place, or prolong the one held under `token`; False: all are taken."""
    arguments = [token, places, round(lease_s * 1000)]
    return bool(scripts.run(client, "slot_take", [keys.slots(name)], arguments))


def give_back(client: Client, name: str, token: str) -> None:
    """Free the place; harmless if it lapsed already."""
    with translated():
        client.zrem(keys.slots(name), token)
