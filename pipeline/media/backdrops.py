"""Backdrops: one still per scene, painted at full precision.

They stand still: what does not change costs the encoder nothing, and the motion in front of
them is seen the better.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image

from pipeline.media.colors import mix, rgb
from pipeline.media.yuv import Floats
from pipeline.styles.base import Palette

#: Painters whose picture is a gradient: it is dithered, flat art is not.
SOFT = frozenset({"paper", "silk", "grid"})
#: Soft pictures are computed this many times smaller and enlarged.
_COARSE = 8


def paint(name: str, palette: Palette, width: int, height: int, rng: np.random.Generator) -> Floats:
    """An RGB backdrop of `width` by `height`, 0 to 255. `name` is a key of `_PAINTERS`."""
    return _PAINTERS[name](palette, width, height, rng)


def _color(value: str) -> Any:
    return np.array(rgb(value), dtype=np.float32)


def _soft(
    base: str, low: str, glows: list[tuple[float, float, float, str, float]], w: int, h: int
) -> Floats:
    """A vertical gradient with round glows (x, y, radius as shares of the width; colour; share)."""
    cw, ch = w // _COARSE + 2, h // _COARSE + 2
    y, x = np.mgrid[0:ch, 0:cw].astype(np.float32)
    x, y = x / cw, y / cw
    t = (y / (ch / cw))[..., None]
    picture = _color(base) * (1 - t) + _color(low) * t
    for gx, gy, radius, color, share in glows:
        weight = np.exp(-(((x - gx) ** 2 + (y - gy) ** 2) / radius**2))[..., None] * share
        picture = picture * (1 - weight) + _color(color) * weight
    planes = [
        np.asarray(
            Image.fromarray(np.ascontiguousarray(picture[..., c], dtype=np.float32)).resize(
                (w, h), Image.Resampling.BICUBIC
            )
        )
        for c in range(3)
    ]
    return np.stack(planes, axis=-1)


def _flat(color: str, w: int, h: int) -> Floats:
    return np.full((h, w, 3), _color(color), dtype=np.float32)


def _lay(picture: Floats, mask: Any, color: str) -> None:
    """Lay `color` over `picture` where `mask` (0 to 1) says; one channel at a time, for memory."""
    for channel, value in enumerate(rgb(color)):
        plane = picture[..., channel]
        plane += (value - plane) * mask


def _axes(w: int, h: int) -> tuple[Any, Any]:
    """x as a row and y as a column: broadcasting spares two full-size grids."""
    return np.arange(w, dtype=np.float32)[None, :], np.arange(h, dtype=np.float32)[:, None]


def _paper(p: Palette, w: int, h: int, rng: np.random.Generator) -> Floats:
    tall = h / w
    left = rng.random() < 0.5
    glows = [
        (0.05 if left else 0.95, tall * rng.uniform(0.05, 0.3), 0.75, p.accent, 0.16),
        (0.9 if left else 0.1, tall * rng.uniform(0.7, 0.95), 0.9, p.accent, 0.24),
        (0.5, tall * 0.42, 0.6, mix(p.paper, "#ffffff", 0.6), 0.5),
    ]
    return _soft(p.paper, p.paper_low, glows, w, h)


def _silk(p: Palette, w: int, h: int, rng: np.random.Generator) -> Floats:
    """Dark cloth in soft folds under one warm light, and a gold hairline along the edges."""
    tall = h / w
    glows = [
        (0.5, tall * 0.40, 0.60, mix(p.paper, p.accent, 0.30), 0.70),
        (rng.uniform(0.1, 0.9), tall * 1.02, 0.7, mix(p.paper, p.accent, 0.42), 0.22),
    ]
    picture = _soft(p.paper, p.paper_low, glows, w, h)
    y, x = np.mgrid[0 : h // _COARSE + 2, 0 : w // _COARSE + 2].astype(np.float32)
    x, y = x / (w / _COARSE), y / (w / _COARSE)
    turn = rng.uniform(0, 6.28)
    bend = 0.16 * np.sin(3.1 * y + turn) + 0.07 * np.sin(7.0 * x - 2.3 * y + turn)
    fold = np.sin(9.0 * (x * 0.8 + y * 0.45 + bend)) ** 3
    folds = np.asarray(
        Image.fromarray(np.ascontiguousarray(fold, dtype=np.float32)).resize(
            (w, h), Image.Resampling.BICUBIC
        )
    )
    picture *= (1 + 0.13 * folds)[..., None]
    unit = min(w, h) / 1080
    inset, line = round(34 * unit), max(1, round(2 * unit))
    for x0, y0, x1, y1 in (
        (inset, inset, w - inset, inset + line),
        (inset, h - inset - line, w - inset, h - inset),
        (inset, inset, inset + line, h - inset),
        (w - inset - line, inset, w - inset, h - inset),
    ):
        part = picture[y0:y1, x0:x1]
        part += (_color(p.accent) - part) * 0.55
    return picture


def _blocks(p: Palette, w: int, h: int, rng: np.random.Generator) -> Floats:
    """Two flat tones along a slant, and a corner of halftone."""
    x, y = _axes(w, h)
    slope = rng.choice([-1.0, 1.0]) * rng.uniform(0.16, 0.26)
    edge = h * 0.66 + slope * (x - w / 2)
    picture = _flat(p.paper, w, h)
    _lay(picture, np.clip(y - edge + 0.5, 0, 1), p.paper_low)
    # Screen dots on a 45 degree grid, shrinking away from the corner.
    pitch = min(w, h) / 30
    u, v = (x + y) / (pitch * 1.4142), (x - y) / (pitch * 1.4142)
    distance = np.hypot(u - np.round(u), v - np.round(v)) * pitch
    corner = x if slope < 0 else w - x
    strength = np.clip(1 - np.hypot(corner / (w * 0.85), y / (h * 0.42)), 0, 1)
    radius = pitch * 0.52 * np.sqrt(strength) - 0.6
    _lay(picture, np.clip(radius - distance + 0.5, 0, 1), p.paper_low)
    return picture


def _confetti(p: Palette, w: int, h: int, rng: np.random.Generator) -> Floats:
    """Two hills of the paper's deeper tone, and dots, rings and dashes strewn about the edges."""
    picture = _flat(p.paper, w, h)
    x, y = _axes(w, h)
    unit = min(w, h) / 1080
    left = rng.random() < 0.5
    for cx, cy, radius in (
        (0.08 if left else 0.92, 0.98, 0.52),
        (0.95 if left else 0.05, 0.04, 0.34),
    ):
        reach = radius * min(w, h)
        disc = np.clip(reach - np.hypot(x - cx * w, y - cy * h) + 0.5, 0, 1)
        _lay(picture, disc, p.paper_low)
    tones = (p.accent, "#ffffff", mix(p.paper, p.ink, 0.22))
    for n in range(22):
        # Around the edges: the middle belongs to the product and the words.
        along, deep = rng.uniform(0, 1), rng.uniform(0.015, 0.075)
        edge = n % 4
        cx = (along, along, deep, 1 - deep)[edge] * w
        cy = (deep * w / h, 1 - deep * w / h, along, along)[edge] * h
        size = rng.uniform(9, 17) * unit
        near = (slice(max(0, int(cy - 50 * unit)), int(cy + 50 * unit)),)
        dx, dy = x - cx, y[near] - cy
        kind = n % 3
        if kind == 0:
            mask = np.clip(size * 0.8 - np.hypot(dx, dy) + 0.5, 0, 1)
        elif kind == 1:
            mask = np.clip(3.2 * unit - np.abs(np.hypot(dx, dy) - size) + 0.5, 0, 1)
        else:
            turn = rng.uniform(0, 3.14)
            u = dx * np.cos(turn) + dy * np.sin(turn)
            v = dy * np.cos(turn) - dx * np.sin(turn)
            far = np.hypot(np.maximum(np.abs(u) - size, 0), v)
            mask = np.clip(5 * unit - far + 0.5, 0, 1)
        _lay(picture[near], mask * 0.85, tones[n % len(tones)])
    return picture


