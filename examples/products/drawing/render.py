"""A small renderer: height fields lit as in a studio, one layer over another.

Coordinates are those of a 1200 px square picture, whatever the resolution.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image, ImageFilter

#: Everything is drawn at this multiple of `SIDE` and reduced.
FINE = 2
SIDE = 1200

Array = Any


@dataclass(frozen=True)
class Surface:
    """What a body is made of. Shares of 0 to 1."""

    color: tuple[int, int, int]
    gloss: float = 0.4
    metal: float = 0.0
    clear: float = 0.0


class Studio:
    """A canvas, a large soft light from the upper left, a strip light and a rim light."""

    def __init__(self) -> None:
        side = SIDE * FINE
        y, x = np.mgrid[0:side, 0:side].astype(np.float32)
        #: Where each pixel lies, in the picture's own units.
        self.x, self.y = (x + 0.5) / FINE, (y + 0.5) / FINE
        self.pixels = np.zeros((side, side, 4), np.float32)

    def body(self, height: Array, inside: Array, surface: Surface) -> None:
        """Lay a body over what there is. `inside` is a signed distance in px, positive within."""
        alpha = np.clip(inside * FINE + 0.5, 0, 1)
        dy, dx = np.gradient(height, 1 / FINE)
        size = np.sqrt(dx**2 + dy**2 + 1)
        nx, ny, nz = -dx / size, -dy / size, 1 / size
        light = np.clip(-0.48 * nx - 0.62 * ny + 0.62 * nz, 0, 1)
        # What the camera sees mirrored: the view runs along z.
        rx, ry = 2 * nz * nx, 2 * nz * ny
        box = _soft(0.30 - np.abs(rx + 0.52), 0.10) * _soft(0.62 - np.abs(ry + 0.25), 0.2)
        strip = _soft(0.07 - np.abs(rx - 0.74), 0.05) * _soft(0.8 - np.abs(ry), 0.25)
        rim = np.clip(1 - nz, 0, 1) ** 3 * np.clip(0.35 + nx, 0, 1)
        dark = np.array(surface.color, np.float32) * (0.30 - 0.10 * surface.metal)
        lit = np.array(surface.color, np.float32) * (1.06 + 0.12 * surface.metal)
        tone = dark + (lit - dark) * (light**1.1)[..., None]
        if surface.metal:
            bands = 0.5 + 0.5 * np.sin(rx * 7.5 + ry * 2.0 + 0.6)
            tone *= (1 + surface.metal * 0.55 * (bands - 0.5))[..., None]
        shine = surface.gloss * (0.78 * box + 0.55 * strip + 0.45 * rim)
        tone += (255 - tone) * np.clip(shine, 0, 1)[..., None]
        opacity = alpha * (1 - surface.clear * (1 - 0.75 * np.clip(shine + rim, 0, 1)))
        self.lay(tone, opacity)

    def lay(self, tone: Array, alpha: Array) -> None:
        """Lay a colour (or one a pixel) over the canvas by `alpha` (0 to 1)."""
        under = self.pixels[..., 3]
        total = alpha + under * (1 - alpha)
        share = np.where(total > 0, alpha / np.maximum(total, 1e-6), 0)[..., None]
        color = self.pixels[..., :3]
        color += (np.asarray(tone, np.float32) - color) * share
        self.pixels[..., 3] = total

    def shade(self, alpha: Array, strength: float) -> None:
        """Darken what is there already, without adding to it."""
        self.pixels[..., :3] *= (1 - np.clip(alpha, 0, 1) * strength)[..., None]

    def picture(self) -> Image.Image:
        """The canvas at its own size, softened by the reduction."""
        raw = self.pixels.copy()
        raw[..., 3] *= 255
        image = Image.fromarray(raw.clip(0, 255).astype(np.uint8), "RGBA")
        return image.resize((SIDE, SIDE), Image.Resampling.LANCZOS)


def _soft(value: Array, width: float) -> Array:
    t = np.clip(value / width * 0.5 + 0.5, 0, 1)
    return t * t * (3 - 2 * t)


def tube(distance: Array, radius: float) -> tuple[Array, Array]:
    """(height, inside) of a round tube, from the distance to its middle line."""
    return np.sqrt(np.clip(radius**2 - distance**2, 1e-3, None)), radius - distance


def pillow(inside: Array, bevel: float, rise: float) -> Array:
    """Height of a body that is flat within and round over the last `bevel` px to its edge."""
    t = np.clip(inside / bevel, 0, 1)
    return rise * np.sqrt(np.clip(1 - (1 - t) ** 2, 1e-4, None))


def ellipse(x: Array, y: Array, at: tuple[float, float], radii: tuple[float, float]) -> Array:
    """About the signed distance to an ellipse, positive within."""
    scaled = np.hypot((x - at[0]) / radii[0], (y - at[1]) / radii[1])
    return (1 - scaled) * min(radii)


def box(x: Array, y: Array, at: tuple[float, float], half: tuple[float, float], r: float) -> Array:
    """The signed distance to a rectangle with round corners, positive within."""
    qx, qy = np.abs(x - at[0]) - half[0] + r, np.abs(y - at[1]) - half[1] + r
    outside = np.hypot(np.maximum(qx, 0), np.maximum(qy, 0))
    return r - outside - np.minimum(np.maximum(qx, qy), 0)


def grounded(picture: Image.Image, ground: Image.Image, at: tuple[int, int]) -> Image.Image:
    """A cut-out on a ground, with a soft shadow: a photograph of a product."""
    scene = ground.convert("RGBA")
    shade = Image.new("RGBA", scene.size, (20, 14, 30, 0))
    mask = Image.new("L", scene.size)
    mask.paste(picture.getchannel("A"), (at[0] + 26, at[1] + 44))
    soft = mask.filter(ImageFilter.GaussianBlur(34)).point(lambda v: int(v * 0.45))
    shade.putalpha(soft)
    scene.alpha_composite(shade)
    scene.alpha_composite(picture, at)
    return scene.convert("RGB")
