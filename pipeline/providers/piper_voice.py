"""The embedded voice: Piper, in a process of its own, with no key and nothing to install."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any, cast

from errors import ChildFailed, InvalidInput
from jobs.payload import VideoJob
from pipeline.media.children import python_child
from pipeline.providers.pace import pace_for
from pipeline.providers.script_ports import END_CARD_S, Script, Voice, VoiceData
from pipeline.stage import StageContext

#: Loading takes about 4 s, speaking about 0.2 s per second of speech on two cores.
_TIMEOUT_S = 180.0
#: Of the stage's progress, what loading the voice stands for.
_LOADED = 0.2


class PiperVoiceProvider:
    """Speaks English with the voice "joe" (public domain); equal words and seed, equal sound."""

    name = "piper"
    version = "1.8.0"

    def speak(
        self, job: VideoJob, script: Script, ctx: StageContext, *, pace_by: int | None = None
    ) -> Voice:
        """Raises InvalidInput for another language or voice; ChildFailed, StageTimeout."""
        if script["language"].split("-")[0] != "en":
            raise InvalidInput(
                "language",
                f"the embedded voice speaks English only, not '{script['language']}'; "
                "with ELEVENLABS_API_KEY set, ElevenLabs would speak it",
            )
        if job.voice not in (None, "joe"):
            raise InvalidInput(
                "voice", "the embedded voice is 'joe'; others need ELEVENLABS_API_KEY"
            )
        scenes = [scene["spoken"].split() for scene in script["scenes"]]
        found: dict[str, VoiceData] = {}

        def hear(line: bytes) -> None:
            message: dict[str, Any] = json.loads(line)
            if "scene" in message:
                done = message["scene"] / len(scenes)
                ctx.progress(
                    _LOADED + (1 - _LOADED) * done,
                    f"spoke scene {message['scene']} of {len(scenes)}",
                )
            else:
                found["voice"] = cast(VoiceData, message["voice"])

        python_child(
            ctx,
            "pipeline.providers.piper_child",
            {
                "scenes": scenes,
                "pace_by": pace_by or len(scenes),
                "seed": ctx.seed,
                "target_s": job.duration_s - END_CARD_S,
                "pace": asdict(pace_for(job.style, job.duration_s)),
            },
            timeout_s=_TIMEOUT_S,
            on_stdout_line=hear,
        )
        if "voice" not in found:
            raise ChildFailed("the voice ended without a result")
        return Voice(ctx.workdir / "voice.wav", found["voice"])
