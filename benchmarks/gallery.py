"""Contact sheets: every style in every frame, from the sample products, captions and all.

    .venv/bin/python -m benchmarks.gallery [--styles luxury tech] [--frames 9:16 1:1]
        [--products mug lamp] [--scale 0.33] [--voice piper] [--out out/gallery] [--short]

One JPEG a style: a row for each frame, a column for each moment; and with several styles one
of all of them in the first frame. The pictures are cut from
finished videos; only the sound is left out. `--short` makes one small sheet, for a quick check.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import wave
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from PIL import Image, ImageDraw, ImageFont

from config import ROOT, load_settings
from jobs.payload import FRAMES, STYLES, VideoJob, parse_job
from pipeline.assembly import tools_of
from pipeline.calls import CallsInMemory
from pipeline.context import RunContext
from pipeline.media.fonts import font_file
from pipeline.providers.ffmpeg_compositor import FfmpegCompositor
from pipeline.providers.motion import MotionProvider
from pipeline.providers.piper_voice import PiperVoiceProvider
from pipeline.providers.script_ports import Script, SpokenScene, Voice, Word
from pipeline.providers.template_script import TemplateScript
from pipeline.stage import Json, StageContext, StageOutput
from pipeline.standalone import NoInterrupts, PublishedProgress

PRODUCTS = ROOT / "examples" / "products"
#: A scene's picture is taken so many frames before its end: everything has come in, and no
#: transition covers it yet.
_BEFORE_END_F = 14
_WORD_S, _PAUSE_S = 0.34, 0.35
_GAP, _HEAD, _ROW_H = 14, 46, 460
_GROUND, _INK = "#20222a", "#e9ebf2"


def main(argv: Sequence[str] | None = None) -> None:
    """Make the sheets and print their paths."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--styles", nargs="+", choices=STYLES, default=list(STYLES))
    parser.add_argument("--frames", nargs="+", choices=FRAMES, default=list(FRAMES))
    parser.add_argument("--products", nargs="+", default=None)
    parser.add_argument("--scale", type=float, default=0.33)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--voice", choices=("even", "piper"), default="even")
    parser.add_argument("--out", type=Path, default=ROOT / "out" / "gallery")
    parser.add_argument("--short", action="store_true")
    wanted = parser.parse_args(argv)
    if wanted.short:
        wanted.styles, wanted.frames, wanted.scale = wanted.styles[:1], wanted.frames[:1], 0.2
    products = wanted.products or sorted(path.stem for path in PRODUCTS.glob("*.json"))
    wanted.out.mkdir(parents=True, exist_ok=True)
    overview = []
    for number, style in enumerate(wanted.styles):
        rows = []
        for row, frame in enumerate(wanted.frames):
            product = products[(number + row) % len(products)]
            job = sample_job(product, style=style, frames=[frame], seed=wanted.seed)
            with tempfile.TemporaryDirectory() as folder:
                moments = list(_moments(job, Path(folder), wanted.scale, wanted.voice))
            rows.append((f"{frame}  {product}", moments))
        overview.append((f"{style}  {rows[0][0]}", rows[0][1]))
        _save(sheet([(f"{style}  {label}", row) for label, row in rows]), wanted.out, style)
    if len(overview) > 1:
        _save(sheet(overview), wanted.out, "styles")


def _save(picture: Image.Image, folder: Path, name: str) -> None:
    path = folder / f"{name}.jpg"
    picture.save(path, quality=86, optimize=True)
    sys.stdout.write(f"{path}\n")


def sample_job(product: str, **fields: Any) -> VideoJob:
    """A sample product as a job; its pictures are found beside its file."""
    payload = json.loads((PRODUCTS / f"{product}.json").read_text(encoding="utf-8"))
    for name in ("images", "logo"):
        if name in payload:
            paths = payload[name]
            payload[name] = (
                [str(PRODUCTS / path) for path in paths]
                if isinstance(paths, list)
                else str(PRODUCTS / paths)
            )
    return parse_job({**payload, "id": f"gallery-{product}", **fields})


