"""Background jobs: the kinds that are known, enqueueing one, batches, and what the clock does.

These are the installation's own, not a tenant's: a token with a tenant may not touch them.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, HTTPException, Path, Response
from pydantic import BaseModel, Field

from api.models import Accepted
from api.security import Caller, Operator, Reader
from api.shop import TheShop
from background.enqueue import new_job
from background.job import changed
from errors import InvalidInput
from store.schedules import Schedule

router = APIRouter(tags=["background"])

Name = Annotated[str, Path(max_length=100)]
_EXAMPLE = {"kwargs": {"seconds": 0.1}, "queue": "low"}


class KindLine(BaseModel):
    """A kind of background job that this process knows."""

    kind: str
    queue: str
    arguments: str
    max_retries: int
    timeout_s: float | None
    cron_schedule: str | None
    rate_limit: str | None
    unique_for_s: float
    description: str


class Enqueue(BaseModel):  # type: ignore[no-redef]  # the plugin's __init__ has **kwargs
    """Arguments of a background job. A time without a zone is the server's local time."""

    args: list[Any] = Field(default_factory=list, max_length=100)
    named: dict[str, Any] = Field(default_factory=dict, max_length=100, validation_alias="kwargs")
    queue: str | None = Field(default=None, max_length=64)
    run_at: datetime | None = None


class ScheduleLine(BaseModel):
    """What is enqueued by the clock; times in UTC."""

    name: str
    kind: str
    queue: str
    cron: str
    timezone: str
    missed: str
    declared: bool
    paused: bool
    next_at: datetime
    last_at: datetime | None
    last_job: str | None


class NewSchedule(BaseModel):
    """A schedule that is made at run time."""

    name: str = Field(max_length=100)
    kind: str = Field(max_length=100)
    cron: str = Field(max_length=100, examples=["*/15 * * * *"])
    timezone: str | None = Field(default=None, max_length=64)
    args: list[Any] = Field(default_factory=list, max_length=100)


class Started(BaseModel):
    """A job that was enqueued beside its schedule's ticks."""

    job_id: str


class BatchLine(BaseModel):
    """A batch of background jobs, and how many are in each state."""

    id: str
    description: str
    total: int
    pending: int
    sealed: bool
    states: dict[str, int]
    callback_job: str | None
    created_at: datetime
    finished_at: datetime | None


def _no_tenant(caller: Caller) -> Caller:
    if caller.tenant is not None:
        raise HTTPException(403, "background jobs are no tenant's: this token is for one")
    return caller


def _reader(caller: Reader) -> Caller:
    return _no_tenant(caller)


def _operator(caller: Operator) -> Caller:
    return _no_tenant(caller)


InnerReader = Annotated[Caller, Depends(_reader)]
InnerOperator = Annotated[Caller, Depends(_operator)]


@router.get("/kinds")
def kinds(caller: InnerReader, shop: TheShop) -> list[KindLine]:
    """The kinds of background jobs that this process knows, by name."""
    return [
        KindLine(
            kind=kind.name,
            arguments=str(kind.signature),
            description=(kind.function.__doc__ or "").strip().partition("\n")[0],
            **{
                name: getattr(kind.options, name)
                for name in KindLine.model_fields
                if name not in ("kind", "arguments", "description")
            },
        )
        for kind in shop.registry.all()
    ]


@router.post("/background/{kind}", status_code=201)
def enqueue(
    kind: Name,
    wanted: Annotated[Enqueue, Body(examples=[_EXAMPLE])],
    caller: InnerOperator,
    shop: TheShop,
    response: Response,
) -> Accepted:
    """Enqueue a background job: its row is committed when this answers."""
    found = shop.registry.get(kind)
    if found is None:
        raise InvalidInput("kind", f"{kind} is not known here")
    job = new_job(
        changed(found, queue=wanted.queue), wanted.args, wanted.named, run_at=wanted.run_at
    )
    (job_id,) = shop.jobs.enqueue([job])
    row = shop.database.jobs.get(job_id)
    return Accepted(job_id=job_id, created=job_id == job.id, queued=bool(row and row.pushed))


@router.get("/batches/{batch_id}")
def batch(batch_id: Name, caller: InnerReader, shop: TheShop) -> BatchLine:
    """How far a batch is, and what failed in it."""
    found = shop.database.batches.get(_clean(batch_id))
    if found is None:
        raise HTTPException(404, "there is no such batch")
    return BatchLine(**{name: getattr(found, name) for name in BatchLine.model_fields})


@router.get("/schedules")
def schedules(caller: InnerReader, shop: TheShop) -> list[ScheduleLine]:
    """What is enqueued by the clock, by name."""
    return [_line(schedule) for schedule in shop.schedules.all()]


@router.post("/schedules", status_code=201)
def add_schedule(wanted: NewSchedule, caller: InnerOperator, shop: TheShop) -> ScheduleLine:
    """Make a schedule, or change one that was made so; those of code are not to be had."""
    made = shop.schedules.add(
        _clean(wanted.name), wanted.kind, wanted.cron, args=wanted.args, timezone=wanted.timezone
    )
    return _line(made)


@router.post("/schedules/{name}/run", status_code=201)
def run_schedule(name: Name, caller: InnerOperator, shop: TheShop) -> Started:
    """Run a schedule's job now, beside its ticks."""
    return Started(job_id=shop.schedules.run(_known(name, shop).name))


@router.post("/schedules/{name}/pause")
def pause_schedule(name: Name, caller: InnerOperator, shop: TheShop) -> ScheduleLine:
    """Let no tick of it be run until it is resumed."""
    shop.schedules.pause(_known(name, shop).name)
    return _line(_known(name, shop))


@router.post("/schedules/{name}/resume")
def resume_schedule(name: Name, caller: InnerOperator, shop: TheShop) -> ScheduleLine:
    """Go on with its next tick; those of the pause are not made up for."""
    shop.schedules.resume(_known(name, shop).name)
    return _line(_known(name, shop))


@router.delete("/schedules/{name}", status_code=204)
def remove_schedule(name: Name, caller: InnerOperator, shop: TheShop) -> Response:
    """Forget a schedule that was made at run time."""
    shop.schedules.remove(_known(name, shop).name)
    return Response(status_code=204)


def _known(name: str, shop: TheShop) -> Schedule:
    found = shop.database.schedules.get(_clean(name))
    if found is None:
        raise HTTPException(404, "there is no such schedule")
    return found


def _clean(text: str) -> str:
    # No text column holds a NUL, and PostgreSQL refuses to look for one.
    return text.replace("\0", "")


def _line(schedule: Schedule) -> ScheduleLine:
    return ScheduleLine(**{name: getattr(schedule, name) for name in ScheduleLine.model_fields})
