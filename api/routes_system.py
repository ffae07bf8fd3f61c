"""The state of the shop: health, workers, queues, costs, an overview, metrics."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, HTTPException, Path, Query, Response
from fastapi.responses import JSONResponse

from api.examples import COST
from api.metrics import exposition
from api.models import Health, Ordered, Overview, Queue, Queues, Worker
from api.security import Operator, Reader
from api.shop import Shop, TheShop
from errors import QueueUnavailable, StoreUnavailable
from redis_queue import control, keys, presence, upkeep, waiting
from redis_queue.connection import translated
from store.records import utc_now

router = APIRouter(tags=["system"])

QueueName = Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9_-]{0,40}$")]


@router.get("/health", responses={200: {"model": Health}, 503: {"model": Health}})
def health(shop: TheShop) -> Response:
    """Whether Redis and the database answer, and how much waits; 503 when one does not."""
    details: dict[str, str] = {}
    depth = alive = 0
    redis_ok = database_ok = True
    try:
        with translated():
            shop.client.ping()
        depth = waiting.counts(shop.client)["waiting"]
        alive = len(presence.workers(shop.client))
    except QueueUnavailable:
        redis_ok = False
    try:
        shop.database.jobs.ping()
    except StoreUnavailable:
        database_ok = False
    details["queue_depth"] = str(depth)
    details["redis"] = "ok" if redis_ok else "does not answer"
    details["database"] = "ok" if database_ok else "does not answer"
    well = redis_ok and database_ok
    answer = Health(
        status="healthy" if well else "unhealthy",
        redis_connected=redis_ok,
        database_connected=database_ok,
        queue_depth=depth,
        workers=alive,
        details=details,
    )
    return JSONResponse(answer.model_dump(), 200 if well else 503)


@router.get("/health/live")
def live() -> dict[str, str]:
    """This process answers."""
    return {"status": "alive"}


@router.get("/health/ready", responses={200: {"model": Health}, 503: {"model": Health}})
def ready(shop: TheShop) -> Response:
    """As `/health`: requests can be served."""
    return health(shop)


@router.get("/workers")
def workers(caller: Reader, shop: TheShop) -> list[Worker]:
    """The living workers, by name."""
    now = upkeep.now_ms(shop.client)
    return [_worker(row, now) for row in presence.workers(shop.client)]


@router.get("/queues")
def queues(caller: Reader, shop: TheShop) -> Queues:
    """What waits in each queue, runs and is scheduled."""
    depths, counts = waiting.depths(shop.client), waiting.counts(shop.client)
    oldest, paused = shop.database.listing.oldest_waiting(), control.paused(shop.client)
    return Queues(
        queues=[
            Queue(name=name, list_key=keys.list_of(name), waiting=depth, paused=name in paused)
            for name, depth in depths.items()
        ],
        running=counts["running"],
        scheduled=counts["scheduled"],
        oldest_waiting_s=(utc_now() - oldest).total_seconds() if oldest else None,
    )


@router.post("/queues/{name}/pause")
def pause(name: QueueName, caller: Operator, shop: TheShop) -> Queue:
    """Nobody claims this queue's jobs any more; running ones go on, others may still come."""
    control.pause(shop.client, name)
    return _queue(shop, name)


@router.post("/queues/{name}/resume")
def resume(name: QueueName, caller: Operator, shop: TheShop) -> Queue:
    """Workers claim this queue's jobs again."""
    control.resume(shop.client, name)
    return _queue(shop, name)


@router.post("/workers/{instance}/{order}")
def order(instance: str, order: control.Order, caller: Operator, shop: TheShop) -> Ordered:
    """Ask a worker to be quiet after its job, to work again, or to stop (its job goes back)."""
    if instance not in {row["instance"] for row in presence.workers(shop.client)}:
        raise HTTPException(404, "there is no such worker")
    control.give(shop.client, instance, order)
    return Ordered(instance=instance, order=order.value)


@router.get("/costs", responses={200: {"content": {"application/json": {"example": [COST]}}}})
def costs(
    caller: Reader,
    shop: TheShop,
    by: Literal["day", "provider", "tenant"] = "day",
    days: Annotated[int, Query(ge=1, le=366)] = 30,
) -> list[dict[str, Any]]:
    """What was spent, is in doubt and was thrown away, in micro-dollars."""
    since = utc_now() - timedelta(days=days)
    return shop.database.calls.costs(by, since=since, tenant=caller.tenant)


@router.get("/overview")
def overview(caller: Reader, shop: TheShop) -> Overview:
    """The last 24 hours at a glance."""
    return shop.overviews.of(shop.database, caller.tenant)


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
def metrics(caller: Reader, shop: TheShop) -> Response:
    """The fleet in Prometheus' text format; each worker serves its own beside."""
    body, kind = exposition(shop)
    return Response(body, media_type=kind)


def _queue(shop: Shop, name: str) -> Queue:
    return Queue(
        name=name,
        list_key=keys.list_of(name),
        waiting=waiting.depths(shop.client).get(name, 0),
        paused=name in control.paused(shop.client),
    )


def _worker(row: dict[str, str], now_ms: int) -> Worker:
    job = row.get("current_job") or None
    return Worker(
        worker_id=row.get("worker_id", ""),
        instance=row["instance"],
        host=row.get("host", ""),
        pid=int(row.get("pid") or 0),
        current_job=job,
        stage=row.get("stage") or None,
        running=int(row.get("running") or (1 if job else 0)),
        jobs_done=int(row.get("jobs_done") or 0),
        rss_mb=int(row.get("rss_mb") or 0),
        cpu_percent=float(row.get("cpu_percent") or 0),
        queues=[name for name in row.get("queues", "").split(",") if name],
        started_at=row.get("started_at") or None,
        beat_age_s=max(0.0, (now_ms - float(row.get("beat_ms") or now_ms)) / 1000),
        state=row.get("state") or ("working" if job else "idle"),
    )
