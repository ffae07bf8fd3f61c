"""What a worker runs its jobs with, by its settings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from config import Settings
from database import Database
from pipeline.assembly import build_fallbacks, build_stages, retry_policy, tools_of
from pipeline.inputs import InputFiles
from pipeline.orchestrator import Pipeline
from pipeline.public_http import PublicHttp
from pipeline.storage import ObjectStorage
from redis_queue.connection import Client
from runtime.calls import microusd
from runtime.executor import BackgroundPort, Executor
from runtime.health import HealthCheck, resident_mb
from runtime.interrupts import Interrupts
from runtime.meter import Meter
from runtime.patience import Patience
from runtime.provider_limits import ProviderLimit, ProviderLimits
from runtime.queue_limits import QueueLimits
from store.calls import Caps

if TYPE_CHECKING:
    from runtime.health_server import HealthServer


def build_executor(
    settings: Settings,
    database: Database,
    interrupts: Interrupts,
    patience: Patience,
    worker_id: str,
    limits: ProviderLimits,
    meter: Meter,
    background: BackgroundPort,
) -> Executor:
    """The executor; its pipeline is put together at the first job, which imports the rest."""

    @lru_cache(maxsize=1)
    def pipeline() -> Pipeline:
        return Pipeline(
            build_stages(settings),
            policy=retry_policy(settings),
            fallbacks=build_fallbacks(settings),
        )

    storage = ObjectStorage(settings.artifact_url)
    return Executor(
        pipeline=pipeline,
        background=background,
        stages=database.stages,
        storage=storage,
        tools=tools_of(settings),
        interrupts=interrupts,
        patience=patience,
        references=InputFiles(
            [Path(folder) for folder in settings.image_folders],
            storage,
            PublicHttp(settings.fetch_trusted_hosts),
        ),
        worker_id=worker_id,
        calls=database.calls,
        limits=limits,
        caps=Caps(
            day=microusd(settings.cost_cap_day_usd),
            tenant_day=microusd(settings.cost_cap_tenant_day_usd),
        ),
        meter=meter,
    )


def build_limits(settings: Settings, client: Client, interrupts: Interrupts) -> ProviderLimits:
    """The providers' limits, as the settings have them."""
    places = _numbers(settings.provider_concurrency)
    rates = _numbers(settings.provider_per_minute)
    return ProviderLimits(
        client,
        settings.redis_url.get_secret_value(),
        {
            name: ProviderLimit(places.get(name, 0), rates.get(name, 0))
            for name in {*places, *rates}
        },
        interrupts,
        breaker_failures=settings.breaker_failures,
        breaker_reset_s=settings.breaker_reset_s,
    )


def build_meter(settings: Settings, limits: ProviderLimits, busy: Callable[[], bool]) -> Meter:
    """What counts, where the counts are served; else what does not, and costs nothing."""
    if settings.health_port is None:
        return Meter()
    from runtime.metrics import WorkerMetrics

    return WorkerMetrics(busy=busy, rss_bytes=lambda: resident_mb() * 1e6, breakers=limits.breakers)


def serve_health(settings: Settings, health: HealthCheck, meter: Meter) -> HealthServer | None:
    """Listen, where a port is set. Raises ConfigError if it cannot be had."""
    if settings.health_port is None:
        return None
    from runtime.health_server import HealthServer

    return HealthServer(settings.health_host, settings.health_port, health, meter.text)


def build_places(settings: Settings, client: Client) -> QueueLimits:
    """How many jobs of each queue may run at once, as the settings have it."""
    return QueueLimits(client, _numbers(settings.queue_limits), lease_s=settings.lease_s)


def _numbers(pairs: Sequence[str]) -> dict[str, int]:
    return {name: int(number) for name, _, number in (pair.partition("=") for pair in pairs)}
