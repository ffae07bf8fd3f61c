"""Jobs: submit, find, look at, call off, run again."""

from __future__ import annotations

import json
import uuid
from typing import Annotated, Any

from fastapi import APIRouter, Body, Header, HTTPException, Query, Request, Response

from api.examples import PAYLOADS
from api.models import (
    Accepted,
    Batch,
    BatchEntry,
    CallbackLine,
    CallLine,
    Changed,
    File,
    Job,
    JobDetails,
    Jobs,
    Replay,
    Replays,
    StageLine,
)
from api.security import Caller, Guard, Reader, Submitter
from api.shop import Shop, TheShop
from errors import InvalidInput
from jobs.states import FINAL, JobState
from redis_queue import waiting
from store.listing import COUNTED, SEARCHED, JobFilter
from store.records import JobRecord

router = APIRouter(tags=["jobs"])

_MAX_BATCH = 500
Payload = Annotated[dict[str, Any], Body(openapi_examples=PAYLOADS)]
_BATCH = [example["value"] for example in PAYLOADS.values()]
Payloads = Annotated[
    list[dict[str, Any]],
    Body(embed=True, min_length=1, max_length=_MAX_BATCH, examples=[_BATCH]),
]
How = Annotated[Replay | None, Body(examples=[{"from_stage": "voice_gen"}])]


@router.post("/jobs", status_code=201, responses={200: {"model": Accepted}})
def submit(
    payload: Payload,
    caller: Submitter,
    shop: TheShop,
    response: Response,
    idempotency_key: Annotated[str | None, Header(max_length=200)] = None,
) -> Accepted:
    """Accept a video job: its row is committed when this answers.

    The fields are those of a job's payload; `id` may be left out. With a known idempotency key
    the job of before is answered, with status 200.
    """
    done = _submitted(payload, caller, shop, idempotency_key)
    response.status_code = 201 if done.created else 200
    return done


@router.post("/jobs/batch")
def submit_batch(
    jobs: Payloads,
    caller: Submitter,
    shop: TheShop,
) -> Batch:
    """Accept many jobs; each is accepted or refused by itself, and the answer says which."""
    results = []
    for payload in jobs:
        try:
            done = _submitted(payload, caller, shop, None)
            results.append(BatchEntry(job_id=done.job_id, created=done.created))
        except InvalidInput as error:
            results.append(BatchEntry(error=str(error), field=error.field))
    return Batch(results=results)


@router.post("/jobs/replay")
def replay_many(wanted: Replays, caller: Submitter, shop: TheShop) -> Batch:
    """Run many ended jobs again; each is taken or refused by itself, and the answer says which."""
    results = []
    for job_id in wanted.job_ids:
        try:
            shop.job(job_id, caller)
            shop.jobs.replay(job_id, from_stage=wanted.from_stage)
            results.append(BatchEntry(job_id=job_id))
        except InvalidInput as error:
            results.append(BatchEntry(job_id=job_id, error=str(error), field=error.field))
        except HTTPException as error:
            results.append(BatchEntry(job_id=job_id, error=str(error.detail), field="job_ids"))
    return Batch(results=results)


