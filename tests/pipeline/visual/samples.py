"""A script and a voice for tests, with even word times, and a tone in place of the speech."""

from __future__ import annotations

import math
import struct
import wave
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from jobs.payload import VideoJob, parse_job
from pipeline.stage import Json, StageContext, StageOutput

SCENES = [
    ("hook", "Your morning deserves better than bad coffee.", "Mornings deserve better", "hero"),
    ("product", "Meet the Aurora Pour-Over Kettle.", "Meet the Aurora", "hero"),
    ("benefit", "It holds your water at the degree you choose.", "Exact to the degree", "badge"),
    ("benefit", "Quick boil, quiet, and safe to leave alone.", "Made for every day", "list"),
    ("proof", "Rated four point eight by coffee people.", "Loved by 2,000 coffee people", "quote"),
    ("cta", "Order yours today.", "Order yours today", "card"),
]  # fmt: skip


def job(**fields: Any) -> VideoJob:
    base = {
        "id": "sample-1",
        "product_name": "Aurora Pour-Over Kettle",
        "cta_text": "Shop the kettle",
        "benefits": ["Boils in 90 seconds", "Whisper-quiet", "Turns itself off"],
        "price": "$79",
        "old_price": "$99",
        "rating": 4.8,
        "cta_url": "aurora.coffee",
    }
    return parse_job({**base, **fields})


def script(scenes: list[tuple[str, str, str, str]] | None = None, language: str = "en") -> Json:
    return {
        "language": language,
        "scenes": [
            {"role": role, "spoken": spoken, "on_screen": shown, "visual": visual}
            for role, spoken, shown, visual in scenes or SCENES
        ],
    }


def voice(script_data: Json, word_s: float = 0.3, pause_s: float = 0.25) -> Json:
    at = 0.15
    scenes = []
    for scene in script_data["scenes"]:
        words = []
        start = at
        for text in scene["spoken"].split():
            words.append(
                {"text": text, "start_s": round(at, 3), "end_s": round(at + word_s - 0.03, 3)}
            )
            at += word_s
        scenes.append({"start_s": start, "end_s": at, "words": words})
        at += pause_s
    return {"duration_s": round(at, 3), "sample_rate": 22050, "scenes": scenes}


def tone(path: Path, seconds: float, rate: int = 22050, channels: int = 1) -> Path:
    """A quiet tone as 16-bit PCM."""
    with wave.open(str(path), "wb") as out:
        out.setnchannels(channels)
        out.setsampwidth(2)
        out.setframerate(rate)
        period = rate // 220
        cycle = [int(3000 * math.sin(2 * math.pi * i / period)) for i in range(period)]
        frames = [
            value for i in range(round(seconds * rate)) for value in [cycle[i % period]] * channels
        ]
        out.writeframes(struct.pack(f"<{len(frames)}h", *frames))
    return path


def earlier(
    folder: Path, script_data: Json | None = None, **times: float
) -> dict[str, StageOutput]:
    script_data = script_data or script()
    voice_data = voice(script_data, **times)
    wav = tone(folder / "voice.wav", voice_data["duration_s"])
    return {
        "script_gen": StageOutput(script_data),
        "voice_gen": StageOutput(voice_data, {"voice.wav": wav}),
    }


def mix_stub(ctx: StageContext, *, duration_s: float, **_: Any) -> SimpleNamespace:
    return SimpleNamespace(path=tone(ctx.workdir / "mixed.wav", duration_s, 48000, 2))


def report_stub(ctx: StageContext, video: Path, out: Path, **details: Any) -> Json:
    out.write_text("{}")
    return {"extra": details["extra"]}
