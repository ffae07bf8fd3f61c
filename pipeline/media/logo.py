"""The logo: fitted into its row, never stretched, on a plate where it could not be seen."""

from __future__ import annotations

import numpy as np
from PIL import Image

from pipeline.media.colors import rgb
from pipeline.media.hero.parts import cropped, rounded_mask
from pipeline.media.paths import Box
from pipeline.media.yuv import Floats

#: Height in the row, as a share: on the end card, and discreetly on every other scene.
END_CARD, CORNER = 1.0, 0.72
#: A wordmark may take this share of the row's width.
_WIDEST = 0.5
#: Small files are not blown up beyond this.
_ENLARGED = 1.5
#: Pixels below this contrast cannot be seen; so many of them call for a plate.
_SEEN, _LOST_SHARE = 2.4, 0.3
_PLATES = ("#ffffff", "#16161a")


def lay_logo(
    picture: Floats, logo: Image.Image, row: Box, *, centered: bool, size: float
) -> str | None:
    """Lay `logo` (RGBA) over `picture` (RGB, 0 to 255) in `row`; the plate's colour, if any."""
    whole = cropped(logo)
    placed, at = _placed(whole, row, size, centered, pad=0.0)
    ground = picture[at[1] : at[1] + placed.height, at[0] : at[0] + placed.width]
    plate = None
    if _lost(placed, ground.mean(axis=(0, 1))) > _LOST_SHARE:
        plate = min(_PLATES, key=lambda color: _lost(placed, np.array(rgb(color), np.float32)))
        placed, at = _placed(whole, row, size, centered, pad=0.2)
        pad = round(placed.height * 0.25)
        card = Image.new("RGBA", (placed.width + 2 * pad, placed.height + 2 * pad), plate)
        card.putalpha(rounded_mask(card.size, card.height * 0.22))
        card.alpha_composite(placed, (pad, pad))
        placed = card
        at = (at[0] if not centered else at[0] - pad, max(0, at[1] - pad))
    _over(picture, placed, at)
    return plate


def _placed(
    logo: Image.Image, row: Box, size: float, centered: bool, pad: float
) -> tuple[Image.Image, tuple[int, int]]:
    height = row.h * size * (1 - 2 * pad)
    scale = min(height / logo.height, row.w * _WIDEST / logo.width, _ENLARGED)
    shape = (max(2, round(logo.width * scale)), max(2, round(logo.height * scale)))
    left = row.cx - shape[0] / 2 if centered else row.x
    top = row.y + (row.h - shape[1]) / 2
    return logo.resize(shape, Image.Resampling.LANCZOS), (round(left), round(top))


def _lost(logo: Image.Image, ground: Floats) -> float:
    """The share of the logo's ink that has too little contrast on `ground`."""
    pixels = np.asarray(logo, dtype=np.float32)
    weight = pixels[..., 3]
    high, low = _luminance(pixels[..., :3]), _luminance(np.asarray(ground))
    ratio = (np.maximum(high, low) + 0.05) / (np.minimum(high, low) + 0.05)
    return float((weight * (ratio < _SEEN)).sum() / max(1.0, weight.sum()))


def _luminance(color: Floats) -> Floats:
    linear = (color / 255) ** 2.2
    weights = np.array((0.2126, 0.7152, 0.0722), np.float32)
    return np.asarray(linear @ weights, dtype=np.float32)


def _over(picture: Floats, sprite: Image.Image, at: tuple[int, int]) -> None:
    x, y = at
    part = picture[y : y + sprite.height, x : x + sprite.width]
    layer = np.asarray(sprite, dtype=np.float32)[: part.shape[0], : part.shape[1]]
    share = layer[..., 3:] / 255
    part += (layer[..., :3] - part) * share
