"""Event streams: from the replayable log, then live, with nothing missed in between."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Header
from fastapi.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from api.hub import EventId, Hub, LoggedEvent, parse_id
from api.security import Caller, Reader
from api.shop import Shop, TheJob, TheShop
from errors import QueueUnavailable
from jobs.states import FINAL
from redis_queue import waiting

router = APIRouter(tags=["events"])

#: A silent stream says something this often, so that nothing on the way closes it.
_KEEP_ALIVE_S = 15.0
_STILL_HERE = b": still here\n\n"
_PAGE = 1000
_AWAY_S = 0.5
_STARTED: EventId = (0, 0)
LastEventId = Annotated[str | None, Header(max_length=40)]


class EventStream(StreamingResponse):
    """Server-sent events as the WHATWG HTML standard has them (section 9.2)."""

    media_type = "text/event-stream"

    def __init__(self, events: AsyncIterator[bytes], status_code: int = 200) -> None:
        # "no" keeps nginx from holding events back to fill a buffer.
        headers = {"cache-control": "no-cache", "x-accel-buffering": "no"}
        super().__init__(events, status_code, headers)


_STREAM: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/event-stream": {}}, "description": "Events named `progress`."}
}


@router.get("/jobs/{job_id}/events", response_class=EventStream, responses=_STREAM, status_code=200)
async def job_events(
    record: TheJob, shop: TheShop, last_event_id: LastEventId = None
) -> EventStream:
    """A job's progress from its first message on; ends with an event named `end`."""
    last = parse_id(last_event_id or "") or _STARTED
    if record.state in FINAL:
        # Asked before the answer begins: Redis away is a 503 then.
        events = await run_in_threadpool(_job_log, shop, record.id, last)
        return EventStream(_ended(events, record.state))
    return EventStream(_of_job(shop, record.id, last))


@router.get("/events", response_class=EventStream, responses=_STREAM, status_code=200)
async def all_events(
    caller: Reader, shop: TheShop, last_event_id: LastEventId = None
) -> EventStream:
    """The progress of all jobs (of the token's tenant) from now on, or after `Last-Event-ID`."""
    return EventStream(_of_all(shop, caller, parse_id(last_event_id or "") or shop.hub.newest))


async def _ended(events: list[LoggedEvent], state: str) -> AsyncIterator[bytes]:
    yield b"".join(event.sent for event in events) + _end(state)


async def _of_job(shop: Shop, job_id: str, last: EventId) -> AsyncIterator[bytes]:
    async for found in _following(shop, last, job_id):
        told = b""
        for event in found:
            told += event.sent
            if json.loads(event.data).get("status") not in FINAL:
                continue
            # The log of a job that was replayed holds its earlier ends too.
            now = await _status(shop, job_id)
            if now is None or now["status"] in FINAL:
                yield told + _end(json.loads(event.data)["status"])
                return
        yield told or _STILL_HERE


async def _of_all(shop: Shop, caller: Caller, last: EventId) -> AsyncIterator[bytes]:
    async for found in _following(shop, last, None):
        mine = [event for event in found if caller.tenant in (None, event.tenant)]
        if mine or not found:
            yield b"".join(event.sent for event in mine) or _STILL_HERE


async def _following(
    shop: Shop, last: EventId, job_id: str | None
) -> AsyncIterator[list[LoggedEvent]]:
    """Events after `last`, for ever, those of one look together; [] now and then while none come.

    Together, because each is written to 200 streams: one by one they cost the most of all here,
    and a reader that has left is noticed only between two writes.
    """
    hub: Hub = shop.hub
    while True:
        newest = hub.newest
        events = hub.after(last)
        if events is None:
            # Before what the hub keeps: from Redis, where the same ids stand.
            try:
                events = await run_in_threadpool(_from_log, shop, job_id, last)
            except QueueUnavailable:
                await asyncio.sleep(_AWAY_S)  # the stream is open, and goes on when Redis does
                continue
            last = max([last, *(event.id for event in events)])
            if len(events) < _PAGE:
                last = max(last, min(newest, hub.newest))
        else:
            last = events[-1].id if events else last
        found = [event for event in events if job_id in (None, event.job_id)]
        if found:
            yield found
        if not events:
            await hub.wait(_KEEP_ALIVE_S)
            if hub.newest <= last:
                yield []


async def _status(shop: Shop, job_id: str) -> dict[str, Any] | None:
    """What Redis says of the job, as soon as it answers."""
    while True:
        try:
            return await run_in_threadpool(waiting.status, shop.client, job_id)
        except QueueUnavailable:
            await asyncio.sleep(_AWAY_S)


def _from_log(shop: Shop, job_id: str | None, last: EventId) -> list[LoggedEvent]:
    if job_id is not None:
        return _job_log(shop, job_id, last)
    found = waiting.all_events(shop.client, f"{last[0]}-{last[1]}", _PAGE)
    return [
        LoggedEvent(
            parse_id(entry) or _STARTED,
            fields.get("job", ""),
            fields.get("tenant") or "default",
            fields["data"],
        )
        for entry, fields in found
    ]


def _job_log(shop: Shop, job_id: str, last: EventId) -> list[LoggedEvent]:
    after = f"{last[0]}-{last[1]}"
    rows = waiting.events(shop.client, job_id, after=after if last != _STARTED else "-")
    return [LoggedEvent(parse_id(entry) or _STARTED, job_id, "", data) for entry, data in rows]


def _end(state: str) -> bytes:
    return f"event: end\ndata: {state}\n\n".encode()
