"""Text to outlines: bidirectional order, font fallback, shaping, wrapping and fitting."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import uharfbuzz as hb  # type: ignore[import-untyped]  # it ships no types
from bidi import algorithm as bidi  # type: ignore[import-untyped]  # it ships no types

from pipeline.media.fonts import FontSpec, LazyFace, clusters, face_for, faces
from pipeline.media.paths import Box, Path, Segment, joined

#: Scripts that are set without spaces: a line may break after any of their characters.
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
#: A line's ellipsis, when a text must be cut.
_ELLIPSIS = "…"


@dataclass(frozen=True)
class Line:
    """One shaped line: the outline starts at x = 0 on the baseline y = 0."""

    text: str
    path: Path
    width: float


@dataclass(frozen=True)
class TextBlock:
    """Lines fitted to a width. `size` is the em in px; `ink` is what the outlines cover.

    Line i's baseline is at `first_baseline + i * leading` below the block's top; x runs from
    the block's left edge, after alignment in `width`.
    """

    lines: tuple[Line, ...]
    size: float
    leading: float
    first_baseline: float
    height: float
    width: float
    offsets: tuple[float, ...]
    rtl: bool
    cut: bool

    def line_path(self, index: int) -> Path:
        y = self.first_baseline + index * self.leading
        return self.lines[index].path.moved(self.offsets[index], y)

    @property
    def ink(self) -> Box:
        return joined(self.line_path(i) for i in range(len(self.lines))).bounds()


@dataclass(frozen=True)
class TextStyle:
    """How a text is set. `tracking` in em, `leading` in em, `align` left, center or right."""

    font: FontSpec
    tracking: float = 0.0
    leading: float = 1.1
    upper: bool = False
    align: str = "left"
    language: str = "en"


def is_rtl(text: str) -> bool:
    """Base direction by the first strong character (Unicode's rules P2 and P3)."""
    return bool(bidi.get_base_level(text) % 2)


def shape_line(text: str, style: TextStyle, size: float) -> Line:
    """Shape one line at `size` px per em, in visual order."""
    unit = _shape(text.upper() if style.upper else text, style.font, style.language, style.tracking)
    return Line(text, unit.path.scaled(size), unit.width * size)


def fit(
    text: str, style: TextStyle, width: float, height: float, largest: float, smallest: float
) -> TextBlock:
    """Set `text` as large as fits `width` by `height`, between two sizes, wrapped evenly.

    Below `smallest` words are broken, then lines are cut with an ellipsis (`cut` says so):
    the block never exceeds its room.
    """
    size = largest
    while size > smallest:
        block = _set(text, style, width, size, break_words=False)
        if block is not None and block.height <= height:
            return block
        size = max(smallest, size * 0.94)
    block = _set(text, style, width, smallest, break_words=True)
    assert block is not None
    rows = max(1, int((height / smallest - _line_box(style)) / style.leading) + 1)
    if len(block.lines) <= rows:
        return block
    kept = [line.text for line in block.lines[:rows]]
    last = kept[-1]
    while last and shape_line(last + _ELLIPSIS, style, smallest).width > width:
        last = "".join(clusters(last)[:-1])
    kept[-1] = last.rstrip() + _ELLIPSIS
    return _block(kept, style, width, smallest, is_rtl(text), cut=True)


def _set(
    text: str, style: TextStyle, width: float, size: float, *, break_words: bool
) -> TextBlock | None:
    pieces = _pieces(text)
    lines = _wrap(pieces, style, width, size, break_words)
    if lines is None:
        return None
    # Even lines read better than a full first one and a lone last word: narrow the measure
    # for as long as the number of lines stays.
    if 1 < len(lines) <= 4 and not break_words:
        for share in (0.55, 0.62, 0.69, 0.76, 0.83, 0.9):
            tighter = _wrap(pieces, style, width * share, size, break_words)
            if tighter is not None and len(tighter) == len(lines):
                lines = tighter
                break
    return _block(lines, style, width, size, is_rtl(text), cut=False)


def _block(
    lines: list[str], style: TextStyle, width: float, size: float, rtl: bool, *, cut: bool
) -> TextBlock:
    shaped = tuple(shape_line(line, style, size) for line in lines)
    align = style.align if not rtl or style.align == "center" else _mirror(style.align)
    slack = {"left": 0.0, "center": 0.5, "right": 1.0}[align]
    cap = faces(style.font, style.language)[0].face.cap_height
    leading = style.leading * size
    inks = [line.path.bounds() for line in shaped]
    # Where lines are set tight, an inner one's marks may reach beyond the outer lines' own.
    top = max(cap, *(-ink.y / size - style.leading * row for row, ink in enumerate(inks)), 0.0)
    after = range(len(inks) - 1, -1, -1)
    low = max((ink.bottom - leading * row for row, ink in zip(after, inks, strict=True)), default=0)
    return TextBlock(
        lines=shaped,
        size=size,
        leading=leading,
        first_baseline=top * size,
        height=top * size + leading * (len(lines) - 1) + max(0.0, low),
        width=width,
        offsets=tuple((width - line.width) * slack for line in shaped),
        rtl=rtl,
        cut=cut,
    )


def _mirror(align: str) -> str:
    return {"left": "right", "right": "left"}[align]


def _line_box(style: TextStyle) -> float:
    # The tallest first line that `_block` may measure: marks above capitals, descenders below.
    return 1.35


def _pieces(text: str) -> list[str]:
    """Unbreakable pieces; a piece that starts with a space is joined by one."""
    out: list[str] = []
    for word in text.split():
        parts = clusters(word) if _UNSPACED.search(word) else [word]
        out.append((" " if out else "") + parts[0])
        out += parts[1:]
    return out


def _wrap(
    pieces: list[str], style: TextStyle, width: float, size: float, break_words: bool
) -> list[str] | None:
    """Greedy lines, or None when a piece alone is wider than the line."""
    lines: list[str] = []
    current = ""
    for piece in pieces:
        if current and _measure(current + piece, style) * size <= width:
            current += piece
            continue
        if current:
            lines.append(current)
        current = piece.lstrip()
        if _measure(current, style) * size > width:
            if not break_words:
                return None
            *full, current = _broken(current, style, width / size)
            lines += full
    if current:
        lines.append(current)
    return lines


def _broken(word: str, style: TextStyle, width_em: float) -> list[str]:
    out = [""]
    for cluster in clusters(word):
        if out[-1] and _measure(out[-1] + cluster, style) > width_em:
            out.append("")
        out[-1] += cluster
    return out


def _measure(text: str, style: TextStyle) -> float:
    shown = text.upper() if style.upper else text
    return _shape(shown, style.font, style.language, style.tracking).width


@lru_cache(maxsize=2048)
def _shape(text: str, font: FontSpec, language: str, tracking: float) -> Line:
    """Shape at one pixel per em."""
    chain = faces(font, language)
    segments: list[Segment] = []
    x = 0.0
    runs = _visual_runs(text, chain)
    for run_text, rtl, index in runs:
        x = _shape_run(run_text, rtl, chain[index], language, tracking, x, segments)
    path = Path(tuple(segments))
    ink = path.bounds()
    # Some letters reach out of their own advance (a "j", an italic): count all of the ink.
    left = max(0.0, -ink.x)
    width = max(0.0, x - (tracking if runs else 0.0), ink.right) + left
    return Line(text, path.moved(left, 0) if left else path, width)


def _shape_run(
    text: str,
    rtl: bool,
    lazy: LazyFace,
    language: str,
    tracking: float,
    x: float,
    segments: list[Segment],
) -> float:
    face = lazy.face
    buffer = hb.Buffer()
    buffer.add_str(text)
    buffer.guess_segment_properties()
    buffer.direction = "rtl" if rtl else "ltr"
    buffer.language = language
    joins = tracking != 0 and buffer.script in ("Arab", "Deva", "Beng", "Syrc", "Mong")
    # Letter-spacing tears ligatures and joined scripts apart: the former are switched off.
    whole = tracking <= 0.02
    # Figures of a capital's height: prices in old-style figures look misprinted.
    hb.shape(face.font, buffer, {"liga": whole, "clig": whole, "lnum": True})
    scale = 1 / face.upem
    spacing = 0.0 if joins else tracking
    for info, position in zip(buffer.glyph_infos, buffer.glyph_positions, strict=True):
        pen = _Pen(x + position.x_offset * scale, -position.y_offset * scale, scale)
        face.font.draw_glyph_with_pen(info.codepoint, pen)
        segments += pen.segments
        x += position.x_advance * scale + (spacing if position.x_advance else 0.0)
    return x


def _visual_runs(text: str, chain: tuple[LazyFace, ...]) -> list[tuple[str, bool, int]]:
    """(text, right-to-left, face) runs from left to right as they are seen (rule L2)."""
    levels = _levels(text)
    logical: list[tuple[str, int, int]] = []
    position = 0
    for cluster in clusters(text):
        level = levels[position]
        position += len(cluster)
        face = logical[-1][2] if logical and cluster == " " else face_for(cluster, chain)
        if logical and logical[-1][1:] == (level, face):
            logical[-1] = (logical[-1][0] + cluster, level, face)
        else:
            logical.append((cluster, level, face))
    highest = max((level for _, level, _ in logical), default=0)
    for threshold in range(highest, 0, -1):
        start = 0
        while start < len(logical):
            end = start
            while end < len(logical) and logical[end][1] >= threshold:
                end += 1
            logical[start:end] = reversed(logical[start:end])
            start = max(end, start + 1)
    return [(run, level % 2 == 1, face) for run, level, face in logical]


def _levels(text: str) -> list[int]:
    """Embedding level of each character, by Unicode's bidirectional algorithm."""
    if text.isascii():
        return [0] * len(text)
    base = bidi.get_base_level(text)
    storage: dict[str, Any] = {
        "base_level": base,
        "base_dir": ("L", "R")[base],
        "chars": [],
        "runs": deque(),
    }
    bidi.get_embedding_levels(text, storage)
    for index, char in enumerate(storage["chars"]):
        char["index"] = index
    bidi.explicit_embed_and_overrides(storage)
    bidi.resolve_weak_types(storage)
    bidi.resolve_neutral_types(storage, False)
    bidi.resolve_implicit_levels(storage, False)
    levels = [-1] * len(text)
    for char in storage["chars"]:
        levels[char["index"]] = char["level"]
    previous = base
    for index, level in enumerate(levels):  # marks the algorithm removed go with what precedes
        previous = levels[index] = previous if level < 0 else level
    return levels


class _Pen:
    """Collects a glyph's outline, flipped to y downwards and scaled to one em."""

    def __init__(self, x: float, y: float, scale: float) -> None:
        self.segments: list[Segment] = []
        self._x, self._y, self._scale = x, y, scale
        self._last = (0.0, 0.0)

    def _at(self, point: tuple[float, float]) -> tuple[float, float]:
        return self._x + point[0] * self._scale, self._y - point[1] * self._scale

    def moveTo(self, point: tuple[float, float]) -> None:
        self._last = self._at(point)
        self.segments.append(("m", self._last))

    def lineTo(self, point: tuple[float, float]) -> None:
        self._last = self._at(point)
        self.segments.append(("l", self._last))

    def curveTo(
        self, a: tuple[float, float], b: tuple[float, float], end: tuple[float, float]
    ) -> None:
        self._last = self._at(end)
        self.segments.append(("b", (*self._at(a), *self._at(b), *self._last)))

    def qCurveTo(self, control: tuple[float, float], end: tuple[float, float]) -> None:
        (sx, sy), (cx, cy), (ex, ey) = self._last, self._at(control), self._at(end)
        self._last = (ex, ey)
        points = (
            sx + (cx - sx) * 2 / 3,
            sy + (cy - sy) * 2 / 3,
            ex + (cx - ex) * 2 / 3,
            ey + (cy - ey) * 2 / 3,
            ex,
            ey,
        )
        self.segments.append(("b", points))

    def closePath(self) -> None:
        """ASS closes each contour by itself."""

    def endPath(self) -> None:
        """Never called by HarfBuzz; part of the pen's protocol."""
