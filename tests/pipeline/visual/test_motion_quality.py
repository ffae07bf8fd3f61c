"""What an eye would complain about, measured on the decoded video: shake, bands, still frames."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from jobs.payload import STYLES
from pipeline.media.ass import AssFile
from pipeline.media.backdrops import SOFT
from pipeline.media.children import child_env
from pipeline.media.filtergraph import build
from pipeline.media.yuv import write_yuv, write_yuva
from pipeline.providers.ffmpeg_compositor import FfmpegCompositor, one_font
from pipeline.providers.motion import MotionProvider
from pipeline.stage import Json, StageOutput
from pipeline.styles import load_style
from tests.pipeline.context import FakeContext
from tests.pipeline.visual import samples

SCALE = 0.33
ONE_HERO = [
    ("hook", "Wake up to this.", "Wake up", "hero"),
    ("product", "Meet the kettle of kettles.", "The kettle", "hero"),
    ("cta", "Order.", "Order", "card"),
]


def filmed(folder: Path, style: str) -> tuple[Json, NDArray[np.float32]]:
    """The plan of a small film, and its decoded luma frames."""
    picture = folder / "product.png"
    y, x = np.mgrid[0:600, 0:400]
    pixels = np.zeros((600, 400, 4), np.uint8)
    pixels[..., :3] = ((x // 25 + y // 25) % 2 * 150 + 50)[..., None]
    pixels[40:560, 40:360, 3] = 255
    Image.fromarray(pixels, "RGBA").save(picture)
    earlier = samples.earlier(folder, samples.script(ONE_HERO), word_s=0.3)
    for name in ("film", "join"):
        (folder / name).mkdir()
    job = samples.job(style=style, images=[str(picture)], captions=False)
    earlier["video_gen"] = MotionProvider(scale=SCALE).film(
        job, earlier["script_gen"].data, earlier["voice_gen"].data, {},  # type: ignore[arg-type]
        FakeContext(folder / "film"),
    )  # fmt: skip
    return earlier["video_gen"].data, joined(folder, earlier)


def joined(folder: Path, earlier: dict[str, StageOutput]) -> NDArray[np.float32]:
    ctx = FakeContext(folder / "join")
    compositor = FfmpegCompositor(mix=samples.mix_stub, report=samples.report_stub)
    out = compositor.compose(samples.job(captions=False), earlier, ctx)
    argv = [ctx.ffmpeg, "-loglevel", "error", "-i", str(out.files["video.mp4"])]
    # The luma as it is coded: a conversion to full range would itself make steps of two.
    argv += ["-vf", "extractplanes=y", "-f", "rawvideo", "-pix_fmt", "gray", "-"]
    raw = subprocess.run(argv, capture_output=True, check=True).stdout
    size = (-1, out.data["height"], out.data["width"])
    return np.frombuffer(raw, np.uint8).reshape(size).astype(np.float32)


def filtered(plan: Json, folder: Path) -> NDArray[np.float32]:
    """The luma of what the graph hands to the encoder."""
    ctx, graph = FakeContext(folder), build(plan, captions=False)
    argv = [ctx.ffmpeg, "-loglevel", "error", *graph.inputs, "-filter_complex", graph.text]
    argv += ["-map", "[video]", "-f", "rawvideo", "-pix_fmt", "yuv420p", "-"]
    env = child_env(FONTCONFIG_FILE=str(one_font(folder)))
    raw = subprocess.run(argv, capture_output=True, check=True, cwd=folder, env=env).stdout
    w, h = plan["width"], plan["height"]
    planes = np.frombuffer(raw, np.uint8).reshape(plan["frames"], -1)
    return planes[:, : w * h].reshape(-1, h, w).astype(np.float32)


Film = tuple[Json, NDArray[np.float32]]


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Film]:
    """A film of a style, made when it is first asked for."""
    return cache(lambda style: filmed(tmp_path_factory.mktemp(style), style))


def test_a_slow_zoom_moves_evenly(tmp_path: Path) -> None:
    """A hard white edge, found to a fraction of a pixel, neither stops nor jumps."""
    for name in ("film", "join"):
        (tmp_path / name).mkdir()
    w, h, frames, side, margin = 800, 640, 100, 600, 60
    folder = tmp_path / "film"
    write_yuv(np.zeros((h, w, 3), np.float32), folder / "back.yuv", dithered=False)
    sprite = np.zeros((side, side, 4), np.float32)
    sprite[margin:-margin, margin:-margin] = 255
    write_yuva(sprite, folder / "hero.yuva")
    AssFile(w, h, 30).write(folder / "none.ass")
    hero = {
        "file": "hero.yuva", "x": 100, "y": 20, "width": side, "height": side,
        "zoom": [0.9, 1.0], "sway": [0.0, 0.0], "enter": 2, "delay": 0, "rise": 0.0,
    }  # fmt: skip
    backdrop = {"file": "back.yuv", "width": w, "height": h}
    plan = {
        "kind": "layers", "width": w, "height": h, "fps": 30, "frames": frames,
        "style": "minimal", "transition": "none", "under": "none.ass", "titles": "none.ass",
        "scenes": [{"start_f": 0, "end_f": frames, "backdrop": backdrop, "hero": hero}],
    }  # fmt: skip
    earlier = samples.earlier(tmp_path, samples.script(ONE_HERO))
    files = {name: folder / name for name in ("back.yuv", "hero.yuva", "none.ass")}
    earlier["video_gen"] = StageOutput(plan, files)
    rate = (1.0 - 0.9) / frames * (side / 2 - margin)
    drawn, decoded = filtered(plan, folder), joined(tmp_path, earlier)
    for shown, jerk in ((drawn, 0.13), (decoded, 0.5)):
        part = shown[5:95]
        for lines in (part[:, h // 2, : w // 2], part[:, : h // 2, w // 2]):
            light = np.clip((lines - 16) / (235 - 16), 0, 1)
            edge = lines.shape[1] - light.sum(axis=1)
            steps = -np.diff(edge)
            assert steps.mean() == pytest.approx(rate, rel=0.05)
            # What moves by whole pixels stands for four frames and then jumps by one.
            assert np.abs(np.diff(steps)).max() < jerk
            straight = np.polyval(np.polyfit(np.arange(len(edge)), edge, 1), np.arange(len(edge)))
            assert np.abs(edge - straight).max() < 0.35


@pytest.mark.parametrize("style", STYLES)
def test_nothing_stands_still_while_the_hero_moves(
    films: Callable[[str], Film], style: str
) -> None:
    plan, frames = films(style)
    for scene in plan["scenes"]:
        if scene["hero"] is None:
            continue
        hero = scene["hero"]
        x, y = max(0, hero["x"]), max(0, hero["y"])
        # Not where a transition covers the cut.
        part = frames[scene["start_f"] + 12 : scene["end_f"] - 12]
        part = part[:, y : y + hero["height"], x : x + hero["width"]]
        moved = np.abs(np.diff(part, axis=0)).mean(axis=(1, 2))
        assert moved.min() > 0.01, (scene["role"], int(moved.argmin()), float(moved.min()))


@pytest.mark.parametrize("style", [s for s in STYLES if load_style(s).backdrop in SOFT])
def test_gradients_show_no_bands(films: Callable[[str], Film], style: str) -> None:
    """Where the backdrop is a gradient, levels change by one, or inside a dithered grain."""
    _, frames = films(style)
    height, width = frames.shape[1:]
    top, low, side = round(height * 0.84), round(height * 0.95), round(width * 0.1)
    ground = frames[-12, top:low, side:-side]
    assert np.ptp(ground) >= 2  # it is a gradient
    rows = [np.split(row, np.flatnonzero(np.diff(row)) + 1) for row in ground]
    # Undithered, a level runs on for five times as far.
    assert np.mean([len(run) for runs in rows for run in runs]) < 6
    for runs in rows:
        for left, right in pairwise(runs):
            if min(len(left), len(right)) >= 16:
                assert abs(left[0] - right[0]) <= 1
