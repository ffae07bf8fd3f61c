"""The soundtrack: at its loudness, the bed out of the voice's way, to the sample as long."""

from __future__ import annotations

import hashlib
import wave
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from jobs.payload import STYLES
from pipeline.media.audio import _to_target, mix_audio
from pipeline.media.loudness import LoudnessTarget, measure_loudness
from pipeline.media.mix_child import _duck
from pipeline.media.music import compose
from pipeline.media.synth import RATE, render
from pipeline.providers.script_ports import Voice
from tests.pipeline.context import FakeContext


def _spans(voice: Voice) -> list[tuple[float, float]]:
    return [(scene["start_s"], scene["end_s"]) for scene in voice.data["scenes"]]


def _samples(path: Path) -> npt.NDArray[np.float64]:
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getframerate(), file.getsampwidth()) == (2, 48_000, 2)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, 2) / 32768


@pytest.mark.parametrize("style", ["minimal", "bold"])
def test_the_mix_meets_its_target_with_the_bed_under_the_voice(
    voice: Voice, ctx: FakeContext, style: str
) -> None:
    duration_s = voice.data["duration_s"] + 2.5

    mixed = mix_audio(
        ctx,
        voice=voice.wav,
        spans=_spans(voice),
        music="auto",
        style=style,
        duration_s=duration_s,
        seed=7,
    )

    sound = _samples(mixed.path)
    assert len(sound) == round(duration_s * 48_000)
    assert mixed.lufs == pytest.approx(-14, abs=0.5)
    assert mixed.true_peak_dbtp <= -1.4
    assert measure_loudness(ctx, mixed.path).lufs == pytest.approx(mixed.lufs, abs=0.1)
    assert mixed.bed_under_lu is not None
    assert mixed.bed_open_lu is not None
    assert mixed.bed_under_lu >= 12
    assert mixed.bed_open_lu <= mixed.bed_under_lu - 4
    assert abs(sound.mean()) < 0.001
    assert np.abs(sound[-48:]).max() < 0.01  # it has faded out
    assert ctx.peak_rss_mb < 512
    assert [path.name for path in ctx.workdir.iterdir()] == ["mix.wav"]


def test_the_bed_is_down_before_the_voice_and_up_again_in_real_milliseconds() -> None:
    duck = {"open_lu": 5.0, "under_lu": 15.0, "attack_s": 0.08, "release_s": 0.4, "hold_s": 0.2}

    gain_db, down = _duck([(1.0, 2.0), (2.1, 3.0)], 4 * RATE, duck)

    def at(seconds: float) -> float:
        return float(gain_db[round(seconds * RATE)])

    assert at(0.9) == pytest.approx(-5)
    assert at(1.0) == pytest.approx(-15)
    assert at(2.05) == pytest.approx(-15), "a short pause must not pump"
    assert -15 < at(3.2) < -5
    assert at(3.41) == pytest.approx(-5)
    assert down[RATE + 1 : 3 * RATE - 1].all()


def test_a_mix_without_music_is_the_voice_alone(voice: Voice, ctx: FakeContext) -> None:
    mixed = mix_audio(
        ctx,
        voice=voice.wav,
        spans=_spans(voice),
        music="none",
        style="bold",
        duration_s=12,
        seed=7,
        target=LoudnessTarget(-23, -1),
    )

    assert mixed.bed_under_lu is None
    assert mixed.lufs == pytest.approx(-23, abs=0.5)
    sound = _samples(mixed.path)
    assert np.abs(sound[: round(0.2 * 48_000)]).max() < 0.001


def test_a_loud_passage_is_brought_under_the_cap_and_the_whole_to_its_target(
    ctx: FakeContext,
) -> None:
    """As uneven as speech never is: four seconds ten decibels above all others."""
    noise = np.random.default_rng(3).normal(0, 0.05, (20 * RATE, 2))
    noise[8 * RATE : 12 * RATE] *= 3.2
    premix, out = ctx.workdir / "premix.f32", ctx.workdir / "mix.wav"
    noise.astype("<f4").tofile(premix)

    free, loudest, _ = _to_target(ctx, premix, out, 20, LoudnessTarget(-23, -1))
    held, capped, _ = _to_target(ctx, premix, out, 20, LoudnessTarget(-23, -1, -18))

    assert loudest > -17.6
    assert capped <= -18
    assert free.lufs == pytest.approx(-23, abs=0.3)
    assert held.lufs == pytest.approx(-23, abs=0.3)
    assert held.true_peak_dbtp <= -1


def test_silence_stays_silent(ctx: FakeContext) -> None:
    silence = ctx.workdir / "voice.wav"
    with wave.open(str(silence), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(8000)
        out.writeframes(bytes(1600))

    mixed = mix_audio(
        ctx, voice=silence, spans=[], music="none", style="bold", duration_s=1, seed=1
    )

    assert mixed.lufs == -70
    assert np.abs(_samples(mixed.path)).max() < 0.001


@pytest.mark.parametrize("style", STYLES)
def test_each_bed_is_clean_and_ends_on_its_last_chord(style: str) -> None:
    sound = render(compose(style, 8, 5.5, 3), 8, 3)

    assert sound.shape == (2, 8 * RATE)
    assert np.abs(sound).max() < 1
    assert abs(float(sound.mean())) < 1e-3
    spectrum = np.abs(np.fft.rfft(sound.mean(axis=0))) ** 2
    hz = np.fft.rfftfreq(sound.shape[1], 1 / RATE)
    total = spectrum.sum()
    assert spectrum[hz > 8000].sum() / total < 0.01, "harsh"
    assert spectrum[hz < 30].sum() / total < 0.02, "rumble"
    assert spectrum[(hz > 200) & (hz < 5000)].sum() / total > 0.03, "nothing for a phone to play"
    steps = np.abs(np.diff(sound, axis=1)).max()
    assert steps < 0.35, "a click"


def test_beds_differ_by_style_and_seed_and_repeat_exactly() -> None:
    def digest(style: str, seed: int) -> str:
        return hashlib.sha256(render(compose(style, 6, 4, seed), 6, seed).tobytes()).hexdigest()

    digests = [digest("minimal", 1), digest("minimal", 2), digest("bold", 1)]
    assert len(set(digests)) == 3
    assert digest("minimal", 1) == digests[0]


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize(("duration_s", "speech_end_s"), [(6, 3.4), (15, 12.5), (60, 57), (4, 0)])
def test_no_note_starts_after_the_end_or_before_the_start(
    style: str, duration_s: float, speech_end_s: float
) -> None:
    score = compose(style, duration_s, speech_end_s, 5)

    starts = [note.start_s for part in score.parts for note in part.notes]
    assert min(starts) >= 0
    assert max(starts) == pytest.approx(score.final_s)
    assert 1 <= duration_s - score.final_s <= 3.6
