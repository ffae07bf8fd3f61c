"""A minute-long ad: captions, voice and picture are in step at its end as at its beginning.

Measured on the finished file alone: on its decoded pixels and on its decoded sound.
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from pipeline.media.captions import Cue, group_words
from pipeline.providers.piper_voice import PiperVoiceProvider
from pipeline.stage import Json, StageOutput
from tests.pipeline.context import FakeContext
from tests.pipeline.sound.film import film
from tests.pipeline.visual import samples

_SCENES = [
    (
        "hook",
        "Your morning deserves better than bad coffee, and better than a kettle that shouts at "
        "you. You have tried the paper filters, the pods, and the machine with the blinking "
        "light, and the one your uncle swore by. What was missing all along is the water: how hot "
        "it is, and how it falls.",
        "Mornings deserve better",
        "hero",
    ),
    (
        "product",
        "Meet the Aurora Pour-Over Kettle. It is a gooseneck kettle with a balanced handle, a "
        "quiet timer in its base, and a memory for the degree you liked best yesterday.",
        "Meet the Aurora",
        "hero",
    ),
    (
        "benefit",
        "It boils a litre in ninety seconds, holds any temperature for an hour, and pours as "
        "slowly as you like. It turns itself off when it is empty, and it whispers where others "
        "roar. Steel on the inside, cork on the outside, nothing in between.",
        "Exact to the degree",
        "list",
    ),
    (
        "proof",
        "Rated 4.8 out of 5 by people who brew forty cups a day, who ask for nothing but clean "
        "water at the right moment, and who write long letters when they do not get it.",
        "Loved by coffee people",
        "quote",
    ),
    ("offer", "It was $99, and now it is $79, this month only.", "Now $79", "price"),
    (
        "cta",
        "Order yours today at aurora.coffee, and taste the difference tomorrow.",
        "Order yours today",
        "card",
    ),
]
_RATE = 48_000


@dataclass(frozen=True)
class Ad:
    """A finished file, and what it was made from."""

    video: Path
    recording: Path
    plan: Json
    cues: list[Cue]
    report: Json

    def raw(self, *args: str) -> bytes:
        """Decoded by ffmpeg as a player that knows no edit list."""
        argv = [FakeContext(Path()).ffmpeg, "-loglevel", "error", *args, "-"]
        return subprocess.run(argv, capture_output=True, check=True).stdout

    def caption_changes(self) -> npt.NDArray[np.float64]:
        """By frame: how much the captions' part of the picture differs from the frame before."""
        x, y, w, h = (round(value) // 2 * 2 for value in self.plan["caption_zone"])
        crop = f"crop={w}:{h}:{x}:{y},format=gray"
        raw = self.raw(
            "-ignore_editlist", "1", "-i", str(self.video), "-an", "-vf", crop, "-f", "rawvideo"
        )
        frames = np.frombuffer(raw, np.uint8).reshape(-1, w * h).astype(np.int16)
        changes = np.abs(np.diff(frames, axis=0)).mean(axis=1)
        return np.concatenate([[0.0], changes])

    def sound(self, source: Path) -> npt.NDArray[np.float64]:
        """Mono, between 300 Hz and 3 kHz: where the voice is, and the music is not much."""
        band = f"highpass=f=300,lowpass=f=3000,aresample={_RATE}"
        extra = ["-ignore_editlist", "1"] if source.suffix == ".mp4" else []
        raw = self.raw(*extra, "-i", str(source), "-vn", "-af", band, "-ac", "1", "-f", "s16le")
        return np.frombuffer(raw, "<i2").astype(float)


@pytest.fixture(scope="module")
def ad(tmp_path_factory: pytest.TempPathFactory) -> Ad:
    folder = tmp_path_factory.mktemp("minute")
    ctx = FakeContext(folder / "voice")
    ctx.workdir.mkdir()
    job = samples.job(style="minimal", duration_s=60)
    script = samples.script(_SCENES)
    voice = PiperVoiceProvider().speak(job, script, ctx)  # type: ignore[arg-type]  # its shape
    earlier = {
        "script_gen": StageOutput(script),
        "voice_gen": StageOutput({**voice.data}, {"voice.wav": voice.wav}),
    }
    out = film(folder, job, earlier, scale=0.2)
    cues = group_words(voice.data["scenes"])
    plan = earlier["video_gen"].data
    return Ad(out.files["video.mp4"], voice.wav, plan, cues, out.data["report"])


def test_it_lasts_about_a_minute_and_says_that_its_captions_fit(ad: Ad) -> None:
    assert 55 <= ad.report["measured"]["video_s"] <= 65
    assert len(ad.cues) > 40
    assert all(ad.report["captions"][place] <= 20 for place in ("burnt_in", "srt", "vtt"))


def test_captions_appear_with_their_words_first_and_last(ad: Ad) -> None:
    changes, fps = ad.caption_changes(), ad.plan["fps"]
    first, last = ad.cues[0], ad.cues[-1]
    still = changes[: round(first.start_s * fps) - 2].max()

    appears = int(np.argmax(changes > still + 2))
    assert abs(appears / fps - first.start_s) <= 0.06

    for at_s in (last.start_s, last.words[-1].start_s):  # the cue, and the mark on its last word
        near = round(at_s * fps)
        window = changes[near - 5 : near + 6]
        assert window.max() > still + 1
        assert abs((near - 5 + int(np.argmax(window))) / fps - at_s) <= 0.06


@pytest.mark.parametrize("which", [0, -1])
def test_the_voice_is_heard_when_it_was_spoken(ad: Ad, which: int) -> None:
    word = ad.cues[which].words[which]
    heard, spoken = ad.sound(ad.video), ad.sound(ad.recording)
    start = round((word.start_s - 0.05) * _RATE)
    piece = spoken[start : start + round(0.6 * _RATE)]
    reach = round(0.1 * _RATE)
    around = heard[max(0, start - reach) : start + len(piece) + reach]

    likeness = np.correlate(around, piece, "valid")
    offset = int(np.argmax(np.abs(likeness))) - min(reach, start)

    assert abs(offset) / _RATE < 0.02
