"""What operators ask of queues and workers: pause, resume, quiet, stop.

A pause is kept by the claim script itself, so it holds for every worker from the moment it is
set. An order to a worker is read by its heartbeat, twice a second. Neither survives a wipe of
Redis: a pause has to be set again, while a worker that was told to be quiet stays so.
"""

from __future__ import annotations

from enum import StrEnum

from redis_queue import keys
from redis_queue.connection import Client, translated

#: An order is for a worker that lives now, and one that is stuck may read it late.
_ORDER_TTL_S = 3600


class Order(StrEnum):
    """What a worker can be asked for. The values are what Redis holds."""

    QUIET = "quiet"  # finish the job in hand, claim nothing more, stay
    WORK = "work"  # claim again
    STOP = "stop"  # as SIGTERM: the job in hand goes back; a supervisor may start it anew


def pause(client: Client, queue: str) -> bool:
    """From now on nobody claims this queue's jobs; they keep waiting, and more may be added.

    A running job goes on. False: it was paused already. Raises QueueUnavailable.
    """
    with translated():
        return bool(client.sadd(keys.PAUSED, queue))


def resume(client: Client, queue: str) -> bool:
    """Workers claim this queue's jobs again, within a second; False: it was not paused."""
    with translated():
        return bool(client.srem(keys.PAUSED, queue))


def paused(client: Client) -> set[str]:
    """The names of all paused queues, whether anybody serves them or not."""
    with translated():
        return {name.decode() for name in client.smembers(keys.PAUSED)}


def give(client: Client, instance: str, order: Order) -> None:
    """Ask a worker, by its instance id. The last order counts; idempotent."""
    with translated():
        client.set(keys.order(instance), order, ex=_ORDER_TTL_S)


def order_for(client: Client, instance: str) -> Order | None:
    """What is asked of this worker; None: nothing, which lifts no earlier order."""
    with translated():
        text = client.get(keys.order(instance))
    try:
        return Order(text.decode()) if text else None
    except ValueError:
        return None  # an order of a later version than this worker
