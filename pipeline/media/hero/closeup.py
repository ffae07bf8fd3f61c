"""Close-ups: a part of the product, large, in a window of the style's own shape.

A job with one picture shows it in this way where another job shows its second and third.
"""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from pipeline.media.colors import mix, rgb
from pipeline.media.hero.parts import (
    FINE,
    HeroArt,
    cropped,
    glow,
    is_cut_out,
    on_canvas,
    rounded_mask,
    soft_shadow,
)
from pipeline.media.hero.place import window

#: How much larger than in full view the product is shown.
_NEARER = 1.75


def close_up(treatment: str, art: HeroArt, image: Image.Image, focus: float) -> Image.Image:
    """`focus` (0 to 1) is the height of the part that is shown, from the picture's top."""
    box = window(art.width, art.height)
    size = (round(box.w), round(box.h))
    at = (round(box.x), round(box.y))
    mask = _shape(treatment, size)
    view = _view(art, image, size, focus)
    view.putalpha(mask)
    whole = on_canvas(art, mask, at)
    canvas = Image.new("RGBA", (art.width, art.height))
    if treatment == "holo":
        glow(canvas, whole, art.palette.accent, art.margin * 0.4, 0.4)
    else:
        soft_shadow(canvas, whole, (0, 0), art.margin)
    canvas.alpha_composite(view, at)
    width, tone = {
        "plinth": (max(2, art.margin // 22), art.palette.accent),
        "holo": (max(2, art.margin // 20), art.palette.accent),
        "blob": (max(6, art.margin // 5), "#ffffff"),
        "sticker": (max(6, art.margin // 6), "#ffffff"),
    }.get(treatment, (0, ""))
    if width:
        inner = whole.filter(ImageFilter.MinFilter(2 * width + 1))
        canvas.paste(
            Image.new("RGBA", canvas.size, (*rgb(tone), 255)),
            mask=ImageChops.subtract(whole, inner),
        )
    return canvas


def _view(art: HeroArt, image: Image.Image, size: tuple[int, int], focus: float) -> Image.Image:
    """The ground of a cut-out, lit from above, and the enlarged part on it."""
    p, (w, h) = art.palette, size
    t = np.linspace(0, 1, h, dtype=np.float32)[:, None, None]
    high, low = (
        np.array(rgb(mix(p.paper, p.accent, share)), dtype=np.float32) for share in (0.40, 0.12)
    )
    ground = np.broadcast_to(high + (low - high) * t, (h, w, 3))
    view = Image.fromarray(ground.astype(np.uint8), "RGB").convert("RGBA")
    picture = cropped(image)
    if is_cut_out(image):
        scale = _NEARER * min(w / picture.width, h / picture.height)
    else:
        scale = 1.25 * max(w / picture.width, h / picture.height)
    big = picture.resize(
        (max(2, round(picture.width * scale)), max(2, round(picture.height * scale))),
        Image.Resampling.LANCZOS,
    )
    left = round((w - big.width) / 2)
    top = round(min(h * 0.10, max(h * 0.90 - big.height, h / 2 - focus * big.height)))
    layer = Image.new("RGBA", size)
    layer.paste(big, (left, top))
    view.alpha_composite(layer)
    return view


def _shape(treatment: str, size: tuple[int, int]) -> Image.Image:
    w, h = size[0] * FINE, size[1] * FINE
    if treatment in ("card", "sticker"):
        return rounded_mask(size, min(size) * 0.08)
    if treatment == "blob":
        return rounded_mask(size, min(size) * 0.24)
    mask = Image.new("L", (w, h))
    pen = ImageDraw.Draw(mask)
    if treatment == "plinth":  # an arch
        r = min(w / 2, h)
        pen.ellipse((w / 2 - r, 0, w / 2 + r, 2 * r), fill=255)
        pen.rectangle((0, r, w, h), fill=255)
    else:
        cut = min(w, h) * 0.12
        pen.polygon([(cut, 0), (w, 0), (w, h - cut), (w - cut, h), (0, h), (0, cut)], fill=255)
    return mask.resize(size, Image.Resampling.LANCZOS)
