"""The hero: the product's picture, framed or as a sticker, or a monogram where there is none.

Each treatment returns straight-alpha RGBA with a margin for its shadow and its motion.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont

from pipeline.media.colors import ink_on, mix, rgb
from pipeline.media.fonts import FontSpec, face_for, faces
from pipeline.media.yuv import Floats
from pipeline.styles.base import Palette

#: Room around the picture, as a share of the sprite's shorter side.
MARGIN = 0.09
#: Masks are drawn this much larger and reduced: smooth edges.
_FINE = 2


@dataclass(frozen=True)
class HeroArt:
    """What to draw: a sprite of `width` by `height` px in the colours of `palette`."""

    width: int
    height: int
    palette: Palette
    font: FontSpec
    letter: str
    radius: float

    @property
    def margin(self) -> int:
        return round(min(self.width, self.height) * MARGIN)


def draw(treatment: str, art: HeroArt, image: Image.Image | None) -> Floats:
    """Draw `image` (RGBA), or a monogram for None, by a treatment of `_TREATMENTS`."""
    framed, monogram = _TREATMENTS[treatment]
    sprite = framed(art, image) if image is not None else monogram(art)
    return np.asarray(sprite, dtype=np.float32)


def _card(art: HeroArt, image: Image.Image) -> Image.Image:
    """A photograph with round corners on a soft shadow; cut-outs stand free on theirs."""
    canvas = Image.new("RGBA", (art.width, art.height))
    picture = _contained(image, art)
    if not _is_cut_out(image):
        picture.putalpha(_rounded_mask(picture.size, art.radius))
    left, top = (art.width - picture.width) // 2, (art.height - picture.height) // 2
    _soft_shadow(canvas, picture.getchannel("A"), (left, top), art.margin)
    canvas.alpha_composite(picture, (left, top))
    return canvas


def _sticker(art: HeroArt, image: Image.Image) -> Image.Image:
    """A white-rimmed sticker on a hard shadow, a little turned."""
    rim = max(4, art.margin // 6)
    picture = _contained(image, art, spare=rim * 2 + art.margin // 2)
    if not _is_cut_out(image):
        picture.putalpha(_rounded_mask(picture.size, art.radius * 0.5))
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
    return _hard_shadow(turned, art, rim * 2)


def _totem(art: HeroArt) -> Image.Image:
    """Calm monogram: a lit sphere behind a pane of frosted glass that bears the initial."""
    w, h, m = art.width, art.height, art.margin
    p = art.palette
    canvas = Image.new("RGBA", (w, h))
    side = min(w, h) - 2 * m
    r = side * 0.40
    cx, cy = w / 2 + side * 0.10, h / 2 - side * 0.10
    ball = _sphere(w, h, cx, cy, r, p.accent)
    _soft_shadow(canvas, ball.getchannel("A"), (0, 0), m)
    canvas.alpha_composite(ball)
    pane_w, pane_h = side * 0.62, side * 0.74
    left, top = w / 2 - side * 0.42, h / 2 - pane_h / 2 + side * 0.12
    mask = Image.new("L", (w, h))
    size = (round(pane_w), round(pane_h))
    mask.paste(_rounded_mask(size, side * 0.09), (round(left), round(top)))
    frosted = canvas.filter(ImageFilter.GaussianBlur(side * 0.045))
    base = Image.new("RGBA", (w, h), (*rgb(mix(p.paper, "#ffffff", 0.5)), 255))
    base.alpha_composite(frosted)
    pane = Image.blend(base, Image.new("RGBA", (w, h), (255, 255, 255, 255)), 0.34)
    _soft_shadow(canvas, mask, (0, 0), round(m * 0.7))
    canvas.paste(pane, mask=mask)
    inner = mask.filter(ImageFilter.GaussianBlur(1.2))
    edge = ImageChops.subtract(mask, ImageChops.offset(inner, 2, 3))
    canvas.paste((255, 255, 255, 255), mask=edge.point(lambda v: v * 7 // 10))
    _letter(canvas, art, left + pane_w / 2, top + pane_h / 2, pane_h * 0.52, p.ink)
    return canvas


def _badge(art: HeroArt) -> Image.Image:
    """Loud monogram: the initial on a toothed badge with a hard shadow, a little turned."""
    w, h = art.width, art.height
    p = art.palette
    radius = (min(w, h) / 2 - art.margin) * _FINE
    canvas = Image.new("RGBA", (w * _FINE, h * _FINE))
    pen = ImageDraw.Draw(canvas)
    cx, cy = w * _FINE / 2, h * _FINE / 2
    fill = p.on_accent if p.on_accent != p.ink else "#ffffff"
    pen.polygon(_teeth(cx, cy, radius, 0.90, 22), fill=p.accent)
    pen.ellipse(_around(cx, cy, radius * 0.80), fill=fill)
    pen.ellipse(_around(cx, cy, radius * 0.755), fill=p.accent)
    canvas = canvas.resize((w, h), Image.Resampling.LANCZOS)
    _letter(canvas, art, w / 2, h / 2, radius / _FINE * 0.98, ink_on(p.accent))
    return _hard_shadow(canvas.rotate(7, Image.Resampling.BICUBIC), art, art.margin // 3)


_Framed = Callable[[HeroArt, Image.Image], Image.Image]
_Drawn = Callable[[HeroArt], Image.Image]
_TREATMENTS: dict[str, tuple[_Framed, _Drawn]] = {
    "card": (_card, _totem),
    "sticker": (_sticker, _badge),
}


def _contained(image: Image.Image, art: HeroArt, spare: int = 0) -> Image.Image:
    """Scaled to fit inside the margins, never stretched; cut-outs lose their empty border."""
    box = image.getchannel("A").getbbox() if _is_cut_out(image) else None
    picture = image.crop(box) if box else image
    room_w, room_h = (side - 2 * art.margin - spare for side in (art.width, art.height))
    scale = min(room_w / picture.width, room_h / picture.height)
    size = (max(2, round(picture.width * scale)), max(2, round(picture.height * scale)))
    return picture.resize(size, Image.Resampling.LANCZOS)


def _is_cut_out(image: Image.Image) -> bool:
    return bool(np.asarray(image.getchannel("A")).min() < 128)


def _rounded_mask(size: tuple[int, int], radius: float) -> Image.Image:
    mask = Image.new("L", (size[0] * _FINE, size[1] * _FINE))
    box = (0, 0, mask.width - 1, mask.height - 1)
    ImageDraw.Draw(mask).rounded_rectangle(box, radius * _FINE, fill=255)
    return mask.resize(size, Image.Resampling.LANCZOS)


def _soft_shadow(canvas: Image.Image, shape: Image.Image, at: tuple[int, int], depth: int) -> None:
    """Two blurs, a wide pale one and a close darker one, as from a large soft light above."""
    for blur, drop, strength in ((0.34, 0.34, 0.26), (0.10, 0.10, 0.20)):
        mask = Image.new("L", canvas.size)
        mask.paste(shape, (at[0], at[1] + round(depth * drop)))
        mask = mask.filter(ImageFilter.GaussianBlur(depth * blur))
        shade = Image.new("RGBA", canvas.size, (18, 16, 28, 0))
        shade.putalpha(mask.point(lambda v, s=strength: int(v * s)))
        canvas.alpha_composite(shade)


def _hard_shadow(sprite: Image.Image, art: HeroArt, offset: int) -> Image.Image:
    canvas = Image.new("RGBA", sprite.size)
    shade = Image.new("RGBA", sprite.size, (*rgb(mix(art.palette.paper, "#000000", 0.62)), 255))
    canvas.paste(shade, (offset, offset), sprite.getchannel("A"))
    canvas.alpha_composite(sprite)
    return canvas


def _sphere(w: int, h: int, cx: float, cy: float, r: float, color: str) -> Image.Image:
    y, x = np.mgrid[0:h, 0:w].astype(np.float32)
    dx, dy = (x - cx) / r, (y - cy) / r
    inside = np.clip(1 - dx**2 - dy**2, 0, 1)
    light = np.clip(dx * -0.45 + dy * -0.62 + np.sqrt(inside) * 0.64, 0, 1)[..., None]
    dark, bright = (
        np.array(rgb(mix(color, to, s))) for to, s in (("#140a28", 0.42), ("#ffffff", 0.55))
    )
    tone = dark * (1 - light) + bright * light
    alpha = np.clip((1 - np.hypot(dx, dy)) * r + 0.5, 0, 1) * 255
    return Image.fromarray(np.dstack([tone, alpha]).clip(0, 255).astype(np.uint8), "RGBA")


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


def _letter(
    canvas: Image.Image, art: HeroArt, cx: float, cy: float, height: float, color: str
) -> None:
    """The initial, centred by its ink, `height` px tall as capitals go."""
    chain = faces(art.font)
    lazy = chain[face_for(art.letter, chain)]
    font = ImageFont.truetype(str(lazy.file), round(height / lazy.face.cap_height), lazy.index)
    if lazy.face.axes:
        font.set_variation_by_axes(list(lazy.face.axes.values()))
    left, top, right, bottom = font.getbbox(art.letter)
    at = (cx - (left + right) / 2, cy - (top + bottom) / 2)
    ImageDraw.Draw(canvas).text(at, art.letter, font=font, fill=(*rgb(color), 255))
