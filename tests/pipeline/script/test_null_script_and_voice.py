"""The null providers keep the contracts of the real ones, at once and in no memory."""

from __future__ import annotations

import wave
from pathlib import Path

import pytest

from errors import JobCancelled
from jobs.payload import VideoJob
from pipeline.providers.null_script import NullScript
from pipeline.providers.null_voice import NullVoice
from pipeline.providers.script_ports import script_problems, voice_problems
from pipeline.stage import StageInputs
from pipeline.stages.script_gen import ScriptGen
from pipeline.stages.voice_gen import VoiceGen
from tests.pipeline.context import FakeContext

_JOB = VideoJob(id="a", product_name="Lamp", language="de")


def test_null_stages_keep_the_contracts(tmp_path: Path) -> None:
    ctx = FakeContext(tmp_path)
    script = ScriptGen(NullScript()).run(ctx, StageInputs(_JOB, {}))
    voice = VoiceGen(NullVoice()).run(ctx, StageInputs(_JOB, {"script_gen": script}))

    assert script_problems(script.data) == []  # type: ignore[arg-type]
    assert voice_problems(voice.data, script.data) == []  # type: ignore[arg-type]
    with wave.open(str(voice.files["voice.wav"])) as sound:
        assert sound.getnchannels() == 1
        assert sound.getnframes() / sound.getframerate() == pytest.approx(voice.data["duration_s"])


def test_null_stages_wait_as_long_as_told(tmp_path: Path) -> None:
    ctx = FakeContext(tmp_path)

    NullScript(stage_seconds=2.0).write(_JOB, ctx)

    assert ctx.slept_s == pytest.approx(2.0)
    assert len(ctx.fractions) >= 5


def test_a_cancelled_wait_ends_at_once(tmp_path: Path) -> None:
    ctx = FakeContext(tmp_path, interrupt=JobCancelled())

    with pytest.raises(JobCancelled):
        NullVoice(stage_seconds=60).speak(
            _JOB, NullScript().write(_JOB, FakeContext(tmp_path)), ctx
        )

    assert ctx.slept_s == 0
