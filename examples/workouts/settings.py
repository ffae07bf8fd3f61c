"""The application's own settings, in sections: `WORKER_<SECTION>__<NAME>`.

They name hosts and schedules as the application thinks of them; `worker_fields` says what
they mean to the worker.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any
from urllib.parse import quote

from pydantic import BaseModel, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from config import ROOT, Settings, load_settings
from errors import ConfigError

#: The queues that the application's kinds use, in order of preference.
QUEUES = ("default", "low")


class RedisSection(BaseModel):
    """One server; the queue and the cache in databases of their own."""

    host: str = "localhost"
    port: int = Field(default=6379, ge=1, le=65_535)
    database: int = Field(default=1, ge=0)
    cache_database: int = Field(default=0, ge=0)
    password: SecretStr | None = None

    def url(self, database: int) -> str:
        """The server's URL, password and all, for one of its databases."""
        word = quote(self.password.get_secret_value(), safe="") if self.password else ""
        return f"redis://{f':{word}@' if word else ''}{self.host}:{self.port}/{database}"


class ApiClientSection(BaseModel):
    """Where the two services are, and how many seconds an answer may take."""

    workout_api_url: str = "http://localhost:8000"
    ai_coach_url: str = "http://localhost:8001"
    timeout: float = Field(default=30, gt=0, le=3600)


class WorkerSection(BaseModel):
    """Jobs at once, the longest time of one try in seconds, and where health is served."""

    max_jobs: int = Field(default=10, ge=1, le=1000)
    job_timeout: float = Field(default=300, gt=0, le=86_400)
    health_port: int = Field(default=8002, ge=0, le=65_535)


class ScheduleSection(BaseModel):
    """What runs by the clock. Hours are UTC; day 0 is Monday, 6 is Sunday."""

    enable_hourly_refresh: bool = True
    enable_daily_warmup: bool = True
    enable_weekly_cleanup: bool = True
    warmup_hour: int = Field(default=6, ge=0, le=23)
    cleanup_day_of_week: int = Field(default=6, ge=0, le=6)
    cleanup_hour: int = Field(default=2, ge=0, le=23)

    @property
    def refresh_cron(self) -> str | None:
        """Five fields; None where it is switched off."""
        return "0 * * * *" if self.enable_hourly_refresh else None

    @property
    def warmup_cron(self) -> str | None:
        """The same."""
        return f"0 {self.warmup_hour} * * *" if self.enable_daily_warmup else None

    @property
    def cleanup_cron(self) -> str | None:
        """The same. In cron, day 0 is Sunday."""
        day = (self.cleanup_day_of_week + 1) % 7
        return f"0 {self.cleanup_hour} * * {day}" if self.enable_weekly_cleanup else None


class RefreshSection(BaseModel):
    """Exercises at once; how long one counts as done, and the first wait before a retry, in s."""

    concurrency: int = Field(default=5, ge=1, le=100)
    idempotency_ttl: float = Field(default=3600, gt=0, le=2_592_000)
    retry_delay: float = Field(default=5, gt=0, le=600)
    max_retries: int = Field(default=3, ge=0, le=20)


class WarmupSection(BaseModel):
    """Seconds between two requests to the AI coach, whichever worker makes them."""

    delay: float = Field(default=0.5, gt=0, le=60)


class WorkoutSettings(BaseSettings):
    """All sections, read from the environment and `.env`."""

    model_config = SettingsConfigDict(
        env_prefix="WORKER_",
        env_nested_delimiter="__",
        env_file=ROOT / ".env",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    redis: RedisSection = RedisSection()
    api_client: ApiClientSection = ApiClientSection()
    worker: WorkerSection = WorkerSection()
    schedule: ScheduleSection = ScheduleSection()
    refresh: RefreshSection = RefreshSection()
    warmup: WarmupSection = WarmupSection()


def load_workouts() -> WorkoutSettings:
    """Read and check them. Raises ConfigError that names every wrong one."""
    try:
        return WorkoutSettings()
    except ValidationError as error:
        raise ConfigError([_problem(details) for details in error.errors()]) from None


@lru_cache(maxsize=1)
def workouts() -> WorkoutSettings:
    """The process's, read on first use."""
    return load_workouts()


def worker_fields(own: WorkoutSettings) -> dict[str, str]:
    """What the sections mean as fields of config.Settings."""
    timeout_s = str(own.worker.job_timeout)
    return {
        "redis_url": own.redis.url(own.redis.database),
        "cache_redis_url": own.redis.url(own.redis.cache_database),
        "queues": ",".join(QUEUES),
        "concurrency": str(own.worker.max_jobs),
        "stage_timeout_s": timeout_s,
        # A job of this application need not report while it runs.
        "stall_s": timeout_s,
        "background_modules": "examples.workouts.jobs",
    }


def worker_settings(own: WorkoutSettings) -> Settings:
    """The worker's settings, for what runs in this process. Raises ConfigError."""
    return load_settings(**worker_fields(own))


def _problem(details: Any) -> str:
    name = "__".join(str(part) for part in details["loc"]).upper()
    return f"WORKER_{name}: {details['msg'][0].lower()}{details['msg'][1:]}"
