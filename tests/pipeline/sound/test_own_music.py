"""A user's own music: looped or cut to the ad, under the voice like a made bed, or refused."""

from __future__ import annotations

import subprocess
import wave
from pathlib import Path

import numpy as np
import pytest

from errors import InvalidInput
from pipeline.media.audio import mix_audio
from pipeline.media.mix_child import lay
from pipeline.media.own_music import check_music, decode_music
from pipeline.media.synth import RATE
from pipeline.providers.script_ports import Voice
from tests.pipeline.context import FakeContext

_CHORD = "aevalsrc=0.3*sin(440*PI*t)+0.2*sin(554*PI*t):s=44100"


def _make(
    ctx: FakeContext, name: str, *args: str, source: str = _CHORD, length_s: float = 4
) -> Path:
    path = ctx.workdir / name
    argv = [ctx.ffmpeg, "-v", "error", "-f", "lavfi", "-t", str(length_s), "-i", source, *args]
    subprocess.run([*argv, str(path)], check=True)
    return path


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("a.mp3", []),
        ("a.wav", ["-c:a", "pcm_s24le"]),
        ("a.m4a", ["-ac", "1"]),
        ("a.ogg", []),
        ("opus.ogg", ["-c:a", "libopus"]),
        ("a.flac", ["-ac", "6"]),
        ("any-name.txt", ["-f", "mp3", "-write_xing", "0", "-id3v2_version", "0"]),
    ],
)
def test_each_kind_of_file_is_decoded_to_stereo(
    ctx: FakeContext, name: str, args: list[str]
) -> None:
    decoded = decode_music(ctx, _make(ctx, name, *args), 3.0, RATE)

    sound = np.fromfile(decoded, np.float32).reshape(-1, 2)
    assert len(sound) / RATE == pytest.approx(4, abs=0.1)
    assert 0.05 < np.sqrt((sound**2).mean()) < 0.5


def test_a_song_with_a_cover_is_only_heard(ctx: FakeContext) -> None:
    cover = _make(ctx, "cover.png", "-frames:v", "1", source="testsrc2=s=64x64")
    song = _make(ctx, "plain.mp3")
    both = ctx.workdir / "song.mp3"
    argv = [ctx.ffmpeg, "-v", "error", "-i", str(song), "-i", str(cover), "-c", "copy"]
    subprocess.run([*argv, "-map", "0:a", "-map", "1:v", str(both)], check=True)

    assert decode_music(ctx, both, 3.0, RATE).stat().st_size > 0


