"""The hash that makes two stage runs equal: same hash, same result, no second payment."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from jobs.payload import VideoJob
from pipeline.stage import Json

#: Fields of a job that change who wants it, when and for how much, but not what it looks like.
_NOT_CONTENT = {
    "id",
    "priority",
    "max_cost_usd",
    "callback_url",
    "tenant",
    "idempotency_key",
    "run_at",
}


def job_content(job: VideoJob, file_digests: Mapping[str, str]) -> Json:
    """What of the job shapes its video; local files count by their bytes, not their paths."""
    content = job.model_dump(mode="json", exclude=_NOT_CONTENT)
    content["images"] = [file_digests.get(path, path) for path in job.images]
    content["music"] = file_digests.get(job.music, job.music)
    if job.logo is not None:
        content["logo"] = file_digests.get(job.logo, job.logo)
    return content


def stage_hash(
    *, stage: str, provider: str, generation: int, content: Json, earlier: Sequence[Any]
) -> str:
    """SHA-256 in hex over canonical JSON.

    `earlier` is each earlier stage's data and file hashes, in order: content-addressed, so a
    replayed stage that gives the same result does not force its successors to run again.
    """
    inputs = [stage, provider, generation, content, list(earlier)]
    text = json.dumps(inputs, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()
