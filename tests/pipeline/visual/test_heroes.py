"""Each treatment shows the picture whole and in its own proportions, inside its sprite."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from jobs.payload import STYLES
from pipeline.media.hero import draw
from pipeline.media.hero.parts import HeroArt
from pipeline.media.hero.place import window
from pipeline.styles import load_style

#: A colour that no palette, shadow or frame has.
_MARK = (1, 250, 3)


def art(style: str, size: tuple[int, int]) -> HeroArt:
    look = load_style(style)
    return HeroArt(*size, look.palettes[0], look.display.font, "A", 40)


def marked(size: tuple[int, int], *, cut_out: bool) -> Image.Image:
    if not cut_out:
        return Image.new("RGBA", size, (*_MARK, 255))
    image = Image.new("RGBA", (size[0] + 80, size[1] + 80))
    image.paste((*_MARK, 255), (40, 40, 40 + size[0], 40 + size[1]))
    return image


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("cut_out", [True, False])
@pytest.mark.parametrize("size", [(300, 900), (900, 300), (500, 500)])
def test_a_picture_is_never_stretched_nor_cropped(
    style: str, cut_out: bool, size: tuple[int, int]
) -> None:
    treatment = load_style(style).hero
    sprite = draw(treatment, art(style, (640, 480)), marked(size, cut_out=cut_out))
    near = np.abs(sprite[..., :3] - _MARK).max(axis=2) < 90
    shown = near & (sprite[..., 3] > 200)
    ys, xs = np.nonzero(shown)
    assert xs.min() > 0 and xs.max() < 639 and ys.min() > 0 and ys.max() < 479
    # A leaning picture's box is that of its corners; its area tells its proportions as well.
    area, aspect = shown.sum(), size[0] / size[1]
    side = {"blob": 5, "sticker": 4}.get(treatment, 0)
    turn = np.radians(side)
    w, h = np.sqrt(area * aspect), np.sqrt(area / aspect)
    assert np.ptp(xs) + 1 == pytest.approx(w * np.cos(turn) + h * np.sin(turn), rel=0.09)
    assert np.ptp(ys) + 1 == pytest.approx(h * np.cos(turn) + w * np.sin(turn), rel=0.09)
    assert max(np.ptp(xs) / 640, np.ptp(ys) / 480) > 0.5  # and it is large


@pytest.mark.parametrize("style", STYLES)
def test_a_close_up_fills_its_window(style: str) -> None:
    image = marked((300, 600), cut_out=True)
    sprite = draw(load_style(style).hero, art(style, (640, 480)), image, focus=0.4)
    box = window(640, 480)
    middle = sprite[round(box.cy), round(box.cx)]
    assert np.abs(middle[:3] - _MARK).max() < 30
    corner = sprite[round(box.bottom) - 30, round(box.x) + 30]
    assert corner[3] > 200 or load_style(style).hero == "blob"


@pytest.mark.parametrize("style", STYLES)
def test_without_a_picture_there_is_a_monogram(style: str) -> None:
    sprite = draw(load_style(style).hero, art(style, (400, 500)), None)
    assert (sprite[..., 3] > 200).mean() > 0.02
    assert sprite[..., 3][[0, -1]].max() == 0


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("cut_out", [True, False])
@pytest.mark.parametrize("size", [(2000, 100), (100, 2000), (320, 16), (16, 320), (16, 16)])
def test_strips_and_tiny_pictures_are_drawn(
    style: str, cut_out: bool, size: tuple[int, int]
) -> None:
    image = Image.new("RGBA", size, (*_MARK, 255))
    if cut_out:
        image.putpixel((0, 0), (0, 0, 0, 0))
    for room in [(640, 480), (130, 90), (40, 160), (24, 24)]:
        sprite = draw(load_style(style).hero, art(style, room), image)
        assert sprite.shape == (room[1], room[0], 4)
        assert sprite[..., 3].max() > 0
