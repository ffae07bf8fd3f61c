"""What requests and answers look like, as the OpenAPI document shows them."""

from __future__ import annotations

from typing import Any

from pydantic import ConfigDict

_ID = "3f0c9a52-6d3e-4f0e-9d53-0c3a6b1a7e11"

#: Payloads of `POST /jobs`, by a name that says what they show.
PAYLOADS: dict[str, dict[str, Any]] = {
    "short": {"summary": "A name is enough", "value": {"product_name": "Ember Travel Mug"}},
    "usual": {
        "summary": "What most ads say",
        "value": {
            "product_name": "Ember Travel Mug",
            "style": "bold",
            "cta_text": "Get yours",
            "price": "$29",
            "benefits": ["Hot for six hours", "Never leaks in your bag"],
            "duration_s": 15,
        },
    },
    "many": {
        "summary": "Several frames and variants",
        "value": {
            "product_name": "Ember Travel Mug",
            "frames": ["9:16", "1:1"],
            "variants": {"hooks": 2, "ctas": ["Try it free"]},
            "callback_url": "https://shop.example/hooks/videos",
            "max_cost_usd": 2,
        },
    },
}

ACCEPTED = {"job_id": _ID, "created": True, "queued": True}
BATCH = {
    "results": [
        {"job_id": _ID, "created": True, "error": None, "field": None},
        {"job_id": None, "created": False, "error": "style: is unknown", "field": "style"},
    ]
}
JOB: dict[str, Any] = {
    "job_id": _ID,
    "status": "processing",
    "kind": "video",
    "queue": "video",
    "tenant": "default",
    "product_name": "Ember Travel Mug",
    "style": "bold",
    "stage": "video_gen",
    "progress": 61,
    "progress_percent": 61,
    "worker_id": "worker-1",
    "error": None,
    "generation": 0,
    "failures": 0,
    "crashes": 0,
    "interruptions": 0,
    "created_at": "2026-11-03T09:14:00Z",
    "updated_at": "2026-11-03T09:14:06Z",
    "started_at": "2026-11-03T09:14:01Z",
    "finished_at": None,
    "due_at": None,
}
JOBS = {
    "jobs": [JOB],
    "total": 1,
    "total_capped": False,
    "searched": None,
    "limit": 20,
    "offset": 0,
    "after": None,
}
FILE = {
    "name": "video.mp4",
    "size": 2_431_776,
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "url": f"/jobs/{_ID}/artifacts/video.mp4?link=WyIzZjBj...",
}
_STAGE = {
    "stage": "script_gen",
    "provider": "claude/claude-haiku-4-5",
    "generation": 0,
    "reused": False,
    "failures": 0,
    "started_at": "2026-11-03T09:14:01Z",
    "finished_at": "2026-11-03T09:14:03Z",
}
_CALL = {
    "stage": "script_gen",
    "provider": "claude",
    "state": "finished",
    "cost_microusd": 2150,
    "estimate_microusd": 4000,
    "reason": None,
    "begun_at": "2026-11-03T09:14:01Z",
    "ended_at": "2026-11-03T09:14:03Z",
}
DETAILS = {
    **JOB,
    "payload": PAYLOADS["usual"]["value"],
    "result": None,
    "stages": [_STAGE],
    "calls": [_CALL],
    "callbacks": [],
    "files": [],
}
CHANGED = {"job_id": _ID, "status": "cancelled"}
UPLOADED = {"reference": "5d41402abc4b2a76b9719d911017c592.png", "width": 1200, "height": 900}
HEALTH = {
    "status": "healthy",
    "redis_connected": True,
    "database_connected": True,
    "queue_depth": 3,
    "workers": 2,
    "details": {"queue_depth": "3", "redis": "ok", "database": "ok"},
}
WORKER = {
    "worker_id": "worker-1",
    "instance": "0b8f6a0d4d0f4c6c8f1d5b8f7f3f2a11",
    "host": "render-1",
    "pid": 4711,
    "current_job": _ID,
    "stage": "video_gen",
    "jobs_done": 42,
    "rss_mb": 98,
    "cpu_percent": 12.5,
    "queues": ["video-high", "video", "video-low"],
    "started_at": "2026-11-03T08:00:00Z",
    "beat_age_s": 0.4,
    "state": "working",
}
ORDERED = {"instance": WORKER["instance"], "order": "quiet"}
QUEUE = {"name": "video", "list_key": "video_generation_queue", "waiting": 3, "paused": False}
QUEUES = {"queues": [QUEUE], "running": 2, "scheduled": 1, "oldest_waiting_s": 4.2}
COST = {
    "day": "2026-11-03",
    "calls": 18,
    "spent_microusd": 1_240_000,
    "doubtful_microusd": 0,
    "thrown_away_microusd": 25_000,
}
OVERVIEW = {
    "states": {"pending": 3, "processing": 2, "completed": 118, "failed": 1},
    "buckets": [{"start": "2026-11-03T08:00:00Z", "completed": 9, "failed": 0}],
    "bucket_s": 3600,
    "completed": 118,
    "failed": 1,
    "seconds_median": 11.2,
    "seconds_p95": 19.8,
    "wait_median_s": 0.3,
    "cost_today_microusd": 1_240_000,
    "in_doubt_microusd": 0,
}

#: What an error of each status says.
PROBLEMS: dict[int, tuple[str, str, str | None]] = {
    400: ("The body cannot be read.", "There was an error parsing the body", None),
    401: ("No token, or one that is not known.", "a bearer token is needed", None),
    403: (
        "The token's role does not allow it.",
        "this token may not do that: it needs the role submit",
        None,
    ),
    404: ("Not there, or another tenant's.", "there is no such job", None),
    413: ("The body is too large.", "Content Too Large", None),
    422: ("A field cannot be used.", "product_name: is required", "product_name"),
    503: (
        "Redis or the database is away.",
        "the database does not answer; try again in a moment",
        None,
    ),
}


def shown(example: dict[str, Any]) -> ConfigDict:
    """A model's configuration that puts an example into its schema."""
    return ConfigDict(json_schema_extra={"examples": [example]})
