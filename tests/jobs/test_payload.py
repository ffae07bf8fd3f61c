"""Bad input gets an error that names the field; good input of all scripts passes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from errors import InvalidInput
from jobs.payload import VideoJob, parse_job

GOOD: dict[str, Any] = {"id": "a", "product_name": "Mug"}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"product_name": ""}, "product_name"),
        ({"product_name": "   "}, "product_name"),
        ({"product_name": None}, "product_name"),
        ({"product_name": "x" * 10_000}, "product_name"),
        ({"product_name": "a\x00b"}, "product_name"),
        ({"product_name": "a\x1b[31m"}, "product_name"),
        ({"product_name": "\u202eevil"}, "product_name"),
        ({"style": "baroque"}, "style"),
        ({"cta_text": "y" * 10_000}, "cta_text"),
        ({"description": "z" * 10_000}, "description"),
        ({"id": "a/b"}, "id"),
        ({"id": "../etc"}, "id"),
        ({"id": ""}, "id"),
        ({"id": "x" * 65}, "id"),
        ({"brand": {"colors": ["red"]}}, "brand.colors.0"),
        ({"frames": ["9:16", "9:16"]}, "frames"),
        ({"frames": ["2:1"]}, "frames.0"),
        ({"frames": ["9:16", "1:1"], "platform": "broadcast"}, "frames"),
        ({"frames": ["16:9"], "platform": "youtube_shorts"}, "frames"),
        ({"variants": 6}, "variants.hooks"),
        ({"variants": {"hooks": 2, "colour": "red"}}, "variants.colour"),
        ({"variants": {"ctas": ["Buy", "Try", "Buy"]}}, "variants.ctas"),
        ({"variants": {"ctas": ["Shop now"]}}, "variants.ctas"),
        (
            {"variants": {"hooks": 5, "ctas": ["A", "B"]}, "frames": ["9:16", "1:1"]},
            "variants",
        ),
        ({"platform": "myspace"}, "platform"),
        ({"callback_url": ""}, "callback_url"),
        ({"brand": {"font": "Comic Sans"}}, "brand.font"),
        ({"rating": 6}, "rating"),
        ({"duration_s": 600}, "duration_s"),
        ({"seed": -1}, "seed"),
        ({"benefits": "one"}, "benefits"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_each_wrong_field_is_named(change: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_job(GOOD | change)
    assert caught.value.field == field
    assert str(caught.value).startswith(f"{field}: ")
    assert len(str(caught.value)) < 600


def test_a_missing_product_name_is_named() -> None:
    with pytest.raises(InvalidInput, match="product_name: is required"):
        parse_job({"id": "a"})


@pytest.mark.parametrize("payload", [None, [], "text", 3])
def test_a_payload_that_is_no_object_is_refused(payload: object) -> None:
    with pytest.raises(InvalidInput, match="payload"):
        parse_job(payload)


def test_unknown_fields_of_foreign_producers_are_ignored() -> None:
    assert parse_job(GOOD | {"colour": "red"}, foreign=True).product_name == "Mug"


@pytest.mark.parametrize(
    "text",
    [
        "قهوة الصباح",
        "מוצר חדש",
        "咖啡杯",
        "☕️ Mug 🇩🇪 👩‍👩‍👧",
        '100% "Real": {Braces} \\ back\'slash; $(rm -rf) `x` | & %d',
        "<script>alert(1)</script>",
        "Crème brûlée №5",
    ],
)
def test_texts_of_all_kinds_stay_as_they_are(text: str) -> None:
    assert parse_job(GOOD | {"product_name": text}).product_name == text


def test_white_space_becomes_one_line() -> None:
    assert parse_job(GOOD | {"product_name": " a\n b\t c "}).product_name == "a b c"


def test_a_number_is_taken_as_a_price() -> None:
    assert parse_job(GOOD | {"price": 19.99}).price == "19.99"


@given(
    st.dictionaries(
        st.sampled_from([*VideoJob.model_fields, "x"]),
        st.one_of(
            st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.lists(st.text())
        ),
    )
)
def test_any_payload_is_a_job_or_an_error_that_names_a_field(payload: dict[str, Any]) -> None:
    try:
        job = parse_job(payload)
    except InvalidInput as error:
        assert error.field
    else:
        assert job.product_name.strip()


def test_a_bundled_font_may_be_named_in_any_case() -> None:
    assert (
        parse_job(GOOD | {"brand": {"font": "playfair display"}}).brand.font == "Playfair Display"
    )
