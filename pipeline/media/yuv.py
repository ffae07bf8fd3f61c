"""Pixels as the encoder wants them: BT.709, limited range, 4:2:0, dithered, raw.

Converting here, once a still, keeps every frame free of colour conversion in the filtergraph
and lets gradients be dithered at their full precision: 8 bits alone would show bands.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

_KR, _KB = 0.2126, 0.0722
_KG = 1 - _KR - _KB
#: Two for the sampling between pixels, two for the halved chroma.
_BLEED_PX = 4


def write_yuv(image: Floats, path: Path, *, dithered: bool) -> None:
    """Write an RGB image (h, w, 3; 0 to 255, display-referred; even sides) as raw yuv420p.

    Flat art needs no dither, and the encoder is spared the grain.
    """
    path.write_bytes(b"".join(_planes(image, dithered)))


def write_yuva(image: Floats, path: Path) -> None:
    """Write a straight-alpha RGBA image (h, w, 4; even sides) as raw yuva420p, undithered."""
    alpha = np.clip(image[..., 3] + 0.5, 0, 255).astype(np.uint8)
    path.write_bytes(b"".join([*_planes(_bled(image), dithered=False), alpha.tobytes()]))


def _bled(image: Floats) -> Floats:
    """The colours, carried a few pixels out into where nothing is seen.

    A sprite that is sampled between its pixels mixes colour and alpha each for itself: with
    black outside, its edge would darken and lighten as it moves, which reads as shaking.
    """
    color, seen = image[..., :3].copy(), (image[..., 3] > 0).astype(np.float32)
    for _ in range(_BLEED_PX):
        total, count = np.zeros_like(color), np.zeros_like(seen)
        for axis in (0, 1):
            for shift in (-1, 1):
                near = np.roll(seen, shift, axis)
                total += np.roll(color, shift, axis) * near[..., None]
                count += near
        grown = (seen == 0) & (count > 0)
        color[grown] = total[grown] / count[grown][:, None]
        seen[grown] = 1
    return color


def _planes(image: Floats, dithered: bool) -> list[bytes]:
    red, green, blue = (image[..., channel] for channel in range(3))
    luma = _KR * red + _KG * green + _KB * blue
    cb = _halved((blue - luma) / (2 * (1 - _KB)))
    cr = _halved((red - luma) / (2 * (1 - _KR)))
    return [
        _bytes(16 + luma * (219 / 255), dithered),
        _bytes(128 + cb * (224 / 255), dithered),
        _bytes(128 + cr * (224 / 255), dithered),
    ]


def _halved(plane: Any) -> Any:
    return (plane[::2, ::2] + plane[1::2, ::2] + plane[::2, 1::2] + plane[1::2, 1::2]) / 4


def _bytes(plane: Any, dithered: bool) -> bytes:
    height, width = plane.shape
    # One step wide: the rounding error no longer follows the picture, so there are no bands.
    grain = _tiled(height, width) if dithered else 0.5
    return bytes(np.clip(plane + grain, 1, 254).astype(np.uint8).tobytes())


def _tiled(height: int, width: int) -> Floats:
    side = len(_GRAIN)
    return np.tile(_GRAIN, (-(-height // side), -(-width // side)))[:height, :width]


def _bayer(doublings: int) -> Floats:
    """Bayer's threshold matrix, between 0 and 1."""
    matrix = np.zeros((1, 1), np.float32)
    for _ in range(doublings):
        matrix = np.block([[4 * matrix, 4 * matrix + 2], [4 * matrix + 3, 4 * matrix + 1]])
    return ((matrix + 0.5) / matrix.size).astype(np.float32)


#: As large as the encoder's transform: what repeats from block to block takes it few numbers,
#: and so outlasts it at a third of the bytes that random grain needs.
_GRAIN = _bayer(3)
