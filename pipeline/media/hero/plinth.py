"""Plinth: a cut-out stands on a dark disc with a gold rim, a photograph hangs in a gold frame;
the monogram is a gold medallion."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageOps

from pipeline.media.colors import mix, rgb
from pipeline.media.hero.parts import (
    FINE,
    HeroArt,
    glow,
    is_cut_out,
    letter,
    on_canvas,
    soft_shadow,
    stood,
)
from pipeline.media.hero.place import floor_of

#: How flat the disc's top is seen: height by width of its ellipse.
_FLAT = 0.17


def framed(art: HeroArt, image: Image.Image) -> Image.Image:
    return _stand(art, image) if is_cut_out(image) else _hang(art, image)


def monogram(art: HeroArt) -> Image.Image:
    w, h, p = art.width, art.height, art.palette
    canvas = Image.new("RGBA", (w, h))
    side = min(w, h) - 2 * art.margin
    disc = Image.new("L", (w * FINE, h * FINE))
    cx, cy = w * FINE / 2, h * FINE / 2
    pen = ImageDraw.Draw(disc)

    def ring(radius: float, value: int) -> None:
        r = radius * FINE
        pen.ellipse((cx - r, cy - r, cx + r, cy + r), fill=value)

    for radius, value in ((0.50, 255), (0.492, 0), (0.47, 255), (0.452, 0)):
        ring(side * radius, value)
    mask = disc.resize((w, h), Image.Resampling.LANCZOS)
    glow(canvas, mask, p.accent, side * 0.05, 0.6)
    canvas.paste(_gold(w, h, p.accent), mask=mask)
    initial = Image.new("RGBA", (w, h))
    letter(initial, art, w / 2, h / 2, side * 0.42, p.accent)
    canvas.paste(_gold(w, h, p.accent), mask=initial.getchannel("A"))
    return canvas


def _stand(art: HeroArt, image: Image.Image) -> Image.Image:
    w, h, p = art.width, art.height, art.palette
    picture, (left, top) = stood(image, art, "plinth", floor=True)
    canvas = Image.new("RGBA", (w, h))
    foot = top + picture.height
    disc_w = min(w - art.margin * 1.2, max(picture.width * 1.34, picture.height * 0.62))
    disc_h = disc_w * _FLAT
    cx, cy = w / 2, foot - disc_h * 0.10
    body = min(floor_of("plinth", h), h - cy - disc_h / 2 - 4)
    glow(canvas, on_canvas(art, picture.getchannel("A"), (left, top)), p.accent, art.margin, 0.20)
    _disc(canvas, art, (cx, cy), (disc_w, disc_h), body)
    _mirror(canvas, art, picture, left, foot, disc_h)
    shade = Image.new("L", (w, h))
    reach = picture.width * 0.50
    ImageDraw.Draw(shade).ellipse(
        (cx - reach, foot - disc_h * 0.17, cx + reach, foot + disc_h * 0.13), fill=215
    )
    dark = Image.new("RGBA", (w, h), (0, 0, 0, 255))
    dark.putalpha(shade.filter(ImageFilter.GaussianBlur(art.margin * 0.11)))
    canvas.alpha_composite(dark)
    canvas.alpha_composite(picture, (left, top))
    return canvas


def _disc(
    canvas: Image.Image,
    art: HeroArt,
    center: tuple[float, float],
    size: tuple[float, float],
    depth: float,
) -> None:
    """A low cylinder, lit from the left above, with a gold edge."""
    (cx, cy), (dw, dh), p = center, size, art.palette
    w, h = canvas.size
    y, x = np.mgrid[0:h, 0:w].astype(np.float32)
    across = np.clip((x - cx) / (dw / 2), -1, 1)
    curve = dh / 2 * np.sqrt(1 - across**2)
    inside = np.clip((1 - np.abs((x - cx) / (dw / 2))) * dw / 2, 0, 1)
    side = inside * np.clip(y - cy + 0.5, 0, 1) * np.clip(cy + depth + curve - y + 0.5, 0, 1)
    light = np.clip(0.62 - 0.42 * across - 0.5 * across**2, 0.08, 1)[..., None]
    stone = np.array(rgb(mix(p.paper, p.accent, 0.34)), dtype=np.float32)
    fall = np.clip(1 - 0.55 * (y - cy) / max(1.0, depth), 0.3, 1)[..., None]
    _lay(canvas, stone * light * fall, side)
    far = np.hypot((x - cx) / (dw / 2), (y - cy) / (dh / 2))
    top = np.clip((1 - far) * dh / 2 + 0.5, 0, 1)
    shine = np.clip(0.95 - 0.45 * across - 0.25 * (y - cy) / (dh / 2), 0.3, 1.5)[..., None]
    _lay(canvas, np.clip(stone * shine * 0.92, 0, 255), top)
    rim = np.clip(1.6 - np.abs(far - 0.985) * dh / 2 * 1.2, 0, 1)
    tone = (
        np.array(rgb(p.accent), dtype=np.float32)
        * np.clip(0.85 - 0.4 * across, 0.35, 1.2)[..., None]
    )
    _lay(canvas, np.clip(tone, 0, 255), rim * 0.9)


def _lay(canvas: Image.Image, tone: object, alpha: object) -> None:
    layer = np.dstack([np.asarray(tone), np.asarray(alpha) * 255]).clip(0, 255)
    canvas.alpha_composite(Image.fromarray(layer.astype(np.uint8), "RGBA"))


def _mirror(
    canvas: Image.Image, art: HeroArt, picture: Image.Image, left: int, foot: int, reach: float
) -> None:
    """The product's faint mirror image on the polished top."""
    depth = max(2, round(reach * 0.46))
    turned = ImageOps.flip(picture).crop((0, 0, picture.width, min(depth, picture.height)))
    fade = np.linspace(0.30, 0.0, turned.height, dtype=np.float32)[:, None]
    alpha = np.asarray(turned.getchannel("A"), dtype=np.float32) * fade
    turned.putalpha(Image.fromarray(alpha.astype(np.uint8)))
    if foot < canvas.height:
        canvas.alpha_composite(turned, (left, foot))


def _hang(art: HeroArt, image: Image.Image) -> Image.Image:
    """A photograph in a narrow gold frame with a gap, as in a gallery."""
    gap, line = max(4, art.margin // 4), max(2, art.margin // 26)
    picture, (left, top) = stood(image, art, "plinth")
    canvas = Image.new("RGBA", (art.width, art.height))
    box = (left - gap, top - gap, left + picture.width + gap, top + picture.height + gap)
    frame = Image.new("L", canvas.size)
    ImageDraw.Draw(frame).rectangle(box, outline=255, width=line)
    soft_shadow(canvas, on_canvas(art, picture.getchannel("A"), (left, top)), (0, 0), art.margin)
    canvas.paste(_gold(art.width, art.height, art.palette.accent), mask=frame)
    canvas.alpha_composite(picture, (left, top))
    return canvas


def _gold(w: int, h: int, color: str) -> Image.Image:
    """Metal: light and dark bands along the diagonal."""
    y, x = np.mgrid[0:h, 0:w].astype(np.float32)
    wave = 0.5 + 0.5 * np.sin((x / w + y / h) * 5.2 + 0.4)
    low, high = (
        np.array(rgb(mix(color, to, share)), dtype=np.float32)
        for to, share in (("#3a2408", 0.30), ("#fff6dc", 0.55))
    )
    tone = low + (high - low) * wave[..., None]
    return Image.fromarray(tone.astype(np.uint8), "RGB")
