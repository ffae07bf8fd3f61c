"""The names of log events, past tense. What operators grep for is fixed here and in the docs."""

from __future__ import annotations

from enum import StrEnum


class Event(StrEnum):
    """One member an event; the docs list each with its fields, and a test compares the two."""

    WORKER_STARTED = "worker_started"
    WORKER_HEALTH_CHECKED = "worker_health_checked"
    HEALTH_SERVER_STARTED = "health_server_started"
    HEALTH_REQUEST_FAILED = "health_request_failed"
    WORKER_STOP_REQUESTED = "worker_stop_requested"
    WORKER_QUIETED = "worker_quieted"
    WORKER_RESUMED = "worker_resumed"
    WORKER_RECYCLED = "worker_recycled"
    WORKER_SHUTDOWN_COMPLETE = "worker_shutdown_complete"

    JOB_SUBMITTED = "job_submitted"
    JOB_PROCESSING_STARTED = "job_processing_started"
    JOB_RETRY_SCHEDULED = "job_retry_scheduled"
    JOB_PARKED = "job_parked"
    JOB_REQUEUED = "job_requeued"
    JOB_COMPLETED = "job_completed"
    JOB_FAILED = "job_failed"
    JOB_CANCELLED = "job_cancelled"
    JOB_LEASE_LOST = "job_lease_lost"
    JOB_CLAIM_DROPPED = "job_claim_dropped"
    JOB_REAPED = "job_reaped"
    JOB_ADOPTED = "job_adopted"
    JOB_PROMOTED = "job_promoted"
    ENTRY_DEAD_LETTERED = "entry_dead_lettered"
    JOB_CRASHED = "job_crashed"
    JOB_TRY_FAILED = "job_try_failed"
    CREW_FAILED = "crew_failed"
    SCHEDULE_TICKED = "schedule_ticked"
    SCHEDULE_SKIPPED = "schedule_skipped"
    SCHEDULE_REFUSED = "schedule_refused"
    SCHEDULE_FAILED = "schedule_failed"
    JOB_KIND_UNKNOWN = "job_kind_unknown"

    STAGE_STARTED = "stage_started"
    STAGE_COMPLETED = "stage_completed"
    STAGE_REUSED = "stage_reused"
    STAGE_FAILED = "stage_failed"

    REDIS_LOST = "redis_lost"
    REDIS_RESTORED = "redis_restored"
    DATABASE_LOST = "database_lost"
    DATABASE_RESTORED = "database_restored"
    QUEUE_RECONCILED = "queue_reconciled"
    QUEUE_REPAIRED = "queue_repaired"
    EVICTION_POLICY_UNSAFE = "eviction_policy_unsafe"
    HOUSEKEEPING_FAILED = "housekeeping_failed"

    CALLBACK_DELIVERED = "callback_delivered"
    CALLBACK_FAILED = "callback_failed"
    ARTIFACTS_SWEPT = "artifacts_swept"
    ERRAND_FAILED = "errand_failed"

    CHILD_STARTED = "child_started"
    CHILD_EXITED = "child_exited"
    SOURCE_CHANGED = "source_changed"
    CHILD_BOOT_FAILED = "child_boot_failed"
