"""Random ads: payloads, scripts and pictures as the whole world might send them."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from PIL import Image

from jobs.payload import FRAMES, PLATFORM_FRAMES, PLATFORMS, STYLES
from pipeline.providers.script_ports import VISUALS
from pipeline.stage import Json
from tests.pipeline.visual import samples

#: (width, height) of pictures that must be refused by name, and of those that must work.
TOO_SMALL = ((1, 1), (1, 12_000), (12_000, 1), (15, 400))
TOO_LARGE = ((12_000, 12_000), (12_000, 4_500))
TOO_LONG = ((17, 900), (12_000, 16))
FITTING = ((16, 16), (45, 900), (12_000, 600), (640, 480), (1080, 1350), (12_000, 4_000))

_SAMPLES = (
    "Solstice Lamp", "Über-Größe №7", "Café crème brûlée", "Ночная лампа «Рассвет»",
    "Λάμπα ηλιοστασίου", "مصباح الانقلاب الشمسي", "מנורת היפוך", "अयनांत दीपक लैंप",
    "সূর্যের প্রদীপ",
    "โคมไฟฤดูร้อน", "夏至のランプ", "冬至台灯专业版", "하지 램프", "სანათი", "ጨረቃ መብራት",
    "🔥 Hot 👩‍👩‍👧 ☕️",
    'He said "now" \'n\' {then} \\N \\h [x]', "100% off; a=b,c:d/e\\f", "{\\pos(0,0)}<b>&amp;</b>",
    "$(rm -rf) `id` %s {0}", "W" * 40, "iiiiiiiiii",
    "a-very-long-hyphenated-word-without-any-space",
    "Donaudampfschifffahrtsgesellschaftskapitän", "-", "…", "€ 1.234.567,89",
)  # fmt: skip
_LETTERS = st.text(
    st.characters(
        exclude_categories=("C", "Z"), exclude_characters="\u2028\u2029", include_characters=" "
    ),
    min_size=1,
)


def texts(longest: int) -> st.SearchStrategy[str]:
    """Something visible of at most `longest` characters: real words mostly, noise at times."""
    words = st.lists(st.sampled_from(_SAMPLES), min_size=1, max_size=6).map(" ".join)
    return (
        st.one_of(st.sampled_from(_SAMPLES), words, _LETTERS)
        .map(lambda text: text[:longest].strip())
        .filter(bool)
    )


def _colour() -> st.SearchStrategy[str]:
    odd = st.sampled_from(["#000000", "#ffffff", "#ff00ff", "#00ff00", "#fffffe", "#808080"])
    return st.one_of(odd, st.integers(0, 0xFFFFFF).map(lambda value: f"#{value:06x}"))


@dataclass(frozen=True)
class Ad:
    """A payload, its script, and the sizes of its pictures."""

    payload: dict[str, Any]
    script: Json
    pictures: tuple[tuple[int, int], ...]


@st.composite
def ads(draw: st.DrawFn) -> Ad:
    platform = draw(st.sampled_from([None, *PLATFORMS]))
    pictures = tuple(draw(st.lists(st.sampled_from(FITTING), max_size=3)))
    money = st.one_of(st.integers(1, 10**7).map(lambda n: f"${n / 100:,.2f}"), texts(24))
    optional = {
        "description": texts(600),
        "price": money,
        "old_price": money,
        "rating": st.integers(0, 50).map(lambda tenths: tenths / 10),
        "cta_url": texts(60),
        "brand": st.fixed_dictionaries(
            {"colors": st.lists(_colour(), max_size=4)},
            optional={"font": st.sampled_from(["Inter", "Anton", "Fredoka", "Noto Sans"])},
        ),
    }
    payload = draw(
        st.fixed_dictionaries(
            {
                "id": st.just("random"),
                "product_name": texts(80),
                "cta_text": texts(40),
                "style": st.sampled_from(STYLES),
                "frames": st.sampled_from(PLATFORM_FRAMES[platform] if platform else FRAMES).map(
                    lambda frame: [frame]
                ),
                "platform": st.just(platform),
                "benefits": st.lists(texts(120), max_size=8),
                "captions": st.booleans(),
                "seed": st.integers(0, 2**31 - 1),
                "language": st.sampled_from(["en", "de", "ar", "hi", "zh-TW", "ja", "th"]),
            },
            optional=optional,
        )
    )
    roles = draw(st.lists(st.sampled_from(["benefit", "proof", "offer"]), min_size=1, max_size=3))
    scenes: list[tuple[str, str, str, str]] = [
        (role, draw(texts(40)), draw(texts(60)), draw(st.sampled_from(VISUALS)))
        for role in ("hook", "product", *roles, "cta")
    ]
    script = samples.script(scenes, language=str(payload["language"]))
    return Ad(payload, script, pictures)


@cache
def picture(size: tuple[int, int]) -> Path:
    """A PNG of that size, made once."""
    folder = Path(tempfile.mkdtemp(prefix="pictures-"))
    path = folder / "picture.png"
    Image.new("L", size, 90).save(path, compress_level=1)
    return path
