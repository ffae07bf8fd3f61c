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
SOFT = frozenset({"paper", "noir", "bubbles", "grid"})
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


def _noir(p: Palette, w: int, h: int, rng: np.random.Generator) -> Floats:
    tall = h / w
    glows = [
        (rng.uniform(0.3, 0.7), tall * 0.36, 0.62, mix(p.paper, p.accent, 0.34), 0.75),
        (rng.uniform(0.0, 1.0), tall * 1.0, 0.7, mix(p.paper, p.accent, 0.5), 0.22),
    ]
    return _soft(p.paper, p.paper_low, glows, w, h)


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


def _bubbles(p: Palette, w: int, h: int, rng: np.random.Generator) -> Floats:
    picture = _soft(p.paper, p.paper_low, [], w, h)
    x, y = _axes(w, h)
    for _ in range(6):
        cx, cy = rng.uniform(0, w), rng.uniform(0, h)
        radius = rng.uniform(0.08, 0.3) * min(w, h)
        disc = np.clip(radius - np.hypot(x - cx, y - cy) + 0.5, 0, 1)
        _lay(picture, disc * 0.22, "#ffffff")
    return picture


def _grid(p: Palette, w: int, h: int, rng: np.random.Generator) -> Floats:
    tall = h / w
    glows = [(rng.uniform(0.2, 0.8), tall * rng.uniform(0.2, 0.5), 0.6, p.accent, 0.22)]
    picture = _soft(p.paper, p.paper_low, glows, w, h)
    x, y = _axes(w, h)
    pitch = min(w, h) / 12
    near = np.minimum(
        np.abs(x - np.round(x / pitch) * pitch), np.abs(y - np.round(y / pitch) * pitch)
    )
    _lay(picture, np.clip(1.2 - near, 0, 1) * 0.14, p.accent)
    return picture


_PAINTERS: dict[str, Callable[[Palette, int, int, np.random.Generator], Floats]] = {
    "paper": _paper,
    "noir": _noir,
    "blocks": _blocks,
    "bubbles": _bubbles,
    "grid": _grid,
}
