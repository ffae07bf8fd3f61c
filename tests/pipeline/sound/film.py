"""A whole ad at low resolution through the real stages, for tests of the finished file."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from jobs.payload import VideoJob
from pipeline.media.report import write_report
from pipeline.providers.ffmpeg_compositor import FfmpegCompositor
from pipeline.providers.motion import MotionProvider
from pipeline.stage import Json, StageContext, StageInputs, StageOutput
from pipeline.stages.compositing import Compositing
from pipeline.stages.video_gen import VideoGen
from tests.pipeline.context import FakeContext


def small_report(size: tuple[int, int], *args: Any, extra: Mapping[str, Any], **rest: Any) -> Json:
    """The gate as it is, but for the frame's size: that of the small film is expected."""
    return write_report(*args, extra={**extra, "size": size}, **rest)


class SmallCompositor(FfmpegCompositor):
    """The real one with the real mix and gate, for films that are drawn smaller."""

    def compose(
        self,
        job: VideoJob,
        earlier: Mapping[str, StageOutput],
        ctx: StageContext,
        *,
        shared: Path | None = None,
    ) -> StageOutput:
        plan = earlier["video_gen"].data
        self._report = partial(small_report, (plan["width"], plan["height"]))
        return super().compose(job, earlier, ctx, shared=shared)


def film(
    folder: Path, job: VideoJob, earlier: dict[str, StageOutput], *, scale: float, seed: int = 7
) -> StageOutput:
    """Draw, mix, encode and measure; `earlier` (script, voice) gets `video_gen` added."""
    for name in ("film", "join"):
        (folder / name).mkdir(parents=True)
    drawn = VideoGen(MotionProvider(scale=scale)).run(
        FakeContext(folder / "film", seed=seed), StageInputs(job, earlier)
    )
    earlier["video_gen"] = drawn
    stage = Compositing(SmallCompositor())
    return stage.run(FakeContext(folder / "join", seed=seed), StageInputs(job, earlier))
