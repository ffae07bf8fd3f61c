"""What the API answers with; one place for names, units and examples."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from api import examples
from jobs.states import JobState


class Problem(BaseModel):
    """An error: what to do about it, and the field it is about where it is about one."""

    detail: str = Field(examples=["product_name: is required"])
    field: str | None = Field(default=None, examples=["product_name"])


class Accepted(BaseModel):
    """A job was accepted, or was known by its idempotency key (`created` false)."""

    model_config = examples.shown(examples.ACCEPTED)

    job_id: str
    created: bool
    #: False while Redis is away: the job is safe, and is queued when it returns.
    queued: bool


class BatchEntry(BaseModel):
    """One job of a batch: accepted, or why not."""

    job_id: str | None = None
    created: bool = False
    error: str | None = None
    field: str | None = None


class Batch(BaseModel):
    """Every entry of a batch, in its order."""

    model_config = examples.shown(examples.BATCH)

    results: list[BatchEntry]


class Job(BaseModel):
    """A job as lists show it. `progress` in percent; times in UTC.

    `product_name` and `style` are empty for background jobs, which tell of items instead.
    `job_type`, `progress_percent` and `completed_at` say the same as `kind`, `progress` and, for
    a completed job, `finished_at`.
    """

    model_config = examples.shown(examples.JOB)

    job_id: str
    status: JobState
    kind: str
    job_type: str
    queue: str
    tenant: str
    product_name: str
    style: str
    stage: str | None
    progress: int
    progress_percent: int
    processed_items: int | None
    total_items: int | None
    failed_items: int | None
    batch_id: str | None
    worker_id: str | None
    error: str | None
    generation: int
    failures: int
    crashes: int
    interruptions: int
    created_at: datetime
    updated_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    completed_at: datetime | None
    due_at: datetime | None


class Jobs(BaseModel):
    """A page of jobs, newest first. `after` leads to the next one, however deep.

    Counting ends at some number: with `total_capped` there are more than `total`. A search for
    text that does not reach all jobs says in `searched` how many of the newest it looks at.
    """

    model_config = examples.shown(examples.JOBS)

    jobs: list[Job]
    total: int
    total_capped: bool = False
    searched: int | None = None
    limit: int
    offset: int
    after: str | None


class StageLine(BaseModel):
    """A stage on a job's time line."""

    stage: str
    provider: str
    generation: int
    reused: bool
    failures: int
    started_at: datetime
    finished_at: datetime | None


class CallLine(BaseModel):
    """A paid call. Money in micro-dollars: a cent is 10,000."""

    stage: str
    provider: str
    state: str
    cost_microusd: int | None
    estimate_microusd: int
    reason: str | None
    begun_at: datetime
    ended_at: datetime | None


class CallbackLine(BaseModel):
    """How telling of the job's end went."""

    outcome: str
    state: str
    attempts: int
    last_error: str | None
    due_at: datetime


class File(BaseModel):
    """A finished file; `url` opens it for an hour, for anyone who has it."""

    model_config = examples.shown(examples.FILE)

    name: str
    size: int
    sha256: str
    url: str


class JobDetails(Job):
    """All that is known of a job."""

    model_config = examples.shown(examples.DETAILS)

    payload: dict[str, Any]
    result: dict[str, Any] | None
    stages: list[StageLine]
    calls: list[CallLine]
    callbacks: list[CallbackLine]
    files: list[File]


class Replay(BaseModel):
    """From which stage on to run anew; left out: from where it failed."""

    model_config = ConfigDict(extra="forbid")

    from_stage: str | None = Field(default=None, examples=["voice_gen"])


class Replays(Replay):
    """Ended jobs to run again, all in the same way."""

    job_ids: list[Annotated[str, Field(max_length=64)]] = Field(min_length=1, max_length=500)


class Changed(BaseModel):
    """A job's state after a command."""

    model_config = examples.shown(examples.CHANGED)

    job_id: str
    status: str


class Uploaded(BaseModel):
    """A picture that jobs may name in `images` or `logo`."""

    model_config = examples.shown(examples.UPLOADED)

    reference: str
    width: int
    height: int


class Health(BaseModel):
    """`status` is "healthy" or "unhealthy"; with the latter the answer is a 503."""

    model_config = examples.shown(examples.HEALTH)

    status: str
    redis_connected: bool
    database_connected: bool
    queue_depth: int
    workers: int
    details: dict[str, str]


class Worker(BaseModel):
    """A living worker, as it describes itself."""

    model_config = examples.shown(examples.WORKER)

    worker_id: str
    instance: str
    host: str = ""
    pid: int = 0
    current_job: str | None = None
    stage: str | None = None
    jobs_done: int = 0
    #: How many jobs it has in hand; `current_job` is one of them.
    running: int = 0
    rss_mb: int = 0
    cpu_percent: float = 0.0
    queues: list[str] = []
    started_at: datetime | None = None
    beat_age_s: float = 0.0
    state: str = "idle"


class Queue(BaseModel):
    """A queue and what waits in it."""

    model_config = examples.shown(examples.QUEUE)

    name: str
    list_key: str
    waiting: int
    #: Nobody claims its jobs until it is resumed.
    paused: bool


class Queues(BaseModel):
    """All queues, and jobs that are not in any."""

    model_config = examples.shown(examples.QUEUES)

    queues: list[Queue]
    running: int
    scheduled: int
    oldest_waiting_s: float | None


class Ordered(BaseModel):
    """What a worker was asked for; it reads it within a second."""

    model_config = examples.shown(examples.ORDERED)

    instance: str
    order: str


class Login(BaseModel):
    """A browser's exchange of a token for a cookie."""

    model_config = ConfigDict(extra="forbid")

    token: str = Field(max_length=500)


class Me(BaseModel):
    """Who one is to this API."""

    role: str
    tenant: str | None


class Session(BaseModel):
    """Whom this browser is logged in as; `role` None: nobody."""

    role: str | None = None
    tenant: str | None = None


class Bucket(BaseModel):
    """A span of time: what ended in it."""

    start: datetime
    completed: int
    failed: int


class Overview(BaseModel):
    """The last hours at a glance. Seconds; micro-dollars."""

    model_config = examples.shown(examples.OVERVIEW)

    states: dict[str, int]
    buckets: list[Bucket]
    bucket_s: int
    completed: int
    failed: int
    seconds_median: float | None
    seconds_p95: float | None
    wait_median_s: float | None
    cost_today_microusd: int
    in_doubt_microusd: int
