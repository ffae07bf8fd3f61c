"""One ad made here and by a MoviePy program, in turns: times, peak memory, ratios.

    .venv/bin/python -m benchmarks.versus_moviepy [--runs N] [--style minimal] [--keep FOLDER]

Both films are 1080x1920 at 30 and show the same: backdrop, product growing in, moving decoration,
titles that come in line by line, transitions, captions on plates with the spoken word lit. Both are
made from the same outlines and easing; see versus_moviepy_parts.py.

What is counted for both: writing the script, speaking it, drawing the stills, mixing the sound.
What MoviePy is given free: each title, shape, plate and word as a finished picture, and where it
stands in each frame. What only ours does, and is counted: captions as SRT and VTT, a poster, and
measuring the finished file (loudness, black, frozen and silent spans, the container). MoviePy
places pictures on whole pixels, ours between them.

MoviePy runs twice: with our encoder's settings, and with its own (preset medium, CRF 23). Its
environment is made in var/moviepy by the first call. --keep keeps all videos, to be looked at.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from benchmarks.processes import MemoryWatch
from benchmarks.versus_moviepy_parts import write_parts
from config import ROOT, VAR, load_settings
from jobs.payload import VideoJob, parse_job
from pipeline.assembly import tools_of
from pipeline.calls import CallsInMemory
from pipeline.context import RunContext
from pipeline.media.captions import group_words
from pipeline.media.encoder import video_args
from pipeline.providers.ffmpeg_compositor import FfmpegCompositor
from pipeline.providers.motion import MotionProvider
from pipeline.providers.piper_voice import PiperVoiceProvider
from pipeline.providers.script_ports import Script, VoiceData
from pipeline.providers.template_script import TemplateScript
from pipeline.stage import StageInputs, StageOutput
from pipeline.stages.compositing import Compositing
from pipeline.stages.script_gen import ScriptGen
from pipeline.stages.video_gen import VideoGen
from pipeline.stages.voice_gen import VoiceGen
from pipeline.standalone import NoInterrupts, PublishedProgress

_PACKAGES = ("moviepy==2.2.1", "imageio-ffmpeg==0.8.1")
#: The films of the MoviePy program.
_SAME, _OWN = "moviepy-our-encoder", "moviepy-defaults"
_PROGRAM = Path(__file__).with_name("versus_moviepy_ad.py")
_PRODUCT = {
    "product_name": "Ember Travel Mug",
    "cta_text": "Get yours",
    "description": "A double-walled steel mug that keeps coffee hot for six hours.",
    "benefits": ["Hot for six hours", "Never leaks in your bag", "Fits every cup holder"],
    "price": "$29",
    "images": [str(ROOT / "examples" / "products" / "ember-mug.png")],
}


@dataclass
class Figures:
    """Seconds by what was done, of time and of CPU, and the peak memory of the child processes."""

    seconds: dict[str, list[float]] = field(default_factory=dict)
    cpu_s: dict[str, list[float]] = field(default_factory=dict)
    memory_mb: dict[str, float] = field(default_factory=dict)

    def timed(self, name: str, work: Callable[[], StageOutput | None]) -> StageOutput:
        began, used = time.monotonic(), _children_cpu_s()
        with MemoryWatch(os.getpid()) as memory:
            output = work()
        self.seconds.setdefault(name, []).append(time.monotonic() - began)
        self.cpu_s.setdefault(name, []).append(_children_cpu_s() - used)
        self.memory_mb[name] = max(self.memory_mb.get(name, 0.0), memory.children_together_mb)
        return output or StageOutput({})

    def median(self, *names: str) -> float:
        return sum(statistics.median(self.seconds[name]) for name in names)


class Bench:
    """One job, its stages' folders, and the figures so far."""

    def __init__(self, home: Path, job: VideoJob) -> None:
        self.home, self.job = home, job
        self.tools = tools_of(load_settings())
        self.figures = Figures()
        self.earlier: dict[str, StageOutput] = {}
        self._folders = 0

    @property
    def spoken(self) -> VoiceData:
        return cast(VoiceData, self.earlier["voice_gen"].data)

    def context(self, stage: str) -> RunContext:
        self._folders += 1
        folder = self.home / f"{stage}-{self._folders}"
        folder.mkdir()
        return RunContext(
            job_id=self.job.id,
            stage=stage,
            workdir=folder,
            seed=self.job.seed,
            tools=self.tools,
            progress=PublishedProgress(self.job.id, None),
            interrupts=NoInterrupts(),
            calls=CallsInMemory(),
        )

    def ours(self) -> Path:
        """All four stages; returns the folder of the last."""
        self.earlier = {}
        inputs = StageInputs(self.job, self.earlier)
        compositing = Compositing(FfmpegCompositor())
        stages = (
            ScriptGen(TemplateScript()),
            VoiceGen(PiperVoiceProvider()),
            VideoGen(MotionProvider()),
        )
        for stage in stages:
            context = self.context(stage.name)

            def run(stage=stage, context=context) -> StageOutput:  # type: ignore[no-untyped-def]
                output: StageOutput = stage.run(context, inputs)
                return output

            self.earlier[stage.name] = self.figures.timed(stage.name, run)
        context = self.context("compositing")
        self.figures.timed("compositing", lambda: compositing.run(context, inputs))
        return context.workdir

    def moviepy(self, python: Path, ad: Path, name: str, *options: str) -> None:
        def run() -> None:
            command = [str(python), str(_PROGRAM), str(ad), str(self.home / f"{name}.mp4")]
            subprocess.run([*command, *options], check=True, cwd=self.home)

        self.figures.timed(name, run)

    def encode_again(self, video: Path) -> None:
        command = [self.tools.ffmpeg, "-y", "-loglevel", "error", "-i", str(video)]
        command += [*video_args(30), "-c:a", "copy", str(self.home / "again.mp4")]

        def run() -> None:
            subprocess.run(command, check=True)

        self.figures.timed("re-encode", run)

    def mix(self, made: Path) -> None:
        """The soundtrack by itself, which the compositor makes and MoviePy is given."""
        compositor, context = FfmpegCompositor(), self.context("mix")
        voice, spoken = self.earlier["voice_gen"], self.spoken
        (context.workdir / "voice.wav").hardlink_to(voice.files["voice.wav"])
        plan = self.earlier["video_gen"].data

        def run() -> None:
            compositor.mixed(self.job, spoken, context, plan["frames"] / plan["fps"])

        self.figures.timed("mix", run)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--style", default="minimal")
    parser.add_argument("--keep", type=Path, help="a folder for both videos")
    wanted = parser.parse_args()
    python = _environment()
    job = parse_job({**_PRODUCT, "id": "versus", "style": wanted.style})
    with tempfile.TemporaryDirectory() as name:
        bench = Bench(Path(name), job)
        made = bench.ours()
        bench.figures = Figures()  # the first time warms caches, for both
        parts = Path(name) / "parts"
        parts.mkdir()
        plan = bench.earlier["video_gen"].data
        script, voice = cast(Script, bench.earlier["script_gen"].data), bench.spoken
        cues = group_words(voice["scenes"])
        ad = write_parts(bench.tools.ffmpeg, job, script, voice, plan, cues, made, parts)
        for number in range(wanted.runs):
            for ours in (True, False) if number % 2 == 0 else (False, True):
                if ours:
                    bench.ours()
                else:
                    bench.moviepy(python, ad, _SAME)
                    bench.moviepy(python, ad, _OWN, "--defaults")
            bench.mix(made)
            bench.encode_again(made / "video.mp4")
        _print(bench.figures)
        if wanted.keep:
            wanted.keep.mkdir(parents=True, exist_ok=True)
            (made / "video.mp4").rename(wanted.keep / "ours.mp4")
            for film in (_SAME, _OWN):
                (Path(name) / f"{film}.mp4").rename(wanted.keep / f"{film}.mp4")


