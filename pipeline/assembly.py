"""Which stages and providers do the work, by the settings. Heavy parts are imported here, on
first use, so that an idle worker stays small."""

from __future__ import annotations

from functools import lru_cache

from pydantic import SecretStr

from config import VAR, Settings
from jobs.retry import RetryPolicy
from pipeline.ports import Tools
from pipeline.stage import Stage


def build_stages(settings: Settings) -> list[Stage]:
    """The four stages, in order, with the providers that the settings choose."""
    names = chosen(settings)
    return [
        _script(settings, names["script_gen"]),
        _voice(settings, names["voice_gen"]),
        _video(settings, names["video_gen"]),
        _compositing(settings, names["compositing"]),
    ]


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


def build_fallbacks(settings: Settings) -> dict[str, Stage]:
    """By stage name: who takes over when the chosen provider gives up. None unless asked for."""
    found = {}
    if settings.script_fallback:
        found["script_gen"] = _script(settings, settings.script_fallback)
    if settings.voice_fallback:
        found["voice_gen"] = _voice(settings, settings.voice_fallback)
    if settings.video_fallback:
        found["video_gen"] = _video(settings, settings.video_fallback)
    return found


def chosen(settings: Settings) -> dict[str, str]:
    """By stage name, the provider that `auto` stands for: the paid one whose key is set."""
    video = "replicate" if settings.replicate_api_token else "fal" if settings.fal_key else "motion"
    auto = {
        "script_gen": "claude" if settings.anthropic_api_key else "template",
        "voice_gen": "elevenlabs" if settings.elevenlabs_api_key else "piper",
        "video_gen": video,
        "compositing": "ffmpeg",
    }
    named = {
        "script_gen": settings.script_provider,
        "voice_gen": settings.voice_provider,
        "video_gen": settings.video_provider,
        "compositing": settings.compositor,
    }
    return {stage: auto[stage] if name == "auto" else name for stage, name in named.items()}


def _script(settings: Settings, name: str) -> Stage:
    from pipeline.stages.script_gen import ScriptGen

    if name == "null":
        from pipeline.providers.null_script import NullScript

        return ScriptGen(NullScript(settings.null_stage_seconds))
    if name == "claude":
        from pipeline.providers.claude_script import ClaudeScript

        key = _key(settings.anthropic_api_key)
        return ScriptGen(ClaudeScript(key, settings.anthropic_base_url, settings.claude_model))
    if name == "openai":
        from pipeline.providers.openai_script import OpenAICompatibleScript

        return ScriptGen(
            OpenAICompatibleScript(
                settings.openai_base_url, settings.openai_model, _key(settings.openai_api_key)
            )
        )
    from pipeline.providers.template_script import TemplateScript

    return ScriptGen(TemplateScript())


def _voice(settings: Settings, name: str) -> Stage:
    from pipeline.stages.voice_gen import VoiceGen

    if name == "null":
        from pipeline.providers.null_voice import NullVoice

        return VoiceGen(NullVoice(settings.null_stage_seconds))
    if name == "elevenlabs":
        from pipeline.providers.elevenlabs_voice import ElevenLabsVoice

        return VoiceGen(
            ElevenLabsVoice(
                _key(settings.elevenlabs_api_key),
                settings.elevenlabs_base_url,
                settings.elevenlabs_model,
                settings.elevenlabs_voice_id,
            )
        )
    from pipeline.providers.piper_voice import PiperVoiceProvider

    return VoiceGen(PiperVoiceProvider())


def _video(settings: Settings, name: str) -> Stage:
    from pipeline.stages.video_gen import VideoGen

    if name == "null":
        from pipeline.providers.null_video import NullVideo

        return VideoGen(NullVideo(settings.null_stage_seconds))
    if name == "replicate":
        from pipeline.providers.replicate_video import ReplicateVideo

        return VideoGen(
            ReplicateVideo(
                _key(settings.replicate_api_token),
                settings.replicate_base_url,
                settings.replicate_model,
                usd_per_second=settings.video_usd_per_second,
                webhook_url=settings.replicate_webhook_url,
                poll_s=settings.replicate_poll_s,
            )
        )
    if name == "fal":
        from pipeline.providers.fal_video import FalVideo

        return VideoGen(
            FalVideo(
                _key(settings.fal_key),
                settings.fal_base_url,
                settings.fal_model,
                usd_per_second=settings.video_usd_per_second,
            )
        )
    from pipeline.providers.motion import MotionProvider

    return VideoGen(MotionProvider())


def _key(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret is not None else ""


def _compositing(settings: Settings, name: str) -> Stage:
    from pipeline.stages.compositing import Compositing

    if name == "null":
        from pipeline.providers.null_compositor import NullCompositor

        return Compositing(NullCompositor(settings.null_stage_seconds))
    from pipeline.providers.ffmpeg_compositor import FfmpegCompositor

    return Compositing(FfmpegCompositor())