def _grid(p: Palette, w: int, h: int, rng: np.random.Generator) -> Floats:
    """A fine grid with crosses at every fourth line, brighter where the light stands."""
    tall = h / w
    at = (rng.uniform(0.35, 0.65), tall * 0.38)
    glows = [
        (*at, 0.62, mix(p.paper, p.accent, 0.42), 0.55),
        (0.5, tall * 1.05, 0.6, p.accent, 0.14),
    ]
    picture = _soft(p.paper, p.paper_low, glows, w, h)
    x, y = _axes(w, h)
    pitch = min(w, h) / 18
    left, top = x - w / 2, y - h / 2
    off_x = np.abs(left - np.round(left / pitch) * pitch)
    off_y = np.abs(top - np.round(top / pitch) * pitch)
    lit = np.exp(-(((x / w - at[0]) ** 2 + ((y - at[1] * w) / w) ** 2) / 0.42))
    _lay(picture, np.clip(1.0 - np.minimum(off_x, off_y), 0, 1) * (0.05 + 0.16 * lit), p.accent)
    big = pitch * 4
    far_x = np.abs(left - np.round(left / big) * big)
    far_y = np.abs(top - np.round(top / big) * big)
    arm, half = pitch * 0.2, max(1.0, pitch * 0.022)
    cross = np.clip(half - np.minimum(far_x, far_y) + 0.5, 0, 1) * np.clip(
        arm - np.maximum(far_x, far_y) + 0.5, 0, 1
    )
    _lay(picture, cross * 0.34, p.accent)
    return picture


_PAINTERS: dict[str, Callable[[Palette, int, int, np.random.Generator], Floats]] = {
    "paper": _paper,
    "silk": _silk,
    "blocks": _blocks,
    "confetti": _confetti,
    "grid": _grid,
}
