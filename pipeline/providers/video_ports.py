"""The ports of the last two stages: who makes the pictures, and who makes the file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from jobs.payload import VideoJob
from pipeline.providers.script_ports import Script, VoiceData
from pipeline.stage import StageContext, StageOutput


class VideoProvider(Protocol):
    """Makes the pictures of an ad: layers to be moved, or filmed clips.

    The output's data has a `kind`. "layers": stills, titles and a motion plan, as
    `media/draw_scenes.py` writes it. "clips": `{"kind": "clips", "width", "height", "fps",
    "frames", "scenes": [{"start_f", "end_f", "clip": "scene-0.mp4"}]}`, one mp4 for each scene.
    """

    name: str
    version: str

    def film(
        self,
        job: VideoJob,
        script: Script,
        voice: VoiceData,
        voice_files: Mapping[str, Path],
        ctx: StageContext,
    ) -> StageOutput:
        """Make the pictures in `ctx.workdir`. Raises InvalidInput for an unusable image,
        ChildFailed, and from a remote service ProviderUnavailable or ProviderRefused."""


class Compositor(Protocol):
    """Turns pictures, voice and captions into the finished files."""

    name: str
    version: str

    def compose(
        self,
        job: VideoJob,
        earlier: Mapping[str, StageOutput],
        ctx: StageContext,
        *,
        shared: Path | None = None,
    ) -> StageOutput:
        """Write video.mp4, captions.srt, captions.vtt, poster.jpg and report.json.

        `shared`: a folder for parts that the other cuts of the job may use again.

        Raises DeliveryRejected when the finished file misses its profile, and ChildFailed."""
