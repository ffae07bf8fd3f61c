"""One reader of the event log for all event streams: what it reads is kept in a ring.

A stream remembers the id of the last event it has passed and asks for what came after. Where
the ring no longer holds that, the stream goes back to Redis; so it misses nothing however slow
it is, and 200 streams cost Redis one connection.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from dataclasses import dataclass
from functools import cached_property
from itertools import takewhile

from errors import QueueUnavailable
from redis_queue import waiting
from redis_queue.connection import Client

EventId = tuple[int, int]
_RING = 4000
_BLOCK_MS = 1000
_AWAY_S = 0.5
#: After a telling, what comes next is gathered for so long for each stream that was told, within
#: these bounds: it wakes them all, and 200 of them would keep this process busy with little else.
_GATHER_S, _GATHER_LEAST_S, _GATHER_MOST_S = 0.0015, 0.03, 0.3


@dataclass(frozen=True)
class LoggedEvent:
    """An entry of the event log: `data` is its message as JSON."""

    id: EventId
    job_id: str
    tenant: str
    data: str

    @property
    def text_id(self) -> str:
        return f"{self.id[0]}-{self.id[1]}"

    @cached_property
    def sent(self) -> bytes:
        """As a server-sent event: the same for everyone who is told."""
        # A message is one line of JSON, so it is one line here too.
        return f"id: {self.text_id}\nevent: progress\ndata: {self.data}\n\n".encode()


def parse_id(text: str) -> EventId | None:
    """A `Last-Event-ID`, None for what is none."""
    ms, _, number = text.partition("-")
    if not (ms.isascii() and ms.isdigit() and number.isascii() and number.isdigit()):
        return None
    # Redis holds both as 64-bit numbers.
    return (int(ms), int(number)) if len(ms) < 19 and len(number) < 19 else None


class Hub:
    """Start once within a running event loop."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._ring: deque[LoggedEvent] = deque(maxlen=_RING)
        self._dropped: EventId = (0, 0)
        self._changed = asyncio.Event()
        self._waiting = self._told = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="event-hub", daemon=True)

    def start(self) -> None:
        """Begin at the log's present end: what was before is read from Redis when asked for."""
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    def stop(self) -> None:
        """Leave; streams end with their connections."""
        self._ended.set()

    @property
    def newest(self) -> EventId:
        """The last event that is known here."""
        return self._ring[-1].id if self._ring else self._dropped

    def after(self, last: EventId) -> list[LoggedEvent] | None:
        """The events after `last`; None: some of them are no longer kept here."""
        if last < self._dropped:
            return None
        newer = list(takewhile(lambda event: event.id > last, reversed(self._ring)))
        newer.reverse()
        return newer

    async def wait(self, seconds: float) -> None:
        """Until something new is there, or the time is over."""
        changed = self._changed
        self._waiting += 1
        try:
            async with asyncio.timeout(seconds):
                await changed.wait()
        except TimeoutError:
            return
        finally:
            self._waiting -= 1

    def _run(self) -> None:
        last: str | None = None
        while not self._ended.is_set():
            try:
                if last is None:
                    last = waiting.last_event(self._client)
                    self._tell([], parse_id(last))
                entries = waiting.new_events(self._client, last, block_ms=_BLOCK_MS)
            except QueueUnavailable:
                self._ended.wait(_AWAY_S)
                continue
            if entries:
                last = entries[-1][0]
                self._tell([_event(*entry) for entry in entries], None)
                gather_s = _GATHER_S * self._told
                self._ended.wait(min(_GATHER_MOST_S, max(_GATHER_LEAST_S, gather_s)))
        self._client.connection_pool.disconnect()

    def _tell(self, events: list[LoggedEvent], start: EventId | None) -> None:
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._take, events, start)

    def _take(self, events: list[LoggedEvent], start: EventId | None) -> None:
        if start is not None:
            self._dropped = start
        for event in events:
            if len(self._ring) == _RING:
                self._dropped = self._ring[0].id
            self._ring.append(event)
        self._told = self._waiting
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()


def _event(event_id: str, fields: dict[str, str]) -> LoggedEvent:
    return LoggedEvent(
        parse_id(event_id) or (0, 0),
        fields.get("job", ""),
        fields.get("tenant") or "default",
        fields["data"],
    )
