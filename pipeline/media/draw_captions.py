"""The captions' drawing child: cues on stdin as JSON, `captions.ass` into the working folder.

Words are outlines like all other text. The spoken word is marked from its own start to the
next word's; a cue that is too wide takes a second row, then shrinks.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

from pipeline.media.ass import AssFile, Pose, drawing
from pipeline.media.colors import contrast, mix, readable
from pipeline.media.paths import Box
from pipeline.media.paths import Path as Outline
from pipeline.media.shapes import rounded
from pipeline.media.text import TextStyle, is_rtl, shape_line
from pipeline.stage import Json
from pipeline.styles import load_style
from pipeline.styles.base import Palette

_LAYER = 30
#: Size of caption type in design units, and the gap between words in em.
_SIZE = 62
_SPACE = 0.27


@dataclass(frozen=True)
class Placed:
    """A word where it stands: its outline about its own middle."""

    outline: Outline
    cx: float
    cy: float
    width: float


def main() -> None:
    order = json.load(sys.stdin)
    ass = AssFile(order["width"], order["height"], order["fps"])
    for cue in order["cues"]:
        draw_cue(ass, order, cue)
    ass.write(Path.cwd() / "captions.ass")


def place(
    words: list[str], style: TextStyle, zone: Box, unit: float, space: float = _SPACE
) -> tuple[list[Placed], float]:
    """Where each word of a cue stands inside `zone`, and the height of a row."""
    size = _SIZE * unit
    while True:
        rows = _rows(words, style, size, zone.w, space)
        pitch = size * 1.22
        if (len(rows) <= 2 and pitch * len(rows) <= zone.h * 1.02) or size < 6 * unit:
            break
        size *= 0.93
    rtl = is_rtl(" ".join(words))
    placed: list[Placed] = []
    top = zone.cy - pitch * len(rows) / 2
    cap = size * 0.36
    for number, row in enumerate(rows):
        widths = [shape_line(word, style, size).width for word in row]
        total = sum(widths) + space * size * (len(row) - 1)
        x = zone.cx + (total / 2 if rtl else -total / 2)
        cy = top + (number + 0.5) * pitch
        for word, width in zip(row, widths, strict=True):
            left = x - width if rtl else x
            outline = shape_line(word, style, size).path.moved(-width / 2, cap)
            placed.append(Placed(outline, left + width / 2, cy, width))
            x += (-1 if rtl else 1) * (width + space * size)
    return placed, pitch


def _rows(
    words: list[str], style: TextStyle, size: float, room: float, space: float
) -> list[list[str]]:
    rows: list[list[str]] = [[]]
    used = 0.0
    for word in words:
        width = shape_line(word, style, size).width
        extra = width + (space * size if rows[-1] else 0)
        if rows[-1] and used + extra > room:
            rows.append([])
            extra, used = width, 0.0
        rows[-1].append(word)
        used += extra
    # One word wider than the room counts as too many rows: the caller shrinks.
    widest = max(shape_line(word, style, size).width for word in words)
    return rows if widest <= room else [[word] for word in words] + [[], []]


@dataclass(frozen=True)
class Look:
    """How a style's captions are drawn.

    `row` is the plate behind a row ("ink", "light", "panel" or none), `lit` how the spoken word
    is marked: "color", "plate" (on the accent) or "bar" (underlined); with `ahead` below 1,
    words that are still to come are that much fainter.
    """

    row: str = ""
    lit: str = "color"
    ahead: float = 1.0
    pad: float = 30.0
    radius: float = 22.0
    #: Between words, in em.
    space: float = _SPACE


LOOKS = {
    "ink": Look(row="ink"),
    "plate": Look(lit="plate", pad=16.0, radius=14.0, space=0.40),
    "whisper": Look(ahead=0.42, pad=16.0),
    "bubble": Look(row="light", lit="plate", radius=60.0, space=0.36),
    "terminal": Look(row="panel", lit="bar", radius=0.0),
}


def draw_cue(ass: AssFile, order: Json, cue: Json) -> None:
    """Draw one cue of an order: its rows' plates, its words, and the mark on the spoken one."""
    style = load_style(order["style"])
    look = LOOKS[style.caption_look]
    text = replace(style.caption, language=order["language"])
    palette = Palette(**cue["colors"])
    unit = min(order["width"], order["height"]) / 1080
    zone = Box(*order["zone"]).inset(look.pad * unit, 0)
    words = [word["text"] for word in cue["words"]]
    placed, pitch = place(
        [word for word in words if word.strip()] or ["…"], text, zone, unit, look.space
    )
    fps = order["fps"]
    times = [_frame(word["start_s"], fps) for word in cue["words"] if word["text"].strip()]
    start, end = _frame(cue["start_s"], fps), _frame(cue["end_s"], fps)
    edges = [start, *times[1:], end]
    shapes = [drawing(word.outline) for word in placed]
    plate, plain, lit = _tones(look, palette)
    if look.row:
        _plate(ass, placed, pitch, unit, look, plate, start, end)
    for now, (a, b) in enumerate(pairwise(edges)):
        for index, (word, shape) in enumerate(zip(placed, shapes, strict=True)):
            faint = look.ahead if index > now else 1.0
            pose = Pose(word.cx, word.cy, opacity=faint)
            if index == now and look.lit == "plate":
                _pop(ass, word, pitch, unit, palette.accent, a, b, look.radius)
            elif index == now and look.lit == "bar":
                _bar(ass, word, pitch, unit, lit, a, b)
            ass.still(shape, lit if index == now else plain, _LAYER + 2, a, b, pose)


