"""A compositor that encodes nothing: for tests and benchmarks of everything around it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from jobs.payload import VideoJob
from pipeline.providers.null_script import wait
from pipeline.stage import StageContext, StageOutput


class NullCompositor:
    """A report that says what was asked for, after `stage_seconds` of waiting; no video."""

    name = "null"
    version = "1"

    def __init__(self, stage_seconds: float = 0.0) -> None:
        self._stage_seconds = stage_seconds

    def compose(
        self,
        job: VideoJob,
        earlier: Mapping[str, StageOutput],
        ctx: StageContext,
        *,
        shared: Path | None = None,
    ) -> StageOutput:
        """See Compositor."""
        wait(ctx, self._stage_seconds)
        path = ctx.workdir / "report.json"
        path.write_text(
            json.dumps({"product_name": job.product_name, "stages": list(earlier)}),
            encoding="utf-8",
        )
        return StageOutput({"duration_s": 0.0, "size_bytes": 0}, {"report.json": path})
