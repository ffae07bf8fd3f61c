"""Event streams: from the replayable log, then live, with nothing missed in between."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Header
from fastapi.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from api.hub import EventId, Hub, LoggedEvent, parse_id
from api.security import Caller, Reader
from api.shop import Shop, TheJob, TheShop
from jobs.states import FINAL
from redis_queue import waiting
from store.records import JobRecord

router = APIRouter(tags=["events"])

#: A silent stream says something this often, so that nothing on the way closes it.
_KEEP_ALIVE_S = 15.0
_STILL_HERE = ": still here\n\n"
_PAGE = 1000
_STARTED: EventId = (0, 0)
LastEventId = Annotated[str | None, Header(max_length=40)]


class EventStream(StreamingResponse):
    """Server-sent events as the WHATWG HTML standard has them (section 9.2)."""

    media_type = "text/event-stream"

    def __init__(self, events: AsyncIterator[str], status_code: int = 200) -> None:
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
        return EventStream(_ended(shop, record, last))
    return EventStream(_of_job(shop, record.id, last))


@router.get("/events", response_class=EventStream, responses=_STREAM, status_code=200)
async def all_events(
    caller: Reader, shop: TheShop, last_event_id: LastEventId = None
) -> EventStream:
    """The progress of all jobs (of the token's tenant) from now on, or after `Last-Event-ID`."""
    return EventStream(_of_all(shop, caller, parse_id(last_event_id or "") or shop.hub.newest))


async def _ended(shop: Shop, record: JobRecord, last: EventId) -> AsyncIterator[str]:
    for event in await run_in_threadpool(_job_log, shop, record.id, last):
        yield _sent(event)
    yield _end(record.state)


async def _of_job(shop: Shop, job_id: str, last: EventId) -> AsyncIterator[str]:
    async for found in _following(shop, last, job_id):
        if found is None:
            yield _STILL_HERE
            continue
        yield _sent(found)
        status = json.loads(found.data).get("status")
        if status not in FINAL:
            continue
        # The log of a job that was replayed holds its earlier ends too.
        now = await run_in_threadpool(waiting.status, shop.client, job_id)
        if now is None or now["status"] in FINAL:
            yield _end(status)
            return


async def _of_all(shop: Shop, caller: Caller, last: EventId) -> AsyncIterator[str]:
    async for found in _following(shop, last, None):
        if found is None:
            yield _STILL_HERE
        elif caller.tenant is None or found.tenant == caller.tenant:
            yield _sent(found)


async def _following(
    shop: Shop, last: EventId, job_id: str | None
) -> AsyncIterator[LoggedEvent | None]:
    """Events after `last`, for ever; None now and then while there are none."""
    hub: Hub = shop.hub
    while True:
        newest = hub.newest
        events = hub.after(last)
        if events is None:
            # Before what the hub keeps: from Redis, where the same ids stand.
            events = await run_in_threadpool(_from_log, shop, job_id, last)
            last = max([last, *(event.id for event in events)])
            if len(events) < _PAGE:
                last = max(last, min(newest, hub.newest))
        else:
            last = events[-1].id if events else last
        for event in events:
            if job_id is None or event.job_id == job_id:
                yield event
        if not events:
            await hub.wait(_KEEP_ALIVE_S)
            if hub.newest <= last:
                yield None


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


def _sent(event: LoggedEvent) -> str:
    # A message is one line of JSON, so it is one line here too.
    return f"id: {event.text_id}\nevent: progress\ndata: {event.data}\n\n"


def _end(state: str) -> str:
    return f"event: end\ndata: {state}\n\n"
