"""A video provider that films nothing: for tests and benchmarks of everything around it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from jobs.payload import VideoJob
from pipeline.providers.null_script import wait
from pipeline.providers.script_ports import Script, VoiceData
from pipeline.stage import StageContext, StageOutput


class NullVideo:
    """A list of the scenes that would have been filmed, after `stage_seconds` of waiting."""

    name = "null"
    version = "1"

    def __init__(self, stage_seconds: float = 0.0) -> None:
        self._stage_seconds = stage_seconds

    def film(
        self,
        job: VideoJob,
        script: Script,
        voice: VoiceData,
        voice_files: Mapping[str, Path],
        ctx: StageContext,
    ) -> StageOutput:
        """See VideoProvider."""
        wait(ctx, self._stage_seconds)
        scenes = [scene["role"] for scene in script["scenes"]]
        path = ctx.workdir / "scenes.json"
        path.write_text(json.dumps(scenes), encoding="utf-8")
        return StageOutput({"kind": "null", "scenes": scenes}, {"scenes.json": path})
