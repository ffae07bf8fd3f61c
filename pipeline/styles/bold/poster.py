"""Posters: lines each as wide as their room, one under another, knocked in one by one.

Rows are set as capitals, an even gap from one's baseline to the next one's tops. Whatever
reaches further (accents, Arabic, brackets) is measured too: it pushes its neighbours away and
counts towards the height.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

from pipeline.media import easing
from pipeline.media.colors import readable
from pipeline.media.elements import Drift, Move
from pipeline.media.fonts import faces
from pipeline.media.paths import Box, Path
from pipeline.media.text import TextStyle, shape_line
from pipeline.styles.parts import centred_block
from pipeline.styles.scene import Scene

_SLAM = easing.ease_out_expo
#: Between a baseline and the next row's capitals, as a share of the upper row's capitals.
_GAP = 0.274
#: Between the ink of two rows at least, as a share of the smaller row's capitals.
_LEAST_GAP = 0.10
#: Round letters overshoot flat ones by less than this share of the em; it is not counted.
_OVERSHOOT = 0.02
#: Rows of type at most, and the size in design units below which it is no poster any more.
_ROWS, _SMALLEST = 5, 74.0


@dataclass(frozen=True)
class Row:
    """One line: its outline with the origin at its left, on the baseline.

    `cap` is the height of its capitals; its ink reaches `rise` above the baseline, at least
    that far, and `drop` below it.
    """

    path: Path
    width: float
    cap: float
    rise: float
    drop: float


def poster(
    scene: Scene, text: str, box: Box, color: str, *, largest: float = 400, on: str | None = None
) -> Box:
    """Draw `text` in the middle of `box`; returns what it covers, which `box` holds."""
    style = replace(scene.style.display, language=scene.facts.language)
    rows = stack(text, style, box, largest * scene.u, _SMALLEST * scene.u)
    if rows is None:
        block = scene.fit(text, style, box, min(largest, 160), 34)
        y = centred_block(block, box)
        return scene.text(block, box.x, y, color, kind="slam", reach=1.4, on=on)
    ink = readable(color, on or scene.palette.paper, 3.0)
    base = box.cy - height_of(rows) / 2 + rows[0].rise
    covered: Box | None = None
    for i, row in enumerate(rows):
        if i:
            base += _step(rows[i - 1], row)
        enter = Move("slam", scene.style.pace.enter, 1 + i * scene.style.pace.stagger, 1.55, _SLAM)
        half = row.cap / 2
        path = row.path.moved(-row.width / 2, half)
        drift = Drift(dx=(3 if i % 2 else -3) * scene.u)
        scene.shape(path, box.cx, base - half, ink, layer=6, enter=enter, drift=drift)
        line = path.bounds().moved(box.cx, base - half)
        scene.texts.append(line)
        covered = covered.union(line) if covered else line
    assert covered is not None
    return covered


def stack(
    text: str, style: TextStyle, box: Box, largest: float, smallest: float
) -> list[Row] | None:
    """Lines each set to the box's full width; None where that cannot be read.

    Keeps the split into lines that fills the box best. Sizes are of the em, in px.
    """
    words = text.split()
    best: tuple[float, list[Row]] | None = None
    for count in range(1, min(_ROWS, len(words)) + 1):
        lines = [_row(line, style) for line in _even(words, count, style)]
        sizes = [min(largest, box.w / max(line.width, 0.01)) for line in lines]
        need = height_of([_scaled(*pair) for pair in zip(lines, sizes, strict=True)])
        shrink = min(1.0, box.h / need)
        sizes = [size * shrink for size in sizes]
        if min(sizes) < smallest:
            continue
        ink = sum(size * size * line.width for size, line in zip(sizes, lines, strict=True))
        # A word alone in one giant line shouts down the others: near sizes score higher.
        score = ink * (min(sizes) / max(sizes)) ** 0.5
        if best is None or score > best[0]:
            best = (score, [_scaled(*pair) for pair in zip(lines, sizes, strict=True)])
    return best[1] if best else None


def height_of(rows: list[Row]) -> float:
    """From the top of the first row's ink, or of its capitals, to the foot of the last one's."""
    steps = sum(_step(upper, lower) for upper, lower in pairwise(rows))
    return rows[0].rise + steps + rows[-1].drop


def _step(upper: Row, lower: Row) -> float:
    """From one baseline to the next: as capitals stand, or further where ink would meet."""
    least = upper.drop + min(upper.cap, lower.cap) * _LEAST_GAP + lower.rise
    return max(upper.cap * _GAP + lower.cap, least)


def _row(text: str, style: TextStyle) -> Row:
    """A line at one pixel per em."""
    line = shape_line(text, style, 1.0)
    cap = faces(style.font, style.language)[0].face.cap_height
    ink = line.path.bounds()
    rise = -ink.y if -ink.y > cap + _OVERSHOOT else cap
    drop = ink.bottom if ink.bottom > _OVERSHOOT else 0.0
    return Row(line.path, line.width, cap, rise, drop)


def _scaled(row: Row, size: float) -> Row:
    return Row(
        row.path.scaled(size), row.width * size, row.cap * size, row.rise * size, row.drop * size
    )


def _even(words: list[str], count: int, style: TextStyle) -> list[str]:
    """Split into `count` lines whose longest is as short as can be."""
    widths = [shape_line(word, style, 1.0).width + 0.22 for word in words]
    best: tuple[float, list[str]] = (float("inf"), [])

    def walk(start: int, left: int, lines: list[str], longest: float) -> None:
        nonlocal best
        if longest >= best[0]:
            return
        if left == 1:
            total = max(longest, sum(widths[start:]))
            if total < best[0]:
                best = (total, [*lines, " ".join(words[start:])])
            return
        for end in range(start + 1, len(words) - left + 2):
            line = " ".join(words[start:end])
            walk(end, left - 1, [*lines, line], max(longest, sum(widths[start:end])))

    walk(0, count, [], 0.0)
    return best[1]
