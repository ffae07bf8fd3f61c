"""Coral headphones: from the front, one cup from the side, and as a photograph on a desk."""

from __future__ import annotations

import numpy as np
from PIL import Image

from examples.products.drawing.render import (
    Studio,
    Surface,
    box,
    ellipse,
    grounded,
    pillow,
    tube,
)

_CORAL = Surface((240, 92, 74), gloss=0.55)
_SAND = Surface((238, 214, 190), gloss=0.12)
_STEEL = Surface((206, 208, 214), gloss=0.7, metal=1.0)
_FOAM = Surface((58, 46, 52), gloss=0.10)
_CUSHION = Surface((84, 66, 72), gloss=0.16)


def front() -> Image.Image:
    """Both cups and the band, 1200 x 1200."""
    s = Studio()
    _band(s, (600, 620), 400, 470, 36, _CORAL, top=150, low=650)
    _band(s, (600, 650), 350, 436, 34, _SAND, top=250, low=720)
    for side in (-1, 1):
        x = 600 + side * 392
        rail = box(s.x, s.y, (x, 640), (17, 130), 16)
        s.body(pillow(rail, 17, 17), rail, _STEEL)
        arm = box(s.x, s.y, (x + side * 10, 745), (40, 72), 34)
        s.body(pillow(arm, 36, 34), arm, _CORAL)
        pad = box(s.x, s.y, (x - side * 78, 850), (56, 178), 54)
        s.body(pillow(pad, 56, 66), pad, _CUSHION)
        seam = np.clip(2.2 - np.abs(s.x - (x - side * 52)), 0, 1) * (pad > 14)
        s.shade(seam, 0.45)
        ring = box(s.x, s.y, (x - side * 24, 850), (20, 192), 18)
        s.body(pillow(ring, 18, 14), ring, _STEEL)
        shell = box(s.x, s.y, (x + side * 30, 850), (62, 186), 60)
        s.body(pillow(shell, 62, 78), shell, _CORAL)
    return s.picture()


def cup() -> Image.Image:
    """One cup, straight on, with its yoke and the start of the band; 1200 x 1200."""
    s = Studio()
    _band(s, (600, 730), 330, 560, 40, _CORAL, top=60, low=560)
    for radius, deep, surface in ((372, 60, _FOAM), (346, 90, _CUSHION)):
        edge = ellipse(s.x, s.y, (600, 760), (radius, radius * 1.04))
        s.body(pillow(edge, deep, deep), edge, surface)
    shell = ellipse(s.x, s.y, (600, 760), (316, 330))
    s.body(pillow(shell, 250, 120), shell, _CORAL)
    ring, within = tube(np.abs(ellipse(s.x, s.y, (600, 760), (208, 217))), 9)
    s.body(ring, within, _STEEL)
    dish = ellipse(s.x, s.y, (600, 760), (196, 205))
    s.body(-pillow(dish, 190, 34), dish, Surface((226, 80, 64), gloss=0.4))
    disc = ellipse(s.x, s.y, (600, 760), (66, 68))
    s.body(pillow(disc, 60, 26), disc, _STEEL)
    for side in (-1, 1):
        pin = ellipse(s.x, s.y, (600 + side * 338, 700), (30, 30))
        s.body(pillow(pin, 26, 20), pin, _STEEL)
    return s.picture()


def photograph() -> Image.Image:
    """A landscape photograph, 1500 x 1000: the headphones on a sand-coloured sweep."""
    y, x = np.mgrid[0:1000, 0:1500].astype(np.float32)
    light = np.exp(-(((x - 520) / 760) ** 2 + ((y - 380) / 560) ** 2))
    sweep = 1 - 0.16 * np.clip((y - 640) / 360, 0, 1)
    tone = np.array((236, 206, 178), np.float32)
    ground = tone * (0.70 + 0.36 * light[..., None]) * sweep[..., None]
    grain = np.random.default_rng(4).normal(0, 1.4, ground.shape)
    image = Image.fromarray((ground + grain).clip(0, 255).astype(np.uint8), "RGB")
    product = front().resize((900, 900), Image.Resampling.LANCZOS)
    return grounded(product.rotate(-9, Image.Resampling.BICUBIC), image, (300, 60))


def _band(
    s: Studio,
    at: tuple[float, float],
    half: float,
    rise: float,
    thick: float,
    surface: Surface,
    *,
    top: float,
    low: float | None = None,
) -> None:
    """The upper half of an elliptic tube around `at`; it ends at `low` (or at its middle)."""
    reach = np.hypot((s.x - at[0]) / half, (s.y - at[1]) / rise)
    slope = np.hypot((s.x - at[0]) / half**2, (s.y - at[1]) / rise**2) / np.maximum(reach, 1e-3)
    distance = np.abs(reach - 1) / np.maximum(slope, 1e-6)
    height, inside = tube(distance, thick)
    end = at[1] if low is None else low
    inside = np.minimum(inside, end - s.y)
    inside = np.minimum(inside, s.y - top + 400)
    s.body(height, inside, surface)
