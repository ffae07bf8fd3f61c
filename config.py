"""Settings: one frozen object, read once from the environment and `.env`, checked as a whole.

The only module that reads the environment. Every other part gets a `Settings` passed in.
"""

from __future__ import annotations

import os
import re
import sys
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from errors import ConfigError

ROOT = Path(__file__).resolve().parent
VAR = ROOT / "var"

#: sysexits.h EX_CONFIG: a supervisor must not restart a process that ends with it.
EXIT_CONFIG = 78
#: sysexits.h EX_UNAVAILABLE: a connection that `--check` needs does not answer.
EXIT_UNAVAILABLE = 69

DEFAULT_REDIS_URL = "redis://localhost:6379/0"
_QUEUE_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,40}")

_PASSWORD = re.compile(r"(?<=://)([^/@]*?):.*@")

CommaList = Annotated[tuple[str, ...], NoDecode]


def _plain(name: str, **extra: Any) -> Any:
    """A field read from an environment variable without the `WORKER_` prefix."""
    return Field(validation_alias=name, **extra)


class Settings(BaseSettings):
    """Every setting, its unit in its name. `.env.example` lists them with their defaults."""

    model_config = SettingsConfigDict(
        env_prefix="WORKER_",
        env_file=ROOT / ".env",
        env_nested_delimiter="__",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        populate_by_name=True,
        hide_input_in_errors=True,
    )

    # Where things are. URLs may carry passwords, so they are secrets to repr().
    redis_url: SecretStr = _plain("REDIS_URL", default=SecretStr(DEFAULT_REDIS_URL))
    database_url: SecretStr = _plain(
        "DATABASE_URL", default=SecretStr(f"sqlite:///{VAR / 'video_worker.db'}")
    )
    artifact_url: str = _plain("ARTIFACT_URL", default=(VAR / "artifacts").as_uri())
    #: Folders that a job's image paths may point into, separated by commas.
    image_folders: CommaList = _plain("IMAGE_FOLDERS", default=(str(VAR / "uploads"),))
    ffmpeg_binary: str = _plain("FFMPEG_BINARY", default="")

    # Which provider does each stage; "auto" takes the best that is configured.
    script_provider: Literal["auto", "template", "null"] = _plain("SCRIPT_PROVIDER", default="auto")
    voice_provider: Literal["auto", "piper", "null"] = _plain("VOICE_PROVIDER", default="auto")
    video_provider: Literal["auto", "motion", "null"] = _plain("VIDEO_PROVIDER", default="auto")
    compositor: Literal["auto", "ffmpeg", "null"] = _plain("COMPOSITOR", default="auto")
    null_stage_seconds: float = _plain("NULL_STAGE_SECONDS", default=0.0, ge=0, le=3600)

    # The worker (WORKER_...).
    queues: CommaList = ("video-high", "video", "video-low")
    lease_s: float = Field(default=15.0, ge=1, le=600)
    max_crashes: int = Field(default=5, ge=0, le=100_000)
    health_interval_s: float = Field(default=30.0, gt=0, le=3600)
    stage_timeout_s: float = Field(default=900.0, gt=0, le=86_400)
    #: A stage that reports nothing for this long is stuck, and is tried again.
    stall_s: float = Field(default=300.0, gt=0, le=86_400)
    child_memory_mb: int = Field(default=512, ge=64, le=65_536)
    retry_base_s: float = Field(default=2.0, ge=0, le=600)
    max_failures: int = Field(default=3, ge=0, le=20)
    #: Longest wait that is slept with the job in hand; a longer one parks it as `scheduled`.
    park_after_s: float = Field(default=10.0, ge=0, le=600)
    #: How long the status of a finished job stays readable in Redis.
    final_ttl_s: int = Field(default=86_400, ge=60, le=31_536_000)
    #: Jobs after which a worker ends itself between two jobs, to be restarted; 0: never.
    max_jobs: int = Field(default=0, ge=0)
    #: Resident memory after which a worker ends itself between two jobs, in MB; 0: never.
    max_rss_mb: int = Field(default=0, ge=0)
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    #: "auto" is readable text on a terminal and JSON elsewhere.
    log_format: Literal["auto", "json", "text"] = "auto"

    #: For tests: the step at which a worker kills itself; runtime/steps.py names them.
    kill_at: str = ""

    @field_validator("queues", "image_folders", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("queues")
    @classmethod
    def _queue_names(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        bad = [name for name in value if not _QUEUE_NAME.fullmatch(name)]
        if bad:
            raise ValueError(f"{bad[0]!r} is not a queue name: a-z, 0-9, '-' and '_' only")
        if not value or len(set(value)) != len(value):
            raise ValueError("must name at least one queue, and none twice")
        return value

    @field_validator("redis_url")
    @classmethod
    def _redis_scheme(cls, value: SecretStr) -> SecretStr:
        if urlsplit(value.get_secret_value()).scheme not in ("redis", "rediss", "unix"):
            raise ValueError("must begin with redis://, rediss:// or unix://")
        return value

    @field_validator("database_url")
    @classmethod
    def _database_driver(cls, value: SecretStr) -> SecretStr:
        # SQLAlchemy 2.1 sends a bare postgresql:// to psycopg 3, which is not what is installed.
        url = value.get_secret_value()
        for bare in ("postgresql://", "postgres://"):
            if url.startswith(bare):
                return SecretStr("postgresql+psycopg2://" + url.removeprefix(bare))
        if not url.startswith(("postgresql+psycopg2://", "sqlite:///")):
            raise ValueError("must begin with postgresql:// or sqlite:///")
        return value

    @field_validator("artifact_url")
    @classmethod
    def _artifact_scheme(cls, value: str) -> str:
        if urlsplit(value).scheme != "file":
            raise ValueError("must begin with file:///")
        return value

    @model_validator(mode="after")
    def _stall_within_timeout(self) -> Settings:
        if self.stall_s > self.stage_timeout_s:
            raise ValueError("WORKER_STALL_S must not exceed WORKER_STAGE_TIMEOUT_S")
        return self


def load_settings(**overrides: Any) -> Settings:
    """Read and check all settings. Raises ConfigError that lists every wrong one by its name."""
    try:
        return Settings(**overrides)
    except ValidationError as error:
        raise ConfigError([_problem(details) for details in error.errors()]) from None


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The process's settings, read on first use."""
    return load_settings()


def settings_or_exit() -> Settings:
    """The process's settings; wrong ones are listed on stderr and end it with exit code 78."""
    try:
        return settings()
    except ConfigError as error:
        print("These settings are wrong:", file=sys.stderr)  # noqa: T201  # no log without settings
        for problem in error.problems:
            print(f"  {problem}", file=sys.stderr)  # noqa: T201
        sys.exit(EXIT_CONFIG)


def notify_socket() -> str | None:
    """Where systemd wants to hear of this process; no setting, but environment all the same."""
    return os.environ.get("NOTIFY_SOCKET")


def child_environment(**changes: str) -> dict[str, str]:
    """The environment for a child that shall see these settings instead."""
    return {**os.environ, **changes}


def variable_of(field: str) -> str:
    """The environment variable that sets a field of Settings."""
    alias = Settings.model_fields[field].validation_alias
    return alias if isinstance(alias, str) else f"WORKER_{field.upper()}"


def without_password(url: str) -> str:
    """The URL as it may be shown: its password, and any query, left out."""
    return _PASSWORD.sub(r"\1:***@", url.partition("?")[0])


def _problem(details: Any) -> str:
    location = [str(part) for part in details["loc"]]
    message = details["msg"].removeprefix("Value error, ")
    if not location:
        return str(message)
    field = location[0]
    name = variable_of(field) if field in Settings.model_fields else field
    return f"{name}: {message[0].lower() + message[1:]}"
