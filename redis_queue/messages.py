"""What the queue says to the outside: progress messages and the status dictionary."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from jobs.states import JobState

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def progress_message(
    job_id: str, stage: str | None, progress: int, worker_id: str | None, **more: Any
) -> str:
    """A message on the progress channel and in the event log: JSON, four fixed fields first."""
    fixed = {"job_id": job_id, "stage": stage, "progress": progress, "worker_id": worker_id}
    extra = {key: value for key, value in more.items() if value not in (None, "")}
    return _encode(fixed | extra)


def success_message(job_id: str, worker_id: str | None) -> str:
    """What is told of a job that has succeeded."""
    return progress_message(job_id, None, 100, worker_id, status=JobState.COMPLETED)


def decode_hash(flat: Iterable[bytes] | dict[bytes, bytes]) -> dict[str, str]:
    """A hash as it comes from a script (flat) or from HGETALL (mapping), as text."""
    if isinstance(flat, dict):
        pairs: Iterable[tuple[bytes, bytes]] = flat.items()
    else:
        items = list(flat)
        pairs = zip(items[::2], items[1::2], strict=True)
    return {key.decode(): value.decode(errors="replace") for key, value in pairs}


def status_of(fields: dict[str, str]) -> dict[str, Any]:
    """A job's hash as callers see it; times are ISO 8601 in UTC."""
    return {
        "job_id": fields.get("job_id", ""),
        "status": fields.get("status", ""),
        "stage": fields.get("stage") or None,
        "progress": int(fields.get("progress") or 0),
        "worker_id": fields.get("worker_id") or None,
        "error": fields.get("error") or None,
        "created_at": iso_of_ms(fields.get("created_ms")),
        "updated_at": iso_of_ms(fields.get("updated_ms")),
        "queue": fields.get("queue") or None,
    }


def iso_of_ms(value: str | float | None) -> str | None:
    """Milliseconds since the epoch as ISO 8601 in UTC, `2025-01-14T12:00:00.000Z`."""
    if value in (None, ""):
        return None
    moment = datetime.fromtimestamp(float(value or 0) / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
