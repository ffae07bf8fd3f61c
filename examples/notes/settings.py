"""What is particular to the example; where the queue and the record are, config.py says."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import BaseModel, Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from config import ROOT, VAR


class NotesOptions(BaseModel):
    """Each is `WORKER_NOTES__` and its name in capitals."""

    #: Notes that are embedded, and whose vectors are written, together.
    batch_size: int = Field(default=100, ge=1, le=10_000)
    #: Rest between two batches, in s: leaves processor and database to those who wait for answers.
    batch_pause_s: float = Field(default=0.0, ge=0, le=60)
    #: Where reminders are put as mails, one file each, when no mail server is named.
    outbox: Path = VAR / "notes-outbox"
    #: smtp://host:port; set: reminders are sent through that server.
    smtp_url: str = ""
    mail_from: str = "notes@localhost"

    @field_validator("smtp_url")
    @classmethod
    def _is_smtp(cls, value: str) -> str:
        if value and (urlsplit(value).scheme != "smtp" or not urlsplit(value).hostname):
            raise ValueError("must be smtp://host:port")
        return value


class NotesSettings(BaseSettings):
    """Read from the environment and `.env`, as the worker's own."""

    model_config = SettingsConfigDict(
        env_prefix="WORKER_",
        env_nested_delimiter="__",
        env_file=ROOT / ".env",
        extra="ignore",
        frozen=True,
    )

    notes: NotesOptions = NotesOptions()


@lru_cache(maxsize=1)
def options() -> NotesOptions:
    """The process's options, read on first use. Raises pydantic's ValidationError."""
    return NotesSettings().notes