def sheet(rows: Sequence[tuple[str, Sequence[Image.Image]]]) -> Image.Image:
    """Lay rows of pictures out, each row as tall as the others."""
    scaled = [
        (label, [_to_height(picture, _ROW_H) for picture in pictures]) for label, pictures in rows
    ]
    width = max(sum(picture.width + _GAP for picture in pictures) for _, pictures in scaled) + _GAP
    height = len(scaled) * (_ROW_H + _HEAD) + _GAP
    whole = Image.new("RGB", (width, height), _GROUND)
    pen = ImageDraw.Draw(whole)
    font = ImageFont.truetype(str(font_file("Inter")), 22)
    y = 0
    for label, pictures in scaled:
        pen.text((_GAP, y + 12), label, font=font, fill=_INK)
        x, y = _GAP, y + _HEAD
        for picture in pictures:
            whole.paste(picture, (x, y))
            x += picture.width + _GAP
        y += _ROW_H
    return whole


def _to_height(picture: Image.Image, height: int) -> Image.Image:
    size = (round(picture.width * height / picture.height), height)
    return picture.resize(size, Image.Resampling.LANCZOS)


def _moments(job: VideoJob, folder: Path, scale: float, voice: str) -> Iterator[Image.Image]:
    """Film the job; yield one picture a scene."""
    earlier: dict[str, StageOutput] = {}
    script = TemplateScript().write(job, _context(folder, "script_gen", job))
    earlier["script_gen"] = StageOutput(cast(Json, script))
    speaker: Any = PiperVoiceProvider() if voice == "piper" else _EvenVoice()
    spoken: Voice = speaker.speak(job, script, _context(folder, "voice_gen", job))
    earlier["voice_gen"] = StageOutput(cast(Json, spoken.data), {"voice.wav": spoken.wav})
    drawn = MotionProvider(scale=scale).film(
        job, script, spoken.data, {}, _context(folder, "video_gen", job)
    )
    earlier["video_gen"] = drawn
    context = _context(folder, "compositing", job)
    made = FfmpegCompositor(mix=_no_mix, report=_no_report).compose(job, earlier, context)
    for n, scene in enumerate(drawn.data["scenes"]):
        length = scene["end_f"] - scene["start_f"]
        at = scene["end_f"] - min(_BEFORE_END_F, round(length * 0.3))
        yield _picture(context.ffmpeg, made.files["video.mp4"], at / 30, folder / f"{n}.png")


def _picture(ffmpeg: str, video: Path, at_s: float, out: Path) -> Image.Image:
    argv = [ffmpeg, "-loglevel", "error", "-ss", f"{at_s:.3f}", "-i", str(video)]
    subprocess.run([*argv, "-frames:v", "1", "-update", "1", "-y", str(out)], check=True)
    with Image.open(out) as picture:
        return picture.convert("RGB")


class _EvenVoice:
    """Silence, with every word as long as the next."""

    def speak(self, job: VideoJob, script: Script, ctx: StageContext) -> Voice:
        at_s, scenes = 0.2, []
        for scene in script["scenes"]:
            words: list[Word] = []
            start_s = at_s
            for text in scene["spoken"].split():
                end_s = round(at_s + _WORD_S, 3)
                words.append({"text": text, "start_s": round(at_s, 3), "end_s": end_s})
                at_s = end_s
            scenes.append(SpokenScene(start_s=start_s, end_s=at_s, words=words))
            at_s += _PAUSE_S
        path = ctx.workdir / "voice.wav"
        _silence(path, at_s, 22_050)
        return Voice(path, {"duration_s": at_s, "sample_rate": 22_050, "scenes": scenes})


def _no_mix(ctx: StageContext, *, duration_s: float, **_: Any) -> SimpleNamespace:
    path = ctx.workdir / "mixed.wav"
    _silence(path, duration_s, 48_000)
    return SimpleNamespace(path=path)


def _no_report(ctx: StageContext, video: Path, out: Path, **_: Any) -> Json:
    out.write_text("{}")
    return {}


def _silence(path: Path, seconds: float, rate: int) -> None:
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(bytes(2 * round(seconds * rate)))


def _context(folder: Path, stage: str, job: VideoJob) -> RunContext:
    work = folder / stage
    work.mkdir(exist_ok=True)
    return RunContext(
        job_id=job.id, stage=stage, workdir=work, seed=job.seed, tools=tools_of(load_settings()),
        progress=PublishedProgress(job.id, None), interrupts=NoInterrupts(),
        calls=CallsInMemory(),
    )  # fmt: skip


if __name__ == "__main__":
    main()
