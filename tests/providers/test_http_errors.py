"""The one translation of vendors' answers into errors of ours."""

from __future__ import annotations

from typing import Any

import pytest

from errors import ProviderRefused, ProviderUnavailable
from pipeline.providers.http_errors import (
    CLAUDE,
    ELEVENLABS,
    FAL,
    OPENAI,
    REPLICATE,
    Declined,
    NotFound,
    Unanswered,
    Vendor,
    translated,
)

_VENDORS = (CLAUDE, OPENAI, ELEVENLABS, REPLICATE, FAL)


def _hint(headers: dict[str, str], body: Any = None, now: float = 0.0) -> float | None:
    error = translated(CLAUDE, 429, headers, body, now=now)
    assert isinstance(error, ProviderUnavailable)
    return error.retry_after_s


@pytest.mark.parametrize("vendor", _VENDORS, ids=lambda vendor: vendor.title)
def test_every_status_has_its_place_and_names_the_vendor(vendor: Vendor) -> None:
    for status in (408, 409, 425, 429, 500, 503, 529):
        assert isinstance(translated(vendor, status, {}, None), ProviderUnavailable)
    for status in (400, 401, 402, 403, 404, 405, 413, 422):
        error = translated(vendor, status, {}, None)
        assert isinstance(error, ProviderRefused) and vendor.title in str(error)
    assert isinstance(translated(vendor, 404, {}, None), NotFound)
    assert vendor.key_setting in str(translated(vendor, 401, {}, None))
    for status in (502, 504):
        assert isinstance(translated(vendor, status, {}, None), Unanswered)
    assert isinstance(translated(vendor, 500, {}, None), Unanswered) == vendor.can_be_asked


@pytest.mark.parametrize(
    ("vendor", "status", "body", "kind"),
    [
        (ELEVENLABS, 401, {"detail": {"status": "quota_exceeded"}}, ProviderRefused),
        (ELEVENLABS, 400, {"detail": {"status": "system_busy"}}, ProviderUnavailable),
        (CLAUDE, 400, {"error": {"message": "Your credit balance is too low"}}, ProviderRefused),
        (OPENAI, 429, {"error": {"code": "insufficient_quota"}}, ProviderRefused),
        (OPENAI, 400, {"error": {"code": "content_policy_violation"}}, Declined),
        (FAL, 422, {"detail": [{"type": "content_policy_violation"}]}, Declined),
    ],
)
def test_a_code_in_the_body_says_more_than_the_status(
    vendor: Vendor, status: int, body: Any, kind: type[Exception]
) -> None:
    assert isinstance(translated(vendor, status, {}, body), kind)


@pytest.mark.parametrize("body", [None, [], "text", 5, {"detail": []}, {"error": "x"}, {"a": {}}])
@pytest.mark.parametrize("vendor", _VENDORS, ids=lambda vendor: vendor.title)
def test_a_body_of_any_shape_is_survived(vendor: Vendor, body: Any) -> None:
    assert vendor.title in str(translated(vendor, 400, {}, body))


def test_hints_are_read_in_order() -> None:
    assert _hint({"retry-after-ms": "1500", "retry-after": "9"}, {"retry_after": 5}) == 1.5
    assert _hint({"retry-after": "9"}, {"retry_after": 5}) == 9
    assert _hint({}, {"retry_after": 5}) == 5
    assert _hint({}) is None


def test_a_date_is_a_hint_and_one_in_the_past_is_none_to_wait() -> None:
    date = {"retry-after": "Thu, 01 Jan 1970 00:01:00 GMT"}
    assert _hint(date, now=20.0) == 40
    assert _hint(date, now=200.0) == 0


@pytest.mark.parametrize("value", ["soon", "-3", "nan", "inf", ""])
def test_a_senseless_hint_is_ignored(value: str) -> None:
    assert _hint({"retry-after": value}) is None


def test_a_hint_is_at_most_a_day() -> None:
    assert _hint({"retry-after": "99999999"}) == 86_400


def test_nothing_of_the_answer_reaches_the_user() -> None:
    for status in (400, 401, 429, 500):
        body = {"error": {"message": "key sk-secret"}, "detail": {"message": "sk-secret"}}
        for vendor in _VENDORS:
            assert "secret" not in str(translated(vendor, status, {}, body))
