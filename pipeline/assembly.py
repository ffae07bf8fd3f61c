"""Which stages and providers do the work, by the settings. Heavy parts are imported here, on
first use, so that an idle worker stays small."""

from __future__ import annotations

from functools import lru_cache

from config import VAR, Settings
from jobs.retry import RetryPolicy
from pipeline.ports import Tools
from pipeline.stage import Stage


def build_stages(settings: Settings) -> list[Stage]:
    """The four stages, in order, with the providers that the settings choose."""
    return [_script(settings), _voice(settings), _video(settings), _compositing(settings)]


def retry_policy(settings: Settings) -> RetryPolicy:
    """When a failed stage is tried again."""
    return RetryPolicy(
        base_s=settings.retry_base_s,
        max_failures=settings.max_failures,
        park_after_s=settings.park_after_s,
    )


def tools_of(settings: Settings) -> Tools:
    """Local means of stages."""
    return Tools(
        work_root=VAR / "work",
        ffmpeg=settings.ffmpeg_binary or _bundled_ffmpeg(),
        child_memory_mb=settings.child_memory_mb,
    )


@lru_cache(maxsize=1)
def _bundled_ffmpeg() -> str:
    """The ffmpeg in the imageio-ffmpeg wheel."""
    import imageio_ffmpeg

    return str(imageio_ffmpeg.get_ffmpeg_exe())


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
