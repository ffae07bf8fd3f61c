"""Text is set as outlines: of any script, never larger than its room."""

from __future__ import annotations

import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.media.fonts import FontSpec, face_for, faces
from pipeline.media.text import TextStyle, fit, is_rtl, shape_line

STYLES = [
    TextStyle(FontSpec("Inter", 720), tracking=-0.038, leading=1.06),
    TextStyle(FontSpec("Anton"), leading=1.06, upper=True, align="center"),
]
TEXTS = st.text(
    st.sampled_from(string.ascii_letters + " .,-'\"%{}\\&$€éßЖשלوم日本नि☕️🔥"),
    min_size=1,
    max_size=120,
).filter(lambda text: bool(text.strip()))


@settings(max_examples=60, deadline=None)
@given(TEXTS, st.sampled_from(STYLES), st.integers(160, 900), st.integers(60, 900))
def test_a_block_never_exceeds_its_room(
    text: str, style: TextStyle, width: int, height: int
) -> None:
    block = fit(text, style, width, height, largest=150, smallest=12)
    assert block.height <= height + 0.5 or len(block.lines) == 1
    assert all(line.width <= width + 0.5 for line in block.lines)


@pytest.mark.parametrize("leading", [0.8, 1.0])
@pytest.mark.parametrize(
    "text", ["مصباح الانقلاب الشمسي الجديد", "Äg Ég\u0302 jq Åg", "सूर्य की नई रोशनी ऊँची"]
)
def test_tight_lines_do_not_reach_out_of_their_block(text: str, leading: float) -> None:
    """The last line may be the flattest: what an inner one sends below it counts as well."""
    style = TextStyle(FontSpec("Anton"), leading=leading)

    block = fit(text, style, 420, 600, largest=200, smallest=12)

    assert len(block.lines) > 1
    assert block.ink.y >= -0.5
    assert block.ink.bottom <= block.height + 0.5 <= 601


@pytest.mark.parametrize("char", ["ж", "ü", "م", "ש", "न", "日", "한", "☕", "₹", "→", "ไ"])
def test_every_script_has_a_face_that_draws_it(char: str) -> None:
    chain = faces(FontSpec("Anton"))
    assert chain[face_for(char, chain)].face.covers(char)
    assert shape_line(char, STYLES[0], 100).path


@pytest.mark.parametrize("char", list("{}\\%:'\"\\"))
def test_characters_that_formats_know_are_drawn_as_they_are(char: str) -> None:
    assert shape_line(char, STYLES[0], 100).path != shape_line("?", STYLES[0], 100).path
    assert shape_line(char, STYLES[0], 100).path


def test_right_to_left_text_is_reordered_and_joined() -> None:
    arabic = "سلام"
    joined = shape_line(arabic, STYLES[0], 100)
    apart = sum(shape_line(char, STYLES[0], 100).width for char in arabic)
    assert is_rtl(arabic)
    assert joined.width < apart  # joined forms are narrower than isolated ones
    # A Latin word after a Hebrew one stands to its left.
    mixed = shape_line("שלום AB", STYLES[0], 100)
    latin = shape_line("AB", STYLES[0], 100).path.bounds()
    assert mixed.path.bounds().x == pytest.approx(latin.x, abs=1)


def test_a_right_to_left_block_is_aligned_right() -> None:
    block = fit("שלום", STYLES[0], 800, 200, 100, 20)
    assert block.ink.right > 780


def test_too_much_text_is_cut_with_an_ellipsis() -> None:
    block = fit("word " * 200, STYLES[0], 300, 80, 60, 30)
    assert block.cut
    assert block.lines[-1].text.endswith("…")
