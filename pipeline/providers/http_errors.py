"""What a paid provider's answer means to a job: one table per vendor, one translation for all.

    408, 409, 429, 5xx, 529     ProviderUnavailable, with the vendor's own hint of when
    cut, or no answer in time   Unanswered: the work may have been done all the same
    400, 401, 402, 403, 404,
    413, 422, moderation        ProviderRefused: a person must act

Messages name the provider and what to do. They hold nothing that the vendor sent: an answer
may repeat the key, a signed URL or a user's text.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from errors import ProviderRefused, ProviderUnavailable, WorkerError

#: Answers of 4xx that pass by themselves.
_PASSING = frozenset({408, 409, 425, 429})
#: A gateway gave up on the vendor behind it, which may have gone on with the work.
_GATEWAY = frozenset({502, 504})
#: Longer hints are cut to this: no vendor pauses for a day.
_MAX_HINT_S = 86_400.0


class Unanswered(ProviderUnavailable):
    """The request was sent and the answer is missing or unreadable: it may have been charged."""


class NotFound(ProviderRefused):
    """The vendor does not know what was asked for: a model, a voice, an earlier request."""


class Declined(ProviderRefused):
    """The vendor's moderation will not have the content."""


@dataclass(frozen=True)
class Vendor:
    """How one vendor words its errors. `code_of` finds the machine-readable word in a body."""

    title: str
    key_setting: str
    code_of: Callable[[Any], str]
    #: Codes that a person must settle, whatever the status, and what to do about them.
    refused: Mapping[str, str] = field(default_factory=dict)
    #: Codes that pass by themselves, whatever the status.
    passing: frozenset[str] = frozenset()
    #: The vendor can be asked what became of a request, so no fault of its own settles one.
    can_be_asked: bool = False


def _at(body: Any, *path: str) -> Any:
    for name in path:
        body = body.get(name) if isinstance(body, Mapping) else None
    return body


def _claude_code(body: Any) -> str:
    # An empty balance is a plain 400; only its words tell.
    text = str(_at(body, "error", "message") or "").lower()
    if "credit balance" in text or "usage limit" in text:
        return "spending_limit"
    return str(_at(body, "error", "type") or "")


def _fal_code(body: Any) -> str:
    detail = _at(body, "detail")
    first = detail[0] if isinstance(detail, list) and detail else None
    return str(_at(first, "type") or "")


_NO_MONEY = "has no credit or quota left; add some, or raise the limit, in its console"
_MODERATED = "declined the content; change the product's words or pictures"

CLAUDE = Vendor(
    "Claude", "ANTHROPIC_API_KEY", _claude_code, {"spending_limit": _NO_MONEY},
)  # fmt: skip
OPENAI = Vendor(
    "the OpenAI-compatible writer",
    "OPENAI_API_KEY",
    lambda body: str(_at(body, "error", "code") or _at(body, "error", "type") or ""),
    {"insufficient_quota": _NO_MONEY, "content_policy_violation": _MODERATED},
)
ELEVENLABS = Vendor(
    "ElevenLabs",
    "ELEVENLABS_API_KEY",
    lambda body: str(_at(body, "detail", "status") or ""),
    {"quota_exceeded": _NO_MONEY, "voice_not_found": "does not know the voice; check its id"},
    frozenset({"too_many_concurrent_requests", "system_busy"}),
    can_be_asked=True,
)
REPLICATE = Vendor("Replicate", "REPLICATE_API_TOKEN", lambda _: "", can_be_asked=True)
FAL = Vendor("fal", "FAL_KEY", _fal_code, {"content_policy_violation": _MODERATED})


def translated(
    vendor: Vendor, status: int, headers: Mapping[str, str], body: Any, *, now: float = math.nan
) -> WorkerError:
    """The error that an answer of `status` stands for. `now` replaces the clock in tests."""
    code = vendor.code_of(body)
    if code in vendor.refused:
        refusal = Declined if vendor.refused[code] == _MODERATED else ProviderRefused
        return refusal(f"{vendor.title} {vendor.refused[code]}")
    if status in _PASSING or status >= 500 or code in vendor.passing:
        hint = _hint_s(headers, body, now)
        if status in _GATEWAY or (status >= 500 and vendor.can_be_asked):
            return Unanswered(f"{vendor.title} failed to answer", retry_after_s=hint)
        busy = status in (429, 529) or code in vendor.passing
        words = "is busy" if busy else f"has a fault of its own (HTTP {status})"
        return ProviderUnavailable(f"{vendor.title} {words}", retry_after_s=hint)
    refused = NotFound if status == 404 else ProviderRefused
    return refused(f"{vendor.title} {_refusal(vendor, status)}")


def declined(vendor_title: str) -> Declined:
    """Moderation, told by something else than a status."""
    return Declined(f"{vendor_title} {_MODERATED}")


def unreachable(vendor: Vendor) -> ProviderUnavailable:
    """No connection came about: nothing was sent."""
    return ProviderUnavailable(f"{vendor.title} could not be reached; check the network")


def unanswered(vendor: Vendor) -> Unanswered:
    """The connection ended before a whole answer."""
    return Unanswered(f"{vendor.title} broke off before its answer was complete")


def unreadable(vendor: Vendor) -> Unanswered:
    """An answer of 200 that is not what was agreed."""
    return Unanswered(f"{vendor.title} sent an answer that cannot be read")


def _refusal(vendor: Vendor, status: int) -> str:
    if status == 401:
        return f"did not accept the key; check {vendor.key_setting}"
    if status == 402:
        return _NO_MONEY
    if status == 403:
        return f"does not allow this with the key given; check what {vendor.key_setting} may do"
    if status == 404:
        return "does not know the model or voice asked for; check its name"
    if status == 413:
        return "found the request too large; shorten the product's words or use a smaller picture"
    return f"refused the request (HTTP {status}); check the model's settings"


def _hint_s(headers: Mapping[str, str], body: Any, now: float) -> float | None:
    """Seconds to wait: retry-after-ms, then Retry-After (a number or a date), then the body."""
    if (ms := _number(headers.get("retry-after-ms"))) is not None:
        return ms / 1000
    after = headers.get("retry-after")
    if (seconds := _number(after)) is not None:
        return seconds
    if after:
        try:
            until = parsedate_to_datetime(after)
        except ValueError:
            until = None
        if until is not None:
            seen = datetime.now(UTC).timestamp() if math.isnan(now) else now
            return min(_MAX_HINT_S, max(0.0, until.timestamp() - seen))
    return _number(_at(body, "retry_after"))


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return min(_MAX_HINT_S, number) if math.isfinite(number) and number >= 0 else None
