"""Warm-up: scripts and voices of the videos that tomorrow will ask for, made tonight.

A stage's result belongs to its inputs, not to its job: when the video's own job comes, with the
same fields, it finds script and voice finished, and neither waits nor pays for them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from background.context import current_job
from background.job import BackgroundJob
from background.services import services
from errors import InvalidInput, PermanentError
from jobs.payload import parse_job

_MOST = 1000


class WarmUp(BackgroundJob):
    """One job for each payload of WARM_UP_FILE, a JSON list; their rate is limited."""

    kind = "system.warm_up"
    queue = "low"
    cron_schedule = "0 6 * * *"
    cron_missed = "skip"

    @classmethod
    def perform(cls) -> dict[str, int]:
        """How many payloads were queued. Raises InvalidInput for one that is none."""
        path = services().settings.warm_up_file
        if not path:
            return {"queued": 0}
        try:
            payloads = json.loads(Path(path).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise InvalidInput("WARM_UP_FILE", f"cannot be read ({type(error).__name__})") from None
        if not isinstance(payloads, list) or len(payloads) > _MOST:
            raise InvalidInput("WARM_UP_FILE", f"must be a JSON list of at most {_MOST} payloads")
        for number, payload in enumerate(payloads):
            try:
                parse_job({"id": "warm-up", **payload} if isinstance(payload, dict) else payload)
            except InvalidInput as error:
                raise InvalidInput(f"WARM_UP_FILE.{number}.{error.field}", error.reason) from None
        handles = PrepareVideo.perform_bulk([[payload] for payload in payloads])
        return {"queued": len(handles)}


class PrepareVideo(BackgroundJob):
    """Script and voice of one video, at a rate that leaves the providers to the day's jobs."""

    kind = "system.prepare_video"
    queue = "low"
    rate_limit = "60/minute"
    timeout_s = 1800
    unique_for_s = 3600

    @classmethod
    def perform(cls, payload: dict[str, Any]) -> dict[str, Any]:
        """By stage: its provider, its seconds, and whether it was finished before."""
        from pipeline.orchestrator import JobParked, StageGaveUp

        executor, hold = services().executor, current_job().hold
        if executor is None or hold is None:
            raise PermanentError("a video can be prepared by a worker alone")
        job = parse_job({**payload, "id": hold.record.id})
        try:
            made = executor.prepare(job, hold.record, hold.lease, hold.interrupts)
        except (StageGaveUp, JobParked) as error:
            raise PermanentError(str(error)) from error
        return {"stages": made["stages"]}