@router.get("/jobs")
def list_jobs(
    caller: Reader,
    shop: TheShop,
    status: JobState | None = None,
    kind: Annotated[str | None, Query(max_length=100)] = None,
    tenant: Annotated[str | None, Query(max_length=64)] = None,
    queue: Annotated[str | None, Query(max_length=64)] = None,
    text: Annotated[str | None, Query(max_length=100)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 20,
    offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
    after: Annotated[str | None, Query(max_length=200)] = None,
) -> Jobs:
    """Jobs, newest first; deep lists are read with the cursor `after`, not with `offset`."""
    wanted = JobFilter(status, kind, caller.tenant or tenant, queue, _stored(text))
    listing = shop.database.listing
    page = listing.page(wanted, limit=limit, offset=offset, after=after)
    total = listing.count(wanted)
    return Jobs(
        jobs=[Job(**_line(record)) for record in page.records],
        total=min(total, COUNTED),
        total_capped=total > COUNTED,
        searched=None if listing.is_searched_whole(wanted) else SEARCHED,
        limit=limit,
        offset=offset,
        after=page.after,
    )


@router.get("/jobs/{job_id}")
def get_job(job_id: str, caller: Reader, shop: TheShop, request: Request) -> JobDetails:
    """All that is known of a job, the progress of a running one from the queue."""
    record = shop.job(job_id, caller)
    line = _line(record)
    if record.state == JobState.PROCESSING:
        live = waiting.status(shop.client, job_id) or {}
        if live.get("status") == record.state:
            percent = live["progress"]
            line |= {"stage": live["stage"], "progress": percent, "progress_percent": percent}
    database = shop.database
    return JobDetails(
        **line,
        payload=_payload(record),
        result=record.result,
        stages=[StageLine(**stage) for stage in database.jobs.time_line(job_id)],
        calls=[
            CallLine(**{name: getattr(call, name) for name in CallLine.model_fields})
            for call in database.calls.of_job(job_id)
        ],
        callbacks=[
            CallbackLine(**{name: getattr(told, name) for name in CallbackLine.model_fields})
            for told in database.deliveries.of_job(job_id)
        ],
        files=files_of(record, request.app.state.guard),
    )


@router.post("/jobs/{job_id}/cancel")
def cancel(job_id: str, caller: Submitter, shop: TheShop) -> Changed:
    """Call a job off: waiting at once, running within a second. An ended one stays as it is."""
    before = shop.job(job_id, caller)
    if before.state not in FINAL:
        shop.jobs.cancel(job_id)
    after = shop.job(job_id, caller)
    return Changed(job_id=job_id, status=after.state)


@router.post("/jobs/{job_id}/retry")
def retry(
    job_id: str,
    caller: Submitter,
    shop: TheShop,
    how: How = None,
) -> Changed:
    """Run an ended job again, from where it failed or from a stage on."""
    shop.job(job_id, caller)
    record = shop.jobs.replay(job_id, from_stage=how.from_stage if how else None)
    return Changed(job_id=job_id, status=record.state)


def files_of(record: JobRecord, guard: Guard) -> list[File]:
    """The job's finished files, each with a link."""
    found = (record.result or {}).get("artifacts", {})
    return [
        File(
            name=name,
            size=fields["size"],
            sha256=fields["sha256"],
            url=f"/jobs/{record.id}/artifacts/{name}?link={guard.link(record.id, name)}",
        )
        for name, fields in found.items()
    ]


def _submitted(payload: dict[str, Any], caller: Caller, shop: Shop, key: str | None) -> Accepted:
    data = {"id": str(uuid.uuid4()), **payload}
    if caller.tenant is not None:
        if data.get("tenant", caller.tenant) != caller.tenant:
            raise InvalidInput("tenant", "is not the one that this token is for")
        data["tenant"] = caller.tenant
    if key is not None:
        data["idempotency_key"] = key
    done = shop.jobs.submit(data)
    return Accepted(job_id=done.job_id, created=done.created, queued=done.pushed)


def _stored(text: str | None) -> str | None:
    # No text column holds a NUL, and PostgreSQL refuses to look for one.
    return text.replace("\0", "") or None if text else None


def _payload(record: JobRecord) -> dict[str, Any]:
    try:
        found = json.loads(record.payload)
    except ValueError:
        return {"unreadable": record.payload[:1000]}
    return found if isinstance(found, dict) else {"unreadable": record.payload[:1000]}


def _line(record: JobRecord) -> dict[str, Any]:
    payload = _payload(record)
    return {
        "job_id": record.id,
        "status": record.state,
        "product_name": str(payload.get("product_name", ""))[:200],
        "style": str(payload.get("style", ""))[:40],
        "progress_percent": record.progress,
        "job_type": record.kind,
        "completed_at": record.finished_at if record.state == JobState.COMPLETED else None,
        **{name: getattr(record, name) for name in Job.model_fields if hasattr(record, name)},
    }
