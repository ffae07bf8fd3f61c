"""Shapes as outlines: rectangles, circles, rings, stars, ticks, stripes, grids."""

from __future__ import annotations

import math

from pipeline.media.paths import Path, Segment, joined

#: Distance of a cubic's control points for a quarter circle.
_KAPPA = 0.5522847498


def rect(x: float, y: float, w: float, h: float) -> Path:
    return polygon([(x, y), (x + w, y), (x + w, y + h), (x, y + h)])


def polygon(points: list[tuple[float, float]]) -> Path:
    first, *rest = points
    return Path((("m", first), *(("l", p) for p in rest)))


def rounded(x: float, y: float, w: float, h: float, radius: float) -> Path:
    """A rectangle with round corners; the radius is cut to fit."""
    r = max(0.0, min(radius, w / 2, h / 2))
    k = r * (1 - _KAPPA)
    right, bottom = x + w, y + h
    segments: tuple[Segment, ...] = (
        ("m", (x + r, y)),
        ("l", (right - r, y)),
        ("b", (right - k, y, right, y + k, right, y + r)),
        ("l", (right, bottom - r)),
        ("b", (right, bottom - k, right - k, bottom, right - r, bottom)),
        ("l", (x + r, bottom)),
        ("b", (x + k, bottom, x, bottom - k, x, bottom - r)),
        ("l", (x, y + r)),
        ("b", (x, y + k, x + k, y, x + r, y)),
    )
    return Path(segments)


def circle(cx: float, cy: float, radius: float) -> Path:
    return rounded(cx - radius, cy - radius, 2 * radius, 2 * radius, radius)


def ring(cx: float, cy: float, radius: float, width: float) -> Path:
    return circle(cx, cy, radius) + circle(cx, cy, max(0.5, radius - width)).reversed()


def frame(x: float, y: float, w: float, h: float, radius: float, width: float) -> Path:
    """The outline of a rounded rectangle, `width` thick, drawn inwards."""
    inner = rounded(x + width, y + width, w - 2 * width, h - 2 * width, radius - width)
    return rounded(x, y, w, h, radius) + inner.reversed()


def strokes(
    points: list[tuple[float, float]], width: float, *, each: int = 1, closed: bool = True
) -> list[Path]:
    """A thin line along `points`, in pieces of `each` sides.

    A shape is blended over its whole box in every frame, so a large outline in one piece costs
    as much as if it were filled. The pieces overlap: draw them opaque.
    """
    ends = points[1:] + points[:1] if closed else points[1:]
    quads = []
    for (ax, ay), (bx, by) in zip(points, ends, strict=False):
        length = math.hypot(bx - ax, by - ay) or 1.0
        ux, uy = (bx - ax) / length * width / 2, (by - ay) / length * width / 2
        ax, ay, bx, by = ax - ux, ay - uy, bx + ux, by + uy
        corners = [(ax - uy, ay + ux), (bx - uy, by + ux), (bx + uy, by - ux), (ax + uy, ay - ux)]
        quads.append(polygon(corners))
    return [joined(quads[i : i + each]) for i in range(0, len(quads), each)]


def arc(radius: float, start: float, end: float, sides: int) -> list[tuple[float, float]]:
    """Points of an arc around the origin, from one angle to another (degrees, clockwise)."""
    turns = [math.radians(start + (end - start) * i / sides) for i in range(sides + 1)]
    return [(radius * math.cos(turn), radius * math.sin(turn)) for turn in turns]


def corners(w: float, h: float, arm: float, width: float) -> list[Path]:
    """Four corner brackets around a box centred on the origin."""
    out = []
    for sx in (-1, 1):
        for sy in (-1, 1):
            x, y = sx * w / 2, sy * h / 2
            flat = rect(min(x, x - sx * arm), min(y, y - sy * width), arm, width)
            out.append(flat + rect(min(x, x - sx * width), min(y, y - sy * arm), width, arm))
    return out


def scalloped(cx: float, cy: float, radius: float, bumps: int, depth: float) -> Path:
    """A round biscuit: `bumps` half circles around; `depth` is their share of the radius."""
    points = []
    steps = bumps * 10
    for i in range(steps):
        angle = 2 * math.pi * i / steps
        r = radius * (1 - depth + depth * abs(math.cos(angle * bumps / 2)))
        points.append((cx + r * math.cos(angle), cy + r * math.sin(angle)))
    return polygon(points)


