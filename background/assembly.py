"""What a worker runs background jobs with, by its settings."""

from __future__ import annotations

from datetime import datetime

from background.cron import Cron, CronThread, declare
from background.discovery import discover
from background.kinds import Registry
from background.rates import Rates
from background.runner import BackgroundRunner
from config import Settings
from database import Database
from redis_queue.connection import Client
from runtime.patience import Patience


def build_runner(
    settings: Settings, database: Database, patience: Patience, worker_id: str
) -> BackgroundRunner:
    """The runner, knowing every kind that the settings list. Raises ConfigError."""
    return BackgroundRunner(
        registry=discover(settings),
        items=database.items,
        patience=patience,
        rates=Rates(settings.redis_url.get_secret_value()),
        worker_id=worker_id,
        timeout_s=settings.stage_timeout_s,
        queue_timeouts_s=numbers_of(settings.queue_timeouts),
        result_ttl_s=settings.result_ttl_s,
    )


def build_cron(
    settings: Settings, database: Database, client: Client, registry: Registry
) -> CronThread:
    """The thread that looks what is due, once it has declared what the kinds do."""

    def prepare(now: datetime) -> None:
        declare(database.schedules, registry.all(), settings, now)

    return CronThread(Cron(database.schedules, database.jobs, client), client, prepare)


def numbers_of(pairs: tuple[str, ...]) -> dict[str, int]:
    """`queue=number` settings as a table."""
    return {name: int(number) for name, _, number in (pair.partition("=") for pair in pairs)}
