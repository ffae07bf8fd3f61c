"""Posters of the bold style: plain capitals set evenly, and all other ink inside its room."""

from __future__ import annotations

import pytest

from jobs.payload import FRAMES
from pipeline.media.paths import Box
from pipeline.media.text import TextStyle
from pipeline.styles import load_style
from pipeline.styles.bold.poster import Row, height_of, stack
from pipeline.styles.scene import Picture
from tests.pipeline.visual.test_layout import check, scenes

ROOM = Box(0, 0, 900, 500)
REACHING = [
    "ÅÉÜ ẪÇŞ ĢỠỆ", "Über-Größe №7", "(; (; (;", "[Q], @Q; {j}", "مصباح الانقلاب الشمسي",
    "夏至 の ランプ 台灯", "अयनांत दीपक लैंप", "โคมไฟ ฤดูร้อน ปู่ ญู", "Ночная лампа «Ёлка Й»",
    "Ậ́̈̊̃ ḇ̣̤̥ X̂́̈",
]  # fmt: skip


def display() -> TextStyle:
    return load_style("bold").display


def rows(text: str, room: Box = ROOM) -> list[Row]:
    found = stack(text, display(), room, 400, 20)
    assert found is not None
    return found


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize("text", REACHING)
def test_marks_and_other_scripts_stay_in_the_safe_zone_and_apart(text: str, frame: str) -> None:
    for pictures in ([], [Picture(0, 0.6, True), Picture(1, 1.6, False)]):
        for scene in scenes(
            text, pictures, style="bold", frames=[frame], product_name=text, benefits=[text, text]
        ):
            check(scene)


@pytest.mark.parametrize("text", REACHING)
@pytest.mark.parametrize("room", [ROOM, Box(0, 0, 900, 160), Box(0, 0, 300, 900)])
def test_a_posters_height_counts_all_of_its_ink(text: str, room: Box) -> None:
    found = rows(text, room)

    assert height_of(found) <= room.h + 0.01
    for row in found:
        ink = row.path.bounds()
        size = row.cap / rows("H")[0].cap * 400
        assert -ink.y <= row.rise + 0.02 * size
        assert ink.bottom <= row.drop + 0.02 * size
        assert row.width <= room.w + 0.01


def test_plain_capitals_are_set_by_their_height_alone() -> None:
    one, two = rows("UPGRADE"), rows("OUR GOOD COFFEE TIME.")

    assert one[0].rise == one[0].cap
    assert len(two) > 1
    assert all((row.rise, row.drop) == (row.cap, 0.0) for row in two)
    gap = sum(row.cap for row in two[:-1]) * 0.274
    assert height_of(two) == pytest.approx(sum(row.cap for row in two) + gap)


def test_a_comma_fits_into_the_gap_of_plain_rows() -> None:
    plain, comma = (
        height_of([*rows(first), *rows("TIME")]) - rows(first)[0].cap * 1.274
        for first in ("HHHH", "HHHH,")
    )

    assert comma == pytest.approx(plain)


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize("old", ["ab Donaudampfschiffahrt", "€ 1.234.567,89 pro Stück", "$99"])
@pytest.mark.parametrize("price", ["ab Donaudampfschiffahrt", "€ 1.234.567,89 pro Stück", "$79"])
def test_prices_that_wrap_stand_apart(price: str, old: str, frame: str) -> None:
    for scene in scenes(style="bold", frames=[frame], price=price, old_price=old):
        check(scene)
