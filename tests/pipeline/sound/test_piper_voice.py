"""The embedded voice: right words at the right times, the same bytes for the same seed."""

from __future__ import annotations

import wave

import numpy as np
import pytest

from errors import InvalidInput
from jobs.payload import VideoJob
from pipeline.providers.piper_voice import PiperVoiceProvider
from pipeline.providers.script_ports import Script, Voice, voice_problems
from tests.pipeline.context import FakeContext
from tests.pipeline.sound.conftest import script_of


def test_every_word_has_its_time_and_the_scripts_spelling(voice: Voice, script: Script) -> None:
    assert voice_problems(voice.data, script) == []
    words = [word for scene in voice.data["scenes"] for word in scene["words"]]
    assert [word["text"] for word in words if "Aqua" in word["text"]] == ["AquaPure"]
    assert "$19.99," in [word["text"] for word in words]
    lengths = {word["text"]: word["end_s"] - word["start_s"] for word in words}
    odd = {text: length_s for text, length_s in lengths.items() if not 0.04 < length_s < 1.8}
    assert odd == {}
    # A price is several words to the ear, and takes as long.
    assert lengths["$19.99,"] > 2.5 * lengths["of"]


def test_scenes_are_apart_and_silent_between(voice: Voice) -> None:
    with wave.open(str(voice.wav)) as file:
        assert (file.getnchannels(), file.getsampwidth()) == (1, 2)
        rate = file.getframerate()
        sound = np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768
    assert len(sound) / rate == pytest.approx(voice.data["duration_s"], abs=0.001)
    assert 0.2 <= voice.data["scenes"][0]["start_s"] <= 0.4
    for scene, following in zip(voice.data["scenes"], voice.data["scenes"][1:], strict=False):
        assert 0.2 <= following["start_s"] - scene["end_s"] <= 0.5
        gap = sound[round(scene["end_s"] * rate) : round(following["start_s"] * rate)]
        assert np.abs(gap).max() == 0
    for scene in voice.data["scenes"]:
        for word in scene["words"]:
            spoken = sound[round(word["start_s"] * rate) : round(word["end_s"] * rate)]
            assert np.sqrt((spoken**2).mean()) > 0.01, word
    assert 0.5 < np.abs(sound).max() < 0.95


def test_progress_is_told_scene_by_scene_within_the_memory_cap(
    voice: Voice, voice_context: FakeContext
) -> None:
    assert len(voice_context.fractions) == len(voice.data["scenes"])
    assert voice_context.fractions == sorted(voice_context.fractions)
    assert voice_context.peak_rss_mb < 512


@pytest.mark.slow
def test_the_same_seed_gives_the_same_bytes(
    voice: Voice, script: Script, job: VideoJob, ctx: FakeContext
) -> None:
    again = PiperVoiceProvider().speak(job, script, ctx)

    assert again.wav.read_bytes() == voice.wav.read_bytes()
    assert again.data == voice.data


def test_another_language_or_voice_is_refused(script: Script, ctx: FakeContext) -> None:
    german = Script(language="de", scenes=script["scenes"])
    with pytest.raises(InvalidInput, match="ElevenLabs"):
        PiperVoiceProvider().speak(VideoJob(id="a", product_name="x", language="de"), german, ctx)
    with pytest.raises(InvalidInput, match="voice"):
        PiperVoiceProvider().speak(VideoJob(id="a", product_name="x", voice="anna"), script, ctx)


@pytest.mark.slow
def test_a_breathless_script_stays_within_the_memory_cap(ctx: FakeContext) -> None:
    script = script_of("number word " * 40, "🔥 — 水 ok", "a" * 80, "1234567 " * 9)

    voice = PiperVoiceProvider().speak(
        VideoJob(id="a", product_name="x", duration_s=60), script, ctx
    )

    assert voice_problems(voice.data, script) == []
