"""What this application can be told, beside the worker's own settings."""

from __future__ import annotations

from pydantic_settings import BaseSettings, SettingsConfigDict

from config import ROOT


class PrioritySettings(BaseSettings):
    """Read from the environment and `.env`, with the prefix `WORKER_`."""

    model_config = SettingsConfigDict(
        env_prefix="WORKER_", env_file=ROOT / ".env", extra="ignore", frozen=True
    )

    #: What HealthCheckWorker asks; by default the API of `./run_worker.sh up`.
    health_check_url: str = "http://localhost:8080/health"
