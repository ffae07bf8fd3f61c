"""Blob: a cut-out leans a little and throws a soft coloured shadow (its blob is an element of
the scene); a photograph is a thick white-bordered print; the monogram a glossy balloon."""

from __future__ import annotations

from PIL import Image, ImageDraw, ImageFilter

from pipeline.media.colors import mix, rgb
from pipeline.media.hero.card import sphere
from pipeline.media.hero.parts import (
    HeroArt,
    is_cut_out,
    letter,
    on_canvas,
    rounded_mask,
    stood,
)

_LEAN = 5


def framed(art: HeroArt, image: Image.Image) -> Image.Image:
    border = 0 if is_cut_out(image) else max(6, art.margin // 5)
    picture, at = stood(image, art, "blob")
    # A strip keeps at least half of its short side for what it shows.
    border = min(border, min(picture.size) // 4)
    if border:
        picture = _print(picture, border, min(picture.size) * 0.09)
    canvas = Image.new("RGBA", (art.width, art.height))
    canvas.alpha_composite(picture, at)
    leaned = canvas.rotate(_LEAN, Image.Resampling.BICUBIC)
    return _shaded(leaned, art)


def monogram(art: HeroArt) -> Image.Image:
    w, h, p = art.width, art.height, art.palette
    side = min(w, h) - 2 * art.margin
    ball = sphere(w, h, w / 2, h / 2, side * 0.46, p.accent)
    shine = Image.new("L", (w, h))
    x, y = w / 2 - side * 0.24, h / 2 - side * 0.28
    ImageDraw.Draw(shine).ellipse((x, y, x + side * 0.16, y + side * 0.11), fill=190)
    white = Image.new("RGBA", (w, h), (255, 255, 255, 255))
    ball.paste(white, mask=shine.filter(ImageFilter.GaussianBlur(side * 0.015)))
    letter(ball, art, w / 2, h / 2, side * 0.42, p.on_accent)
    return _shaded(ball.rotate(_LEAN, Image.Resampling.BICUBIC), art)


def _print(picture: Image.Image, border: int, radius: float) -> Image.Image:
    """The photograph on white paper of the same size, `border` px of which show all around."""
    size = picture.size
    inner = (size[0] - 2 * border, size[1] - 2 * border)
    picture = picture.resize(inner, Image.Resampling.LANCZOS, reducing_gap=None)
    picture.putalpha(rounded_mask(inner, radius))
    paper = Image.new("RGBA", size, (255, 255, 255, 255))
    paper.putalpha(rounded_mask(size, radius + border))
    paper.alpha_composite(picture, (border, border))
    return paper


def _shaded(sprite: Image.Image, art: HeroArt) -> Image.Image:
    """A shadow in the ink's own hue, thrown down to the right."""
    canvas = Image.new("RGBA", sprite.size)
    drop = max(3, art.margin // 3)
    shape = on_canvas(art, sprite.getchannel("A"), (round(drop * 0.5), drop))
    soft = shape.filter(ImageFilter.GaussianBlur(drop * 0.55))
    shade = Image.new("RGBA", sprite.size, (*rgb(mix(art.palette.ink, "#000000", 0.2)), 0))
    shade.putalpha(soft.point(lambda v: int(v * 0.30)))
    canvas.alpha_composite(shade)
    canvas.alpha_composite(sprite)
    return canvas
