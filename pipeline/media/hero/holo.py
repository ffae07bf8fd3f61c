"""Holo: a cut-out with a rim of light over its own mirror image, a photograph with two cut
corners and a lit edge; the monogram stands in a lit hexagon."""

from __future__ import annotations

import math

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageOps

from pipeline.media.colors import mix, rgb
from pipeline.media.hero.parts import (
    FINE,
    HeroArt,
    glow,
    is_cut_out,
    letter,
    on_canvas,
    stood,
)


def framed(art: HeroArt, image: Image.Image) -> Image.Image:
    if is_cut_out(image):
        return _lit(art, image)
    picture, at = stood(image, art, "holo")
    w, h = picture.size
    cut = min(w, h) * 0.12
    mask = _polygon(picture.size, [(cut, 0), (w, 0), (w, h - cut), (w - cut, h), (0, h), (0, cut)])
    picture.putalpha(mask)
    return _edged(art, picture, on_canvas(art, mask, at), at)


def monogram(art: HeroArt) -> Image.Image:
    w, h, p = art.width, art.height, art.palette
    radius = min(w, h) / 2 - art.margin
    points = [
        (w / 2 + radius * math.sin(i * math.pi / 3), h / 2 - radius * math.cos(i * math.pi / 3))
        for i in range(6)
    ]
    mask = _polygon((w, h), points)
    face = Image.new("RGBA", (w, h), (*rgb(mix(p.paper, p.accent, 0.14)), 255))
    face.putalpha(mask)
    canvas = _edged(art, face, mask, (0, 0))
    letter(canvas, art, w / 2, h / 2, radius * 0.86, p.accent)
    return canvas


def _lit(art: HeroArt, image: Image.Image) -> Image.Image:
    p = art.palette
    picture, (left, top) = stood(image, art, "holo", floor=True)
    canvas = Image.new("RGBA", (art.width, art.height))
    shape = on_canvas(art, picture.getchannel("A"), (left, top))
    glow(canvas, shape, p.accent, art.margin * 0.75, 0.34)
    glow(canvas, shape, p.accent, art.margin * 0.16, 0.60)
    _mirror(canvas, picture, left, top + picture.height)
    canvas.alpha_composite(picture, (left, top))
    # Light of the accent's colour catches the right edge.
    moved = ImageChops.offset(shape, -max(2, art.margin // 20), 0)
    edge = ImageChops.subtract(shape, moved).filter(ImageFilter.GaussianBlur(1.2))
    rim = Image.new("RGBA", canvas.size, (*rgb(mix(p.accent, "#ffffff", 0.3)), 0))
    rim.putalpha(ImageChops.multiply(edge, shape).point(lambda v: int(v * 0.8)))
    canvas.alpha_composite(rim)
    return canvas


def _mirror(canvas: Image.Image, picture: Image.Image, left: int, foot: int) -> None:
    depth = min(picture.height, canvas.height - foot - 2)
    if depth < 2:
        return
    turned = ImageOps.flip(picture).crop((0, 0, picture.width, depth))
    fade = np.linspace(0.34, 0.0, depth, dtype=np.float32)[:, None]
    alpha = np.asarray(turned.getchannel("A"), dtype=np.float32) * fade
    turned.putalpha(Image.fromarray(alpha.astype(np.uint8)))
    canvas.alpha_composite(turned, (left, foot))


def _edged(
    art: HeroArt, picture: Image.Image, mask: Image.Image, at: tuple[int, int]
) -> Image.Image:
    """`picture` on a glow, its outline drawn in the accent."""
    canvas = Image.new("RGBA", (art.width, art.height))
    glow(canvas, mask, art.palette.accent, art.margin * 0.5, 0.42)
    canvas.alpha_composite(picture, at)
    width = max(3, art.margin // 20) | 1
    inner = mask.filter(ImageFilter.MinFilter(width))
    tone = Image.new("RGBA", canvas.size, (*rgb(art.palette.accent), 255))
    canvas.paste(tone, mask=ImageChops.subtract(mask, inner))
    return canvas


def _polygon(size: tuple[int, int], points: list[tuple[float, float]]) -> Image.Image:
    mask = Image.new("L", (size[0] * FINE, size[1] * FINE))
    ImageDraw.Draw(mask).polygon([(x * FINE, y * FINE) for x, y in points], fill=255)
    return mask.resize(size, Image.Resampling.LANCZOS)