def _tones(look: Look, palette: Palette) -> tuple[str, str, str]:
    """(plate, words, the spoken word), each readable on what lies under it."""
    if look.row == "light":
        plate = "#ffffff"
        return plate, readable(palette.ink, plate), readable(palette.on_accent, palette.accent, 3)
    if look.row == "panel":
        plate = mix(palette.paper_low, "#000000", 0.35)
        return plate, readable(palette.ink, plate), readable(palette.accent, plate)
    if look.row == "ink":
        dark = contrast(palette.ink, "#000000") < 8
        plate = mix(palette.ink, "#000000", 0.25) if dark else "#000000"
        return plate, readable("#ffffff", plate), readable(palette.accent, plate, 4.5)
    plain = readable(palette.ink, palette.paper_low)
    if look.lit == "plate":
        return "", plain, readable(palette.on_accent, palette.accent)
    return "", plain, readable(palette.accent, palette.paper_low)


def _plate(
    ass: AssFile, placed: list[Placed], pitch: float, unit: float, look: Look, color: str,
    start: int, end: int,
) -> None:  # fmt: skip
    """A plate behind each row of a cue."""
    for cy in dict.fromkeys(word.cy for word in placed):
        row = [word for word in placed if word.cy == cy]
        left = min(word.cx - word.width / 2 for word in row) - 30 * unit
        right = max(word.cx + word.width / 2 for word in row) + 30 * unit
        pill = drawing(
            rounded(-(right - left) / 2, -pitch / 2, right - left, pitch, look.radius * unit)
        )
        ass.still(pill, color, _LAYER, start, end, Pose((left + right) / 2, cy, opacity=0.92))


def _bar(
    ass: AssFile, word: Placed, pitch: float, unit: float, color: str, start: int, end: int
) -> None:
    """A line under the spoken word."""
    shape = drawing(rounded(-word.width / 2, 0, word.width, 6 * unit, 0))
    ass.still(shape, color, _LAYER + 1, start, end, Pose(word.cx, word.cy + pitch * 0.36))


def _pop(
    ass: AssFile, word: Placed, pitch: float, unit: float, color: str, start: int, end: int,
    radius: float,
) -> None:  # fmt: skip
    """The accent plate under the spoken word, swelling over its first three frames."""
    w = word.width + (28 if radius < 20 else 20) * unit
    shape = drawing(rounded(-w / 2, -pitch / 2, w, pitch, min(radius, 26) * unit))
    for step, scale in enumerate((0.86, 1.05)):
        if start + step < end:
            pose = Pose(word.cx, word.cy, scale, scale)
            ass.still(shape, color, _LAYER + 1, start + step, start + step + 1, pose)
    ass.still(shape, color, _LAYER + 1, start + 2, end, Pose(word.cx, word.cy))


def _frame(seconds: float, fps: int) -> int:
    return round(seconds * fps)


if __name__ == "__main__":
    main()