def _children_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _environment() -> Path:
    python = VAR / "moviepy" / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(VAR / "moviepy")], check=True)
    subprocess.run([python, "-m", "pip", "install", "--quiet", *_PACKAGES], check=True)
    return python


def _print(figures: Figures) -> None:
    for name, values in figures.seconds.items():
        shown = ", ".join(f"{value:.1f}" for value in values)
        cpu = statistics.median(figures.cpu_s[name])
        print(f"{name:24}{statistics.median(values):8.1f} s {cpu:8.1f} s of CPU   ({shown})")
    words = figures.median("script_gen", "voice_gen")
    making = figures.median("video_gen", "compositing")
    ours_mb = max(figures.memory_mb[name] for name in ("voice_gen", "video_gen", "compositing"))
    print(f"{'peak memory, ours':24}{ours_mb:8.0f} MB")
    for film, label in ((_SAME, "our encoder settings"), (_OWN, "MoviePy's defaults")):
        theirs = figures.median("video_gen", "mix", film)
        print(f"\nMoviePy with {label}, peak memory {figures.memory_mb[film]:.0f} MB")
        for what, ours, other in (
            ("video_gen + compositing", making, theirs),
            ("end to end", words + making, words + theirs),
        ):
            print(f"  {what:24}{ours:8.1f} s; MoviePy {other:.1f} s: {other / ours:.1f} x")
    again = figures.median("re-encode")
    print(f"\n(video_gen + compositing) / re-encode: {making / again:.2f}")


if __name__ == "__main__":
    main()
