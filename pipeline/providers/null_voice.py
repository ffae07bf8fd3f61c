"""A voice provider that makes a hundredth of a second of silence a word."""

from __future__ import annotations

import wave

from jobs.payload import VideoJob
from pipeline.providers.null_script import wait
from pipeline.providers.script_ports import Script, SpokenScene, Voice, Word
from pipeline.stage import StageContext

_RATE = 8_000
_WORD_S = 0.01


class NullVoice:
    """Valid word times and a valid, silent wav, after `stage_seconds` of waiting."""

    name = "null"
    version = "1"

    def __init__(self, stage_seconds: float = 0.0) -> None:
        self._stage_seconds = stage_seconds

    def speak(
        self, job: VideoJob, script: Script, ctx: StageContext, *, pace_by: int | None = None
    ) -> Voice:
        wait(ctx, self._stage_seconds)
        scenes: list[SpokenScene] = []
        count = 0
        for scene in script["scenes"]:
            words: list[Word] = []
            start_s = _at(count)
            for text in scene["spoken"].split():
                words.append({"text": text, "start_s": _at(count), "end_s": _at(count + 1)})
                count += 1
            scenes.append({"start_s": start_s, "end_s": _at(count), "words": words})
        path = ctx.workdir / "voice.wav"
        with wave.open(str(path), "wb") as out:
            out.setnchannels(1)
            out.setsampwidth(2)
            out.setframerate(_RATE)
            out.writeframes(bytes(2 * round(_at(count) * _RATE)))
        return Voice(path, {"duration_s": _at(count), "sample_rate": _RATE, "scenes": scenes})


def _at(words: int) -> float:
    return round(words * _WORD_S, 4)
