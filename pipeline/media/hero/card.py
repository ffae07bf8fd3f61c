"""Card: a photograph with round corners, or a cut-out, on a soft shadow; a calm monogram."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageChops, ImageFilter

from pipeline.media.colors import mix, rgb
from pipeline.media.hero.parts import (
    HeroArt,
    contained,
    is_cut_out,
    letter,
    rounded_mask,
    soft_shadow,
)


def framed(art: HeroArt, image: Image.Image) -> Image.Image:
    """A photograph with round corners on a soft shadow; cut-outs stand free on theirs."""
    canvas = Image.new("RGBA", (art.width, art.height))
    picture = contained(image, art)
    if not is_cut_out(image):
        picture.putalpha(rounded_mask(picture.size, art.radius))
    left, top = (art.width - picture.width) // 2, (art.height - picture.height) // 2
    soft_shadow(canvas, picture.getchannel("A"), (left, top), art.margin)
    canvas.alpha_composite(picture, (left, top))
    return canvas


def monogram(art: HeroArt) -> Image.Image:
    """Calm monogram: a lit sphere behind a pane of frosted glass that bears the initial."""
    w, h, m = art.width, art.height, art.margin
    p = art.palette
    canvas = Image.new("RGBA", (w, h))
    side = min(w, h) - 2 * m
    r = side * 0.40
    cx, cy = w / 2 + side * 0.10, h / 2 - side * 0.10
    ball = sphere(w, h, cx, cy, r, p.accent)
    soft_shadow(canvas, ball.getchannel("A"), (0, 0), m)
    canvas.alpha_composite(ball)
    pane_w, pane_h = side * 0.62, side * 0.74
    left, top = w / 2 - side * 0.42, h / 2 - pane_h / 2 + side * 0.12
    mask = Image.new("L", (w, h))
    size = (round(pane_w), round(pane_h))
    mask.paste(rounded_mask(size, side * 0.09), (round(left), round(top)))
    frosted = canvas.filter(ImageFilter.GaussianBlur(side * 0.045))
    base = Image.new("RGBA", (w, h), (*rgb(mix(p.paper, "#ffffff", 0.5)), 255))
    base.alpha_composite(frosted)
    pane = Image.blend(base, Image.new("RGBA", (w, h), (255, 255, 255, 255)), 0.34)
    soft_shadow(canvas, mask, (0, 0), round(m * 0.7))
    canvas.paste(pane, mask=mask)
    inner = mask.filter(ImageFilter.GaussianBlur(1.2))
    edge = ImageChops.subtract(mask, ImageChops.offset(inner, 2, 3))
    canvas.paste((255, 255, 255, 255), mask=edge.point(lambda v: v * 7 // 10))
    letter(canvas, art, left + pane_w / 2, top + pane_h / 2, pane_h * 0.52, p.ink)
    return canvas


def sphere(w: int, h: int, cx: float, cy: float, r: float, color: str) -> Image.Image:
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
