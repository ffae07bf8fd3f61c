"""What the API takes and answers."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, PlainSerializer

Moment = Annotated[
    datetime,
    PlainSerializer(
        lambda at: at.isoformat(timespec="seconds").replace("+00:00", "Z"), return_type=str
    ),
]


class NewNote(BaseModel):
    title: str = Field(max_length=200)
    text: str = Field(default="", max_length=100_000)


class NewNotes(BaseModel):
    notes: list[NewNote] = Field(min_length=1, max_length=1000)


class Counted(BaseModel):
    total: int


class NewReminder(BaseModel):
    address: str = Field(pattern=r"^[^@\s]+@[^@\s]+$", max_length=200)
    message: str = Field(min_length=1, max_length=2000)
    scheduled_at: AwareDatetime


class Scheduled(BaseModel):
    id: str
    status: Literal["scheduled"]


class Queued(BaseModel):
    message: str
    status: Literal["queued"]
    task_id: str


class Job(BaseModel):
    """A job as its user sees it; what else the table holds stays there."""

    model_config = ConfigDict(extra="ignore")

    job_id: str
    job_type: str
    status: Literal["queued", "running", "completed", "failed"]
    progress_percent: int
    total_items: int
    processed_items: int
    failed_items: int
    created_at: Moment
    started_at: Moment | None
    completed_at: Moment | None


class Jobs(BaseModel):
    jobs: list[Job]
    total: int


class FoundNote(BaseModel):
    id: int
    title: str
    score: float


class Found(BaseModel):
    notes: list[FoundNote]
