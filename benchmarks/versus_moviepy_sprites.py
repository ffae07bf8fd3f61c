"""Draws each outline once, as a PNG with alpha, with the same libass that draws the films."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image

from pipeline.media.ass import AssFile, Pose
from pipeline.media.colors import rgb
from pipeline.providers.ffmpeg_compositor import one_font
from pipeline.stage import Json

_MARGIN = 2
#: ASS drawings are in eighths of a pixel.
_SCALE = 8


def draw(ffmpeg: str, shapes: Iterable[tuple[str, str]], folder: Path) -> dict[str, Json]:
    """{shape + color: {file, left, top, width, height}}; left and top from the outline's origin."""
    wanted = sorted(set(shapes))
    boxes = [_bounds(shape) for shape, _ in wanted]
    width, height = (max(box[n] for box in boxes) + 2 * _MARGIN for n in (2, 3))
    width, height = width + width % 2, height + height % 2
    ass = AssFile(width, height, 30)
    for number, ((shape, color), (left, top, *_)) in enumerate(zip(wanted, boxes, strict=True)):
        ass.still(shape, color, 0, number, number + 1, Pose(_MARGIN - left, _MARGIN - top))
    ass.write(folder / "sprites.ass")
    env = {"PATH": "/usr/bin:/bin", "FONTCONFIG_FILE": str(one_font(folder))}
    source = f"color=c=black@0:s={width}x{height}:r=30,format=rgba"
    argv = [ffmpeg, "-loglevel", "error", "-f", "lavfi", "-i", source, "-vf"]
    argv += ["ass=f=sprites.ass:fontsdir=fonts:alpha=1,alphaextract", "-frames:v", str(len(wanted))]
    argv += ["-f", "rawvideo", "-pix_fmt", "gray", "-"]
    found: dict[str, Json] = {}
    with subprocess.Popen(argv, cwd=folder, env=env, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        for number, ((shape, color), box) in enumerate(zip(wanted, boxes, strict=True)):
            alpha = np.frombuffer(child.stdout.read(width * height), np.uint8)
            w, h = box[2] + 2 * _MARGIN, box[3] + 2 * _MARGIN
            picture = np.empty((h, w, 4), np.uint8)
            picture[..., :3] = rgb(color)
            picture[..., 3] = alpha.reshape(height, width)[:h, :w]
            file = folder / f"sprite-{number}.png"
            Image.fromarray(picture, "RGBA").save(file)
            left, top = box[0] - _MARGIN, box[1] - _MARGIN
            found[shape + color] = {
                "file": str(file), "left": left, "top": top, "width": w, "height": h,
            }  # fmt: skip
    return found


def _bounds(shape: str) -> tuple[int, int, int, int]:
    """(left, top, width, height) in whole px around a drawing's points."""
    numbers = [int(part) for part in shape.split() if part not in ("m", "l", "b")]
    xs, ys = numbers[::2], numbers[1::2]
    left, top = min(xs) // _SCALE, min(ys) // _SCALE
    return left, top, -(-max(xs) // _SCALE) - left, -(-max(ys) // _SCALE) - top
