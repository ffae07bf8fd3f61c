"""Idempotency keys in the cache's Redis: what was done lately is not done again.

An item is *held* while somebody works on it and *done* for its TTL afterwards. A hold names
its holder and lapses by itself, so that a worker that died costs its own job nothing: the job's
next try has the same name, and takes up its holds again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from redis_queue.connection import Client, translated

PREFIX = "idempotency:"
_DONE = b"done"
#: Keys that one step of a scan looks at.
_PAGE = 500

#: Atomic, because a key that is set anew between a look at its TTL and its removal must stay.
#: KEYS the keys to look at; ARGV 1 least TTL that keeps a key, in s. Returns how many went: first
#: those that would have stayed for ever, then those of a short TTL.
_SWEEP = """
local gone = {0, 0}
for _, key in ipairs(KEYS) do
  local ttl = redis.call('TTL', key)
  local which = ttl == -1 and 1 or ttl >= 0 and ttl < tonumber(ARGV[1]) and 2
  if which then gone[which] = gone[which] + redis.call('UNLINK', key) end
end
return gone
"""


class Swept(NamedTuple):
    """What a clean-up saw and removed."""

    scanned: int
    without_ttl: int
    short_ttl: int


class IdempotencyKeys:
    """Over a client of the cache. Raises QueueUnavailable where that is away."""

    def __init__(self, cache: Client) -> None:
        self._cache = cache

    def begin(self, item: str, holder: str, hold_s: float) -> bool:
        """Take an item up; False: it is done, or another holder works on it."""
        key, mine = PREFIX + item, _held(holder)
        with translated():
            if self._cache.set(key, mine, nx=True, px=round(hold_s * 1000)):
                return True
            return bool(self._cache.get(key) == mine)

    def done(self, item: str, until: float) -> None:
        """It counts as done until then, in Unix time."""
        with translated():
            self._cache.set(PREFIX + item, _DONE, pxat=max(1, round(until * 1000)))

    def give_up(self, item: str) -> None:
        """It was not done: whoever comes next may take it up."""
        with translated():
            self._cache.delete(PREFIX + item)

    def sweep(self, least_ttl_s: int, check: Callable[[], None]) -> Swept:
        """Remove keys without a TTL, or with one shorter than that; `check` between the pages."""
        scanned = for_ever = short = cursor = 0
        while True:
            check()
            with translated():
                cursor, page = self._cache.scan(cursor, match=f"{PREFIX}*", count=_PAGE)
                if page:
                    gone = self._cache.eval(_SWEEP, len(page), *page, least_ttl_s)
                    scanned, for_ever, short = (
                        scanned + len(page),
                        for_ever + gone[0],
                        short + gone[1],
                    )
            if not cursor:
                return Swept(scanned, for_ever, short)


def _held(holder: str) -> bytes:
    return f"held by {holder}".encode()