@pytest.mark.parametrize("length_s", [5.0, 40.0])
def test_it_fills_the_ad_under_the_voice_and_fades_out(
    voice: Voice, ctx: FakeContext, length_s: float
) -> None:
    silence_first = f"{_CHORD},adelay=1500:all=1"
    music = _make(ctx, "song.mp3", source=silence_first, length_s=length_s)
    duration_s = voice.data["duration_s"] + 2.5
    spans = [(scene["start_s"], scene["end_s"]) for scene in voice.data["scenes"]]

    mixed = mix_audio(
        ctx, voice=voice.wav, spans=spans, music=str(music), style="bold",
        duration_s=duration_s, seed=7,
    )  # fmt: skip

    with wave.open(str(mixed.path)) as file:
        assert file.getnframes() == round(duration_s * RATE)
        sound = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, 2) / 32768
    assert mixed.lufs == pytest.approx(-14, abs=0.5)
    assert mixed.bed_under_lu is not None
    assert mixed.bed_open_lu is not None
    assert mixed.bed_under_lu >= 12
    assert mixed.bed_open_lu <= mixed.bed_under_lu - 4
    assert np.abs(sound[-48:]).max() < 0.01
    # No hole anywhere: neither at its silent beginning nor at a seam.
    tenths = sound[: len(sound) // 4800 * 4800, 0].reshape(-1, 4800)
    assert np.sqrt((tenths[:-10] ** 2).mean(axis=1)).min() > 0.01
    assert sorted(path.name for path in ctx.workdir.iterdir()) == ["mix.wav", "song.mp3"]


def test_a_seam_is_as_loud_as_the_rest() -> None:
    noise = np.random.default_rng(1).normal(0, 0.1, (2, 5 * RATE)).astype(np.float32)

    laid = lay(noise, 17 * RATE, RATE)

    seconds = laid[0].reshape(-1, RATE // 2)
    level_db = 20 * np.log10(np.sqrt((seconds**2).mean(axis=1)))
    assert laid.shape == (2, 17 * RATE)
    assert np.ptp(level_db) < 1
    assert np.array_equal(laid[:, : 4 * RATE], noise[:, : 4 * RATE])
    assert np.array_equal(lay(noise, RATE, RATE), noise[:, :RATE])


@pytest.mark.parametrize("frames", [1, 2 * RATE, 2 * RATE + 1, 5 * RATE - 1])
@pytest.mark.parametrize("length", [100, RATE, 2 * RATE])
def test_any_length_is_laid_to_any_other(length: int, frames: int) -> None:
    laid = lay(np.ones((2, length), np.float32), frames, 2 * RATE)

    assert laid.shape == (2, frames)
    assert laid.min() > 0.9


def _bad(ctx: FakeContext, what: str) -> Path:
    path = ctx.workdir / "bad.mp3"
    if what == "text":
        path.write_text("no music at all")
    elif what == "playlist":
        path.write_text("#EXTM3U\n#EXTINF:5\nfile:///etc/passwd\n")
    elif what == "picture":
        return _make(ctx, "bad.png", "-frames:v", "1", source="testsrc2=s=64x64")
    elif what == "mute film":
        return _make(ctx, "bad.mp4", source="testsrc2=s=64x64")
    elif what == "noise with a tag":
        path.write_bytes(b"ID3\x03" + np.random.default_rng(1).bytes(20_000))
    elif what == "cut header":
        path.write_bytes(_make(ctx, "whole.flac").read_bytes()[:30])
    elif what == "large":
        with path.open("wb") as file:
            file.write(b"ID3\x03")
            file.truncate(50_000_001)
    elif what == "long":
        return _make(ctx, "bad.wav", "-ar", "8000", "-c:a", "pcm_u8", length_s=902)
    elif what == "short":
        return _make(ctx, "bad.wav", length_s=0.5)
    elif what == "silent":
        return _make(ctx, "bad.flac", source="anullsrc=r=44100")
    return path


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("missing", "cannot be read"),
        ("text", "is not an MP3, WAV"),
        ("playlist", "is not an MP3, WAV"),
        ("picture", "is not an MP3, WAV"),
        ("mute film", "no sound that can be decoded"),
        ("noise with a tag", "no sound|lasts only"),
        ("cut header", "no sound|lasts only"),
        ("large", "larger than 50 MB"),
        ("long", "longer than 15 minutes"),
        ("short", r"lasts only 0\.5 s"),
        ("silent", "is silent"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_in_words(
    ctx: FakeContext, voice: Voice, what: str, words: str
) -> None:
    with pytest.raises(InvalidInput, match=words) as caught:
        mix_audio(
            ctx, voice=voice.wav, spans=[(0.3, 2.0)], music=str(_bad(ctx, what)), style="bold",
            duration_s=3, seed=1,
        )  # fmt: skip
    assert caught.value.field == "music"


def test_what_lies_behind_a_file_is_never_opened(ctx: FakeContext) -> None:
    """A container is told by its bytes: a playlist in a song's clothes leads nowhere."""
    secret = _make(ctx, "secret.wav")
    disguised = ctx.workdir / "list.mp3"
    disguised.write_text(f"ffconcat version 1.0\nfile {secret.name}\n")

    with pytest.raises(InvalidInput, match="music"):
        check_music(disguised)
