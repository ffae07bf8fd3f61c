"""Settings: one frozen object, read once from the environment and `.env`, checked as a whole.

The only module that reads the environment. Every other part gets a `Settings` passed in.
"""

from __future__ import annotations

import base64
import os
import re
import sys
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

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
_PROVIDER_LIMIT = re.compile(r"[a-z]+=\d{1,6}")
_QUEUE_NUMBER = re.compile(r"[a-z0-9][a-z0-9_-]{0,40}=\d{1,6}")
_QUEUE_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,40}")

#: Shorter texts are no secrets that could be told from ordinary words.
_SECRET_LEAST = 6
_API_TOKEN = re.compile(
    r"[A-Za-z0-9_.~+/-]{16,}=(?:read|submit|operate)(?:@[A-Za-z0-9][A-Za-z0-9._-]{0,63})?"
)
#: As Standard Webhooks asks of a symmetric key.
_WEBHOOK_KEY_BYTES = (24, 64)
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
    #: Hosts (`name` or `name:port`) that jobs' URLs may name though they are private or plain http.
    fetch_trusted_hosts: CommaList = _plain("FETCH_TRUSTED_HOSTS", default=())
    #: Signs callbacks: `whsec_` and base64, as Standard Webhooks has it.
    webhook_secret: SecretStr | None = _plain("WEBHOOK_SECRET", default=None)
    #: Wait after a callback's first failed try; it grows fourfold with each further one.
    webhook_retry_base_s: float = _plain("WEBHOOK_RETRY_BASE_S", default=5.0, gt=0, le=3600)
    #: Hours after which a dead letter that nobody has replayed is reminded of, once; 0: never.
    reminder_after_hours: float = _plain("REMINDER_AFTER_HOURS", default=24.0, ge=0, le=8760)
    #: A JSON list of payloads whose scripts and voices are made ahead, daily.
    warm_up_file: str = _plain("WARM_UP_FILE", default="")
    #: Days after which artefacts that no live job needs are removed; 0: never.
    artifact_ttl_days: float = _plain("ARTIFACT_TTL_DAYS", default=0.0, ge=0, le=36_500)
    ffmpeg_binary: str = _plain("FFMPEG_BINARY", default="")
    #: A Redis for what background jobs cache; unset: the queue's own.
    cache_redis_url: SecretStr | None = _plain("CACHE_REDIS_URL", default=None)

    # Which provider does each stage; "auto" takes the best that is configured.
    script_provider: Literal["auto", "claude", "openai", "template", "null"] = _plain(
        "SCRIPT_PROVIDER", default="auto"
    )
    voice_provider: Literal["auto", "elevenlabs", "piper", "null"] = _plain(
        "VOICE_PROVIDER", default="auto"
    )
    video_provider: Literal["auto", "replicate", "fal", "motion", "null"] = _plain(
        "VIDEO_PROVIDER", default="auto"
    )
    compositor: Literal["auto", "ffmpeg", "null"] = _plain("COMPOSITOR", default="auto")
    #: Who takes over when the chosen provider gives up; none unless asked for.
    script_fallback: Literal["", "template"] = _plain("SCRIPT_FALLBACK", default="")
    voice_fallback: Literal["", "piper"] = _plain("VOICE_FALLBACK", default="")
    video_fallback: Literal["", "motion"] = _plain("VIDEO_FALLBACK", default="")
    null_stage_seconds: float = _plain("NULL_STAGE_SECONDS", default=0.0, ge=0, le=3600)

    # Paid providers. Each secret may also be a file: ANTHROPIC_API_KEY_FILE and so on.
    anthropic_api_key: SecretStr | None = _plain("ANTHROPIC_API_KEY", default=None)
    anthropic_base_url: str | None = _plain("ANTHROPIC_BASE_URL", default=None)
    claude_model: str = _plain("CLAUDE_MODEL", default="claude-haiku-4-5")
    openai_api_key: SecretStr | None = _plain("OPENAI_API_KEY", default=None)
    openai_base_url: str = _plain("OPENAI_BASE_URL", default="http://localhost:11434/v1")
    openai_model: str = _plain("OPENAI_MODEL", default="llama3.1")
    elevenlabs_api_key: SecretStr | None = _plain("ELEVENLABS_API_KEY", default=None)
    elevenlabs_base_url: str | None = _plain("ELEVENLABS_BASE_URL", default=None)
    elevenlabs_model: str = _plain("ELEVENLABS_MODEL", default="eleven_flash_v2_5")
    elevenlabs_voice_id: str = _plain("ELEVENLABS_VOICE_ID", default="21m00Tcm4TlvDq8ikWAM")
    replicate_api_token: SecretStr | None = _plain("REPLICATE_API_TOKEN", default=None)
    replicate_base_url: str | None = _plain("REPLICATE_BASE_URL", default=None)
    replicate_model: str = _plain("REPLICATE_MODEL", default="bytedance/seedance-1-lite")
    #: Where Replicate reaches `/webhooks/replicate` of the API; unset: it is polled only.
    replicate_webhook_url: str | None = _plain("REPLICATE_WEBHOOK_URL", default=None)
    #: What Replicate signs webhooks with.
    replicate_webhook_secret: SecretStr | None = _plain("REPLICATE_WEBHOOK_SECRET", default=None)
    #: Seconds between two polls; unset: 3, or 30 where webhooks come.
    replicate_poll_s: float | None = _plain("REPLICATE_POLL_S", default=None, gt=0, le=3600)
    fal_key: SecretStr | None = _plain("FAL_KEY", default=None)
    fal_base_url: str | None = _plain("FAL_BASE_URL", default=None)
    fal_model: str = _plain("FAL_MODEL", default="fal-ai/bytedance/seedance/v1/lite/text-to-video")
    #: What a second of filmed video costs, where the price list does not know the model.
    video_usd_per_second: float | None = _plain("VIDEO_USD_PER_SECOND", default=None, ge=0)

    # What may be spent and asked, by all workers together. USD; unset is no cap.
    cost_cap_day_usd: float | None = _plain("COST_CAP_DAY_USD", default=None, ge=0)
    cost_cap_tenant_day_usd: float | None = _plain("COST_CAP_TENANT_DAY_USD", default=None, ge=0)
    #: provider=N, separated by commas: requests in flight, and requests a minute.
    provider_concurrency: CommaList = _plain(
        "PROVIDER_CONCURRENCY", default=("elevenlabs=4", "replicate=10", "fal=10")
    )
    provider_per_minute: CommaList = _plain("PROVIDER_PER_MINUTE", default=("replicate=500",))
    breaker_failures: int = _plain("BREAKER_FAILURES", default=3, ge=1, le=1000)
    breaker_reset_s: float = _plain("BREAKER_RESET_S", default=30.0, gt=0, le=3600)

    # The API and the dashboard (`python -m api`, `up`).
    api_host: str = _plain("API_HOST", default="127.0.0.1")
    api_port: int = _plain("API_PORT", default=8080, ge=0, le=65_535)
    #: secret=role or secret=role@tenant, separated by commas; roles: read, submit, operate.
    api_tokens: SecretStr | None = _plain("API_TOKENS", default=None)
    #: Signs logins and links; unset: made once and kept in var/.
    api_secret: SecretStr | None = _plain("API_SECRET", default=None)

    # The worker (WORKER_...).
    queues: CommaList = ("critical", "video-high", "video", "default", "video-low", "low")
    #: Background jobs at once, as threads; videos are made one at a time beside them.
    concurrency: int = Field(default=1, ge=1, le=1000)
    #: queue=N, separated by commas: the longest time of one try in s, and jobs at once, by all
    #: workers together.
    queue_timeouts: CommaList = ()
    queue_limits: CommaList = ()
    #: Where background jobs are found: modules to import, and folders whose files are.
    background_modules: CommaList = ()
    background_folders: CommaList = ()
    #: How long the result of a finished background job is kept, where it does not say itself.
    result_ttl_s: float = Field(default=86_400, ge=0, le=31_536_000)
    #: Whether this worker looks what is due by schedule; any number of workers may.
    cron: bool = True
    #: Ticks that came while nobody looked: run the last of them once, or skip them.
    cron_missed: Literal["once", "skip"] = "once"
    #: The time zone of schedules that name none, as in the tz database.
    cron_timezone: str = "UTC"
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
    #: Where each worker tells of its health and metrics; unset: nowhere. 0: any free port.
    health_port: int | None = Field(default=None, ge=0, le=65_535)
    health_host: str = "127.0.0.1"
    #: "auto" is readable text on a terminal and JSON elsewhere.
    log_format: Literal["auto", "json", "text"] = "auto"

    #: For tests: the step at which a worker kills itself; runtime/steps.py names them.
    kill_at: str = ""

    @field_validator(
        "queues",
        "image_folders",
        "fetch_trusted_hosts",
        "provider_concurrency",
        "provider_per_minute",
        "queue_timeouts",
        "queue_limits",
        "background_modules",
        "background_folders",
        mode="before",
    )
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

    @field_validator("provider_concurrency", "provider_per_minute")
    @classmethod
    def _provider_limits(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        bad = [part for part in value if not _PROVIDER_LIMIT.fullmatch(part)]
        if bad:
            raise ValueError(f"{bad[0]!r} is not provider=number")
        return value

    @field_validator("queue_timeouts", "queue_limits")
    @classmethod
    def _queue_numbers(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        bad = [part for part in value if not _QUEUE_NUMBER.fullmatch(part)]
        if bad:
            raise ValueError(f"{bad[0]!r} is not queue=number")
        return value

    @field_validator("cron_timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ValueError, OSError, KeyError):
            raise ValueError(f"{value!r} is not a time zone, such as Europe/Paris") from None
        return value

    @field_validator("webhook_secret", "replicate_webhook_secret")
    @classmethod
    def _webhook_secret(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            text = value.get_secret_value().removeprefix("whsec_")
            try:
                key = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
            except ValueError:
                key = b""
            if not _WEBHOOK_KEY_BYTES[0] <= len(key) <= _WEBHOOK_KEY_BYTES[1]:
                raise ValueError("must be whsec_ and the base64 of 24 to 64 random bytes")
        return value

    @field_validator("replicate_webhook_url")
    @classmethod
    def _webhook_url(cls, value: str | None) -> str | None:
        if value is not None:
            parts = urlsplit(value)
            if parts.scheme not in ("http", "https") or not parts.hostname or "?" in value:
                raise ValueError("must begin with https:// and have no query")
        return value

    @field_validator("api_tokens")
    @classmethod
    def _api_tokens(cls, value: SecretStr | None) -> SecretStr | None:
        parts = value.get_secret_value().split(",") if value is not None else []
        for number, part in enumerate(parts, start=1):
            if not _API_TOKEN.fullmatch(part.strip()):
                raise ValueError(
                    f"entry {number} is not secret=role or secret=role@tenant: a secret of 16 "
                    "or more letters and digits; read, submit or operate"
                )
        return value

    @field_validator("redis_url", "cache_redis_url")
    @classmethod
    def _redis_scheme(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and urlsplit(value.get_secret_value()).scheme not in (
            "redis",
            "rediss",
            "unix",
        ):
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
        if urlsplit(value).scheme not in ("file", "s3"):
            raise ValueError("must begin with file:/// or s3://")
        return value

    @model_validator(mode="after")
    def _keys_of_chosen_providers(self) -> Settings:
        for field, provider, key in (
            ("script_provider", "claude", "anthropic_api_key"),
            ("voice_provider", "elevenlabs", "elevenlabs_api_key"),
            ("video_provider", "replicate", "replicate_api_token"),
            ("video_provider", "fal", "fal_key"),
        ):
            if getattr(self, field) == provider and getattr(self, key) is None:
                raise ValueError(f"{variable_of(field)}={provider} needs {variable_of(key)}")
        return self

    @model_validator(mode="after")
    def _webhooks_are_checked(self) -> Settings:
        if self.replicate_webhook_url is not None and self.replicate_webhook_secret is None:
            raise ValueError("REPLICATE_WEBHOOK_URL needs REPLICATE_WEBHOOK_SECRET")
        return self

    @model_validator(mode="after")
    def _stall_within_timeout(self) -> Settings:
        if self.stall_s > self.stage_timeout_s:
            raise ValueError("WORKER_STALL_S must not exceed WORKER_STAGE_TIMEOUT_S")
        return self


def load_settings(**overrides: Any) -> Settings:
    """Read and check all settings. Raises ConfigError that lists every wrong one by its name."""
    try:
        return Settings(**{**_secrets_in_files(overrides), **overrides})
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
        sys.exit(exit_code_of(error))


def exit_code_of(error: ConfigError) -> int:
    """List wrong settings on stderr; returns the code that the process is to end with."""
    print("These settings are wrong:", file=sys.stderr)  # noqa: T201  # no log without settings
    for problem in error.problems:
        print(f"  {problem}", file=sys.stderr)  # noqa: T201
    return EXIT_CONFIG


def _secrets_in_files(given: dict[str, Any]) -> dict[str, SecretStr]:
    """Secrets whose `NAME_FILE` is set and `NAME` is not. Raises ConfigError."""
    found, problems = {}, []
    for field, info in Settings.model_fields.items():
        name = variable_of(field)
        path = os.environ.get(f"{name}_FILE")
        if info.annotation != (SecretStr | None) or not path or os.environ.get(name):
            continue
        try:
            found[field] = SecretStr(Path(path).read_text(encoding="utf-8").strip())
        except (OSError, UnicodeDecodeError) as error:
            problems.append(f"{name}_FILE: cannot be read ({type(error).__name__})")
    if problems:
        raise ConfigError(problems)
    return {field: secret for field, secret in found.items() if field not in given}


def notify_socket() -> str | None:
    """Where systemd wants to hear of this process; no setting, but environment all the same."""
    return os.environ.get("NOTIFY_SOCKET")


def secret_values(settings: Settings) -> list[str]:
    """Every secret text of the settings, passwords in URLs among them: never to be shown."""
    found = []
    for field in Settings.model_fields:
        value = getattr(settings, field)
        if not isinstance(value, SecretStr):
            continue
        text = value.get_secret_value()
        if "://" in text:
            text = urlsplit(text).password or ""
        parts = text.split(",") if field == "api_tokens" else [text]
        for part in parts:
            secret = part.strip().partition("=")[0] if field == "api_tokens" else part
            if len(secret) >= _SECRET_LEAST:
                found.append(secret)
    return found


def aws_endpoint() -> str | None:
    """An S3-compatible server in place of Amazon's, as every AWS tool reads it."""
    return os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")


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
