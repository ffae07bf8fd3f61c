"""A skin-care serum in a green glass bottle with a dropper, and its maker's logo."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from examples.products.drawing.render import FINE, SIDE, Array, Studio, Surface
from pipeline.media.fonts import font_file

_GLASS = Surface((36, 112, 92), gloss=0.9, clear=0.10)
_LIQUID = Surface((24, 84, 70), gloss=0.0)
_GOLD = Surface((224, 184, 116), gloss=0.75, metal=1.0)
_RUBBER = Surface((34, 36, 40), gloss=0.35)
_PAPER = Surface((255, 253, 246), gloss=0.22)
_INK = (30, 92, 76)


def draw() -> Image.Image:
    """The bottle, 1200 x 1200."""
    s = Studio()
    _turned(s, [(70, 30), (84, 52), (120, 62), (230, 66), (292, 72)], _RUBBER)
    _turned(s, [(286, 92), (296, 98), (378, 98), (388, 94)], _GOLD)
    for y in range(304, 372, 12):
        s.shade(np.clip(2.5 - np.abs(s.y - y), 0, 1) * (np.abs(s.x - 600) < 97), 0.22)
    _turned(s, [(388, 76), (420, 78), (448, 110), (484, 190), (520, 206), (1080, 206),
                (1112, 200), (1130, 176)], _LIQUID)  # fmt: skip
    _turned(s, [(384, 80), (420, 84), (448, 118), (484, 204), (520, 220), (1096, 220),
                (1128, 212), (1146, 186)], _GLASS)  # fmt: skip
    _turned(s, [(640, 220.5), (1000, 220.5)], _PAPER)
    s.lay(np.array(_INK, np.float32), _print())
    # The strip light runs over glass and label alike.
    edge = np.exp(-(((s.x - 458) / 15) ** 2)) * np.clip((s.y - 520) / 40, 0, 1)
    strip = edge * np.clip((1090 - s.y) / 40, 0, 1) * 0.42 * (s.pixels[..., 3] > 0.5)
    s.lay(np.array((255, 255, 255), np.float32), strip)
    return s.picture()


def logo() -> Image.Image:
    """The maker's mark and name in one dark green, 900 x 240 on a transparent ground."""
    image = Image.new("RGBA", (900, 240))
    pen = ImageDraw.Draw(image)
    tone = (*_INK, 255)
    pen.ellipse((20, 40, 180, 200), fill=tone)
    pen.ellipse((74, 28, 206, 160), fill=(0, 0, 0, 0))
    pen.text((236, 112), "lumen", font=_font(190), fill=tone, anchor="lm")
    return image.crop(image.getbbox())


def _turned(s: Studio, profile: list[tuple[float, float]], surface: Surface) -> None:
    """A body of revolution about x = 600: (y, radius) pairs from its top to its foot."""
    ys, radii = zip(*profile, strict=True)
    # Averaged over a few pixels along the axis: glass has no sharp corners.
    fine = np.arange(ys[0], ys[-1], 0.5)
    reach = 21
    padded = np.pad(np.interp(fine, ys, radii), reach, mode="edge")
    smooth = np.convolve(padded, np.hanning(2 * reach + 1), "valid") / reach
    radius = np.interp(s.y, fine, smooth)
    off = s.x - 600
    height = np.sqrt(np.clip(radius**2 - off**2, 1e-2, None))
    inside = np.minimum(radius - np.abs(off), np.minimum(s.y - ys[0], ys[-1] - s.y))
    s.body(height, inside, surface)


def _print() -> Array:
    """The label's print, bent a little around the bottle."""
    side = SIDE * FINE
    flat = Image.new("L", (side, side))
    pen = ImageDraw.Draw(flat)
    pen.text((600 * FINE, 770 * FINE), "lumen", font=_font(96 * FINE), fill=255, anchor="mm")
    pen.rectangle((560 * FINE, 838 * FINE, 640 * FINE, 841 * FINE), fill=255)
    small = ImageFont.truetype(str(font_file("Inter")), 25 * FINE)
    for y, text in ((880, "NIGHT REPAIR"), (916, "SERUM  30 ml")):
        pen.text((600 * FINE, y * FINE), text, font=small, fill=255, anchor="mm")
    across = (np.arange(side) / FINE - 600) / 220.5
    turn = np.arcsin(np.clip(across, -1, 1)) * 220.5 + 600
    columns = np.clip(np.round(turn * FINE), 0, side - 1).astype(int)
    return np.asarray(flat, np.float32)[:, columns] / 255 * (np.abs(across) < 1)


def _font(size: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.truetype(str(font_file("Playfair Display Italic")), size)
    font.set_variation_by_axes([560])
    return font
