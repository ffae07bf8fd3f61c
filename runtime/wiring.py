"""Which stages and providers a worker runs, by its settings. Heavy parts are imported here,
on first use, so that an idle worker stays small."""

from __future__ import annotations

import random
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from config import VAR, Settings
from database import Database
from jobs.retry import RetryPolicy
from pipeline.orchestrator import Pipeline
from pipeline.ports import Tools
from pipeline.stage import Stage
from pipeline.storage import ObjectStorage
from runtime.executor import Executor
from runtime.interrupts import Interrupts
from runtime.patience import Patience


def build_pipeline(settings: Settings) -> Pipeline:
    """The four stages with the providers that the settings choose."""
    policy = RetryPolicy(
        base_s=settings.retry_base_s,
        max_failures=settings.max_failures,
        park_after_s=settings.park_after_s,
    )
    return Pipeline(_stages(settings), policy=policy, rng=random.Random())


def build_executor(
    settings: Settings,
    database: Database,
    interrupts: Interrupts,
    patience: Patience,
    worker_id: str,
) -> Executor:
    """What a worker runs its jobs with; the pipeline itself is built at the first job."""

    @lru_cache(maxsize=1)
    def pipeline() -> Pipeline:
        return build_pipeline(settings)

    return Executor(
        pipeline=pipeline,
        stages=database.stages,
        storage=ObjectStorage(settings.artifact_url),
        tools=tools_of(settings),
        interrupts=interrupts,
        patience=patience,
        image_folders=image_folders(settings),
        check_reference=_check_reference,
        worker_id=worker_id,
    )


def _check_reference(field: str, reference: str, folders: Sequence[Path]) -> Path:
    from pipeline.media.images import check_reference

    return check_reference(field, reference, folders)


def tools_of(settings: Settings) -> Tools:
    """Local means of stages."""
    return Tools(
        work_root=VAR / "work",
        ffmpeg=settings.ffmpeg_binary or bundled_ffmpeg(),
        child_memory_mb=settings.child_memory_mb,
    )


@lru_cache(maxsize=1)
def bundled_ffmpeg() -> str:
    """The ffmpeg in the imageio-ffmpeg wheel."""
    import imageio_ffmpeg

    return str(imageio_ffmpeg.get_ffmpeg_exe())


def image_folders(settings: Settings) -> list[Path]:
    """Folders that a job's image paths may point into."""
    return [Path(folder) for folder in settings.image_folders]


def _stages(settings: Settings) -> list[Stage]:
    return [_script(settings), _voice(settings), _video(settings), _compositing(settings)]


def _script(settings: Settings) -> Stage:
    from pipeline.stages.script_gen import ScriptGen

    if settings.script_provider == "null":
        from pipeline.providers.null_script import NullScript

        return ScriptGen(NullScript(settings.null_stage_seconds))
    from pipeline.providers.template_script import TemplateScript

    return ScriptGen(TemplateScript())


def _voice(settings: Settings) -> Stage:
    from pipeline.stages.voice_gen import VoiceGen

    if settings.voice_provider == "null":
        from pipeline.providers.null_voice import NullVoice

        return VoiceGen(NullVoice(settings.null_stage_seconds))
    from pipeline.providers.piper_voice import PiperVoiceProvider

    return VoiceGen(PiperVoiceProvider())


def _video(settings: Settings) -> Stage:
    from pipeline.stages.video_gen import VideoGen

    if settings.video_provider == "null":
        from pipeline.providers.null_video import NullVideo

        return VideoGen(NullVideo(settings.null_stage_seconds))
    from pipeline.providers.motion import MotionProvider

    return VideoGen(MotionProvider())


def _compositing(settings: Settings) -> Stage:
    from pipeline.stages.compositing import Compositing

    if settings.compositor == "null":
        from pipeline.providers.null_compositor import NullCompositor

        return Compositing(NullCompositor(settings.null_stage_seconds))
    from pipeline.providers.ffmpeg_compositor import FfmpegCompositor

    return Compositing(FfmpegCompositor())
