"""What a provider tells by webhook: that one of its calls has ended, so that who waits asks now.

A hint is kept for as long as the provider keeps the result, so that one that comes before its
worker listens is not lost. Losing it costs time only: the worker also polls.
"""

from __future__ import annotations

from collections.abc import Sequence

from redis_queue import keys
from redis_queue.connection import Client, translated

#: Replicate deletes what it made after this time.
_TTL_S = 3600


def tell(client: Client, provider: str, remote_id: str) -> None:
    """A call has ended, by the provider's id. Idempotent. Raises QueueUnavailable."""
    with translated():
        client.set(keys.hint(provider, remote_id), "1", ex=_TTL_S)


def take(client: Client, provider: str, remote_ids: Sequence[str]) -> list[str]:
    """Which of these calls were told of, each once. Raises QueueUnavailable."""
    if not remote_ids:
        return []
    names = [keys.hint(provider, remote_id) for remote_id in remote_ids]
    with translated():
        found = client.mget(names)
        told = [place for place, value in enumerate(found) if value is not None]
        if told:
            client.delete(*(names[place] for place in told))
    return [remote_ids[place] for place in told]