def blob(cx: float, cy: float, radius: float, seed: float) -> Path:
    """A soft irregular round, as smooth cubics through points at wavering distances."""
    count = 24
    points = []
    for i in range(count):
        angle = 2 * math.pi * i / count
        r = radius * (
            0.93 + 0.07 * math.sin(2 * angle + seed) + 0.05 * math.sin(3 * angle - 1.7 * seed)
        )
        points.append((cx + r * math.cos(angle), cy + r * math.sin(angle)))
    segments: list[Segment] = [("m", points[0])]
    for i in range(count):  # Catmull-Rom to Bezier
        (px, py), (ax, ay), (bx, by), (nx, ny) = (points[(i + k) % count] for k in (-1, 0, 1, 2))
        control = (ax + (bx - px) / 6, ay + (by - py) / 6, bx - (nx - ax) / 6, by - (ny - ay) / 6)
        segments.append(("b", (*control, bx, by)))
    return Path(tuple(segments))


def star(cx: float, cy: float, outer: float, inner: float, points: int) -> Path:
    """A star or, with many points and a large inner radius, a price burst."""
    corners = []
    for i in range(points * 2):
        radius = outer if i % 2 == 0 else inner
        angle = math.pi * i / points - math.pi / 2
        corners.append((cx + radius * math.cos(angle), cy + radius * math.sin(angle)))
    return polygon(corners)


def tick(x: float, y: float, size: float, width: float) -> Path:
    """A check mark in a square of `size`."""
    d = width / math.sqrt(2)
    knee = (x + size * 0.38, y + size * 0.80)
    return polygon(
        [
            (x + size * 0.08, y + size * 0.50),
            (x + size * 0.08 + d, y + size * 0.50 - d),
            (knee[0], knee[1] - 2 * d),
            (x + size * 0.92 - d, y + size * 0.26 - d),
            (x + size * 0.92, y + size * 0.26),
            knee,
        ]
    )


def arrow(x: float, y: float, size: float, width: float) -> Path:
    """An arrow to the right, `size` wide, its shaft at height `y`."""
    head, half = size * 0.34, width / 2
    d = width / math.sqrt(2)
    shaft = rect(x, y - half, size - d, width)
    tip = polygon(
        [
            (x + size - head - d, y - head),
            (x + size - head, y - head - d),
            (x + size + d / 2, y),
            (x + size - head, y + head + d),
            (x + size - head - d, y + head),
            (x + size - 1.5 * d, y),
        ]
    )
    return shaft + tip


def stripes(x: float, y: float, w: float, h: float, pitch: float, slant: float) -> Path:
    """Slanted bars filling a box, half as wide as their pitch."""
    bars = []
    left = x - max(0.0, slant)
    while left < x + w + max(0.0, -slant):
        bars.append(
            polygon(
                [
                    (left + slant, y),
                    (left + slant + pitch / 2, y),
                    (left + pitch / 2, y + h),
                    (left, y + h),
                ]
            )
        )
        left += pitch
    return joined(bars)


def dots(x: float, y: float, columns: int, rows: int, pitch: float, radius: float) -> Path:
    """A grid of dots; its first centre is at (x, y)."""
    return joined(
        circle(x + column * pitch, y + row * pitch, radius)
        for row in range(rows)
        for column in range(columns)
    )


def grid(x: float, y: float, w: float, h: float, pitch: float, width: float) -> Path:
    """Hairlines both ways."""
    lines = [rect(x + i * pitch, y, width, h) for i in range(int(w / pitch) + 1)]
    lines += [rect(x, y + i * pitch, w, width) for i in range(int(h / pitch) + 1)]
    return joined(lines)


def five_stars(rating: float, size: float, gap: float) -> tuple[Path, Path]:
    """(lit, unlit) stars for a rating of 0 to 5, cut at the tenth; the row starts at (0, 0)."""
    lit: list[Path] = []
    unlit: list[Path] = []
    for i in range(5):
        x = i * (size + gap) + size / 2
        shape = star(x, size / 2, size / 2, size * 0.215, 5)
        share = max(0.0, min(1.0, rating - i))
        unlit.append(shape)
        if share >= 0.95:
            lit.append(shape)
        elif share > 0.05:
            lit.append(_cut_right(shape, i * (size + gap) + size * share))
    return joined(lit), joined(unlit)


def _cut_right(shape: Path, limit: float) -> Path:
    """The part of a polygon left of x = `limit` (Sutherland and Hodgman's clipping)."""
    points = [(values[0], values[1]) for _, values in shape.segments]
    kept: list[tuple[float, float]] = []
    for (ax, ay), (bx, by) in zip(points, points[1:] + points[:1], strict=True):
        if ax <= limit:
            kept.append((ax, ay))
        if (ax <= limit) != (bx <= limit):
            kept.append((limit, ay + (by - ay) * (limit - ax) / (bx - ax)))
    return polygon(kept)
