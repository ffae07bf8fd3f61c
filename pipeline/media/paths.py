"""Vector outlines: the one form in which text and shapes reach the video.

Everything that is not a photograph is drawn from outlines (moves, lines, cubic curves), filled
by the non-zero rule. They are measured exactly, scale without blur, and carry no user text.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

#: One drawing command: "m", "l" or "b", then 2, 2 or 6 coordinates in pixels, y downwards.
Segment = tuple[str, tuple[float, ...]]


@dataclass(frozen=True)
class Box:
    """An upright rectangle in pixels."""

    x: float
    y: float
    w: float
    h: float

    @property
    def right(self) -> float:
        return self.x + self.w

    @property
    def bottom(self) -> float:
        return self.y + self.h

    @property
    def cx(self) -> float:
        return self.x + self.w / 2

    @property
    def cy(self) -> float:
        return self.y + self.h / 2

    def inset(self, dx: float, dy: float | None = None) -> Box:
        dy = dx if dy is None else dy
        return Box(self.x + dx, self.y + dy, self.w - 2 * dx, self.h - 2 * dy)

    def moved(self, dx: float, dy: float) -> Box:
        return Box(self.x + dx, self.y + dy, self.w, self.h)

    def contains(self, other: Box, slack: float = 0.5) -> bool:
        return (
            other.x >= self.x - slack
            and other.y >= self.y - slack
            and other.right <= self.right + slack
            and other.bottom <= self.bottom + slack
        )

    def overlaps(self, other: Box) -> bool:
        return (
            self.x < other.right
            and other.x < self.right
            and self.y < other.bottom
            and other.y < self.bottom
        )

    def union(self, other: Box) -> Box:
        x, y = min(self.x, other.x), min(self.y, other.y)
        return Box(x, y, max(self.right, other.right) - x, max(self.bottom, other.bottom) - y)


@dataclass(frozen=True)
class Path:
    """An immutable outline of any number of closed contours."""

    segments: tuple[Segment, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.segments)

    def __add__(self, other: Path) -> Path:
        return Path(self.segments + other.segments)

    def transformed(self, a: float, b: float, c: float, d: float, tx: float, ty: float) -> Path:
        """Map each point to (a x + c y + tx, b x + d y + ty)."""
        out: list[Segment] = []
        for op, values in self.segments:
            moved: list[float] = []
            for i in range(0, len(values), 2):
                x, y = values[i], values[i + 1]
                moved += (a * x + c * y + tx, b * x + d * y + ty)
            out.append((op, tuple(moved)))
        return Path(tuple(out))

    def moved(self, dx: float, dy: float) -> Path:
        return self.transformed(1, 0, 0, 1, dx, dy)

    def scaled(self, sx: float, sy: float | None = None) -> Path:
        return self.transformed(sx, 0, 0, sx if sy is None else sy, 0, 0)

    def rotated(self, degrees: float) -> Path:
        """Turn clockwise about the origin."""
        cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
        return self.transformed(cos, sin, -sin, cos, 0, 0)

    def reversed(self) -> Path:
        """Each contour run backwards: filled together with an outer one, it is a hole."""
        out: list[Segment] = []
        for contour in _contours(self.segments):
            points = [contour[0][1]]
            ops: list[tuple[str, tuple[float, ...]]] = []
            for op, values in contour[1:]:
                ops.append((op, values))
                points.append(values[-2:])
            out.append(("m", points[-1]))
            for (op, values), start in zip(reversed(ops), reversed(points[:-1]), strict=True):
                if op == "b":
                    out.append(("b", (*values[2:4], *values[0:2], *start)))
                else:
                    out.append(("l", start))
        return Path(tuple(out))

    def bounds(self) -> Box:
        """A box that holds every point, control points included; empty paths give a zero box."""
        xs = [v for _, values in self.segments for v in values[0::2]]
        ys = [v for _, values in self.segments for v in values[1::2]]
        if not xs:
            return Box(0, 0, 0, 0)
        return Box(min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys))


def joined(paths: Iterable[Path]) -> Path:
    """All contours of `paths` as one outline."""
    return Path(tuple(segment for path in paths for segment in path.segments))


def clumps(path: Path, gap: float) -> list[Path]:
    """The outline in pieces from left to right, parted where at least `gap` is free.

    With a gap of 0 the pieces are about letters, with a wider one words, in any script: what
    touches (joined letters, a dot above its stem) stays together.
    """
    spans = []
    for contour in _contours(path.segments):
        piece = Path(tuple(contour))
        box = piece.bounds()
        spans.append((box.x, box.right, piece))
    spans.sort(key=lambda span: span[0])
    out: list[list[Path]] = []
    reach = -math.inf
    for left, right, piece in spans:
        if not out or left - reach >= gap:
            out.append([])
        out[-1].append(piece)
        reach = max(reach, right)
    return [joined(group) for group in out]


def _contours(segments: tuple[Segment, ...]) -> list[list[Segment]]:
    out: list[list[Segment]] = []
    for segment in segments:
        if segment[0] == "m" or not out:
            out.append([])
        out[-1].append(segment)
    return out
