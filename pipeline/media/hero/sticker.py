"""Sticker: a white rim and a hard shadow, a little turned; a monogram on a toothed badge."""

from __future__ import annotations

import math

from PIL import Image, ImageDraw, ImageFilter

from pipeline.media.colors import ink_on, rgb
from pipeline.media.hero.parts import (
    FINE,
    HeroArt,
    contained,
    hard_shadow,
    is_cut_out,
    letter,
    rounded_mask,
)


def framed(art: HeroArt, image: Image.Image) -> Image.Image:
    """A white-rimmed sticker on a hard shadow, a little turned."""
    rim = max(4, art.margin // 6)
    picture = contained(image, art, spare=rim * 2 + art.margin // 2)
    if not is_cut_out(image):
        picture.putalpha(rounded_mask(picture.size, art.radius * 0.5))
    shape = Image.new("L", (art.width, art.height))
    left, top = (art.width - picture.width) // 2, (art.height - picture.height) // 2
    shape.paste(picture.getchannel("A"), (left, top))
    rimmed = shape.filter(ImageFilter.GaussianBlur(rim * 0.8)).point(
        lambda v: max(0, min(255, (v - 20) * 8))
    )
    canvas = Image.new("RGBA", (art.width, art.height))
    canvas.paste((*rgb("#ffffff"), 255), mask=rimmed)
    canvas.alpha_composite(picture, (left, top))
    turned = canvas.rotate(4, Image.Resampling.BICUBIC)
    return hard_shadow(turned, art, rim * 2)


def monogram(art: HeroArt) -> Image.Image:
    """Loud monogram: the initial on a toothed badge with a hard shadow, a little turned."""
    w, h = art.width, art.height
    p = art.palette
    radius = (min(w, h) / 2 - art.margin) * FINE
    canvas = Image.new("RGBA", (w * FINE, h * FINE))
    pen = ImageDraw.Draw(canvas)
    cx, cy = w * FINE / 2, h * FINE / 2
    fill = p.on_accent if p.on_accent != p.ink else "#ffffff"
    pen.polygon(_teeth(cx, cy, radius, 0.90, 22), fill=p.accent)
    pen.ellipse(_around(cx, cy, radius * 0.80), fill=fill)
    pen.ellipse(_around(cx, cy, radius * 0.755), fill=p.accent)
    canvas = canvas.resize((w, h), Image.Resampling.LANCZOS)
    letter(canvas, art, w / 2, h / 2, radius / FINE * 0.98, ink_on(p.accent))
    return hard_shadow(canvas.rotate(7, Image.Resampling.BICUBIC), art, art.margin // 3)


def _teeth(
    cx: float, cy: float, radius: float, inner: float, count: int
) -> list[tuple[float, float]]:
    points = []
    for i in range(count * 2):
        r = radius * (1 if i % 2 == 0 else inner)
        angle = math.pi * i / count
        points.append((cx + r * math.cos(angle), cy + r * math.sin(angle)))
    return points


def _around(cx: float, cy: float, r: float) -> tuple[float, float, float, float]:
    return cx - r, cy - r, cx + r, cy + r
