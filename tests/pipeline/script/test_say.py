"""How written words are said."""

from __future__ import annotations

import pytest

from pipeline.providers.say import is_speakable, said


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("$19.99", "19 99"),
        ("$19.99!", "19 99!"),
        ("$20", "20 dollars"),
        ("$1", "1 dollar"),
        ("$0.99", "99 cents"),
        ("$19.05", "19 oh 5"),
        ("$1,299.50", "1299 dollars 50"),
        ("€38", "38 euros"),
        ("38€.", "38 euros."),
        ("£24.50", "24 pounds 50"),
        ("£0.01", "1 penny"),
        ("¥2,000", "2000 yen"),
        ("4.8", "4 point 8"),
        ("shop.com", "shop dot com"),
        ("24/7", "24 7"),
        ("#1", "number 1"),
        ("R&D", "R and D"),
        ("it’s", "it's"),
        ("café", "café"),
        ("50%", "50%"),
        ("—", ""),
        ("🔥", ""),
        ("水筒", ""),
        ("[[x]]", "x"),
        ("$999999999999999999", ""),
    ],
)
def test_words_are_said_as_a_speaker_would(written: str, spoken: str) -> None:
    assert said(written) == spoken


@pytest.mark.parametrize(
    ("text", "speakable"),
    [("AquaPure", True), ("X-200", True), ("水筒", False), ("!!!", False), ("AB سماعات", False)],
)
def test_speakable_text_is_mostly_latin(text: str, speakable: bool) -> None:
    assert is_speakable(text) is speakable
