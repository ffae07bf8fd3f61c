"""Health of what all jobs depend on, and what the providers offer."""

from __future__ import annotations

from typing import Any

from background.job import BackgroundJob
from background.services import services
from errors import PermanentError, QueueUnavailable, StorageUnavailable, StoreUnavailable
from redis_queue import waiting


class HealthCheck(BackgroundJob):
    """Fails, and so shows among the dead letters and in the metrics, when something is not well."""

    kind = "system.health_check"
    max_retries = 1
    timeout_s = 60
    cron_schedule = "*/10 * * * *"
    cron_missed = "skip"

    @classmethod
    def perform(cls) -> dict[str, Any]:
        """Ask each; raises PermanentError that names those that do not answer."""
        found = services()
        told: dict[str, Any] = {}
        try:
            told["queue"] = waiting.counts(found.client)
        except QueueUnavailable as error:
            told["queue"] = str(error)
        try:
            told["jobs"] = found.database.jobs.count_by_state()
        except StoreUnavailable as error:
            told["jobs"] = str(error)
        told["storage"] = _storage()
        ill = [name for name, value in told.items() if isinstance(value, str) and value != "ok"]
        if ill:
            raise PermanentError("; ".join(f"{name}: {told[name]}" for name in ill))
        return told


def _storage() -> str:
    from pipeline.storage import ObjectStorage

    try:
        ObjectStorage(services().settings.artifact_url).ping()
    except (StorageUnavailable, OSError) as error:
        return str(error) if isinstance(error, StorageUnavailable) else type(error).__name__
    return "ok"


class RefreshCatalog(BackgroundJob):
    """The last result is what `cli.py voices` shows."""

    kind = "system.refresh_catalog"
    queue = "low"
    timeout_s = 300
    cron_schedule = "0 * * * *"
    cron_missed = "skip"
    result_ttl_s = 7 * 86_400.0

    @classmethod
    def perform(cls) -> dict[str, Any]:
        """By provider: models and voices, or why they could not be had."""
        from pipeline.providers.catalog import catalog

        return catalog(services().settings)
