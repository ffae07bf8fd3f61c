"""The payload of a video job: every field, its limits, and the errors that name it."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    field_validator,
    model_validator,
)

from errors import InvalidInput
from jobs.choices import FRAMES as FRAMES
from jobs.choices import PLATFORM_FRAMES as PLATFORM_FRAMES
from jobs.choices import PLATFORMS as PLATFORMS
from jobs.choices import STYLES as STYLES

#: Safe as a file name, a Redis key part and a URL part.
ID_PATTERN = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
#: The families that a brand may name; a test holds the list against the bundled files.
FONTS = (
    *("Anton", "Archivo", "Fredoka", "Inter", "JetBrains Mono", "Noto Sans"),
    *("Playfair Display", "Playfair Display Italic", "Space Grotesk"),
)

Style = Literal["minimal", "bold", "luxury", "playful", "tech"]
Frame = Literal["9:16", "1:1", "4:5", "16:9"]
Platform = Literal[
    "youtube_shorts", "instagram_reels", "tiktok", "linkedin", "youtube", "broadcast"
]
Priority = Literal["high", "normal", "low"]

#: Frames times hooks times calls to action.
MAX_VIDEOS = 24
#: Longest path or URL that a job may name.
MAX_REFERENCE = 500

_ID = re.compile(ID_PATTERN)
#: Invisible characters that shape text legitimately: joiners and direction marks.
_SHAPING = frozenset("\u200c\u200d\u200e\u200f\u061c")


def _one_line(value: object) -> object:
    """White space becomes single spaces; control characters are refused, not dropped."""
    if not isinstance(value, str):
        return value
    text = " ".join(unicodedata.normalize("NFC", value).split())
    for char in text:
        if unicodedata.category(char) in ("Cc", "Cs", "Co", "Cn") or (
            unicodedata.category(char) == "Cf"
            and char not in _SHAPING
            and not 0xE0020 <= ord(char) <= 0xE007F  # flag emoji are spelt with these
        ):
            raise ValueError(f"holds the character U+{ord(char):04X}, which cannot be shown")
    return text


def _valid_id(value: str) -> str:
    if not _ID.fullmatch(value):
        raise ValueError("may hold letters, digits, '.', '_' and '-', at most 64, no other first")
    return value


def _price(value: object) -> object:
    return format(value, "g") if isinstance(value, (int, float)) else value


JobId = Annotated[str, AfterValidator(_valid_id)]
_Line = BeforeValidator(_one_line)
Word = Annotated[
    str, StringConstraints(min_length=1, max_length=24), _Line, BeforeValidator(_price)
]
Label = Annotated[str, StringConstraints(min_length=1, max_length=40), _Line]
Name = Annotated[str, StringConstraints(min_length=1, max_length=80), _Line]
Phrase = Annotated[str, StringConstraints(min_length=1, max_length=120), _Line]
Paragraph = Annotated[str, StringConstraints(max_length=600), _Line]
Reference = Annotated[str, StringConstraints(min_length=1, max_length=MAX_REFERENCE), _Line]
Colour = Annotated[str, StringConstraints(pattern=r"^#[0-9A-Fa-f]{6}$")]


class Brand(BaseModel):
    """Brand colours (`#rrggbb`, the main one first) and a bundled font's family name."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False)

    colors: tuple[Colour, ...] = Field(default=(), max_length=4)
    font: Name | None = None

    @field_validator("font")
    @classmethod
    def _bundled(cls, value: str | None) -> str | None:
        named = {font.casefold(): font for font in FONTS}
        if value is not None and value.casefold() not in named:
            raise ValueError(f"is not bundled; the fonts there are: {', '.join(FONTS)}")
        return named[value.casefold()] if value is not None else None


class Variants(BaseModel):
    """Several versions of one ad: `hooks` openings, and further button texts beside `cta_text`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    hooks: int = Field(default=1, ge=1, le=5)
    ctas: tuple[Label, ...] = Field(default=(), max_length=3)


class VideoJob(BaseModel):
    """A few words about a product, validated; texts are one line, NFC, no control characters."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: JobId
    product_name: Name
    style: Style = "minimal"
    cta_text: Label = "Shop now"
    description: Paragraph = ""
    benefits: tuple[Phrase, ...] = Field(default=(), max_length=8)
    price: Word | None = None
    old_price: Word | None = None
    rating: float | None = Field(default=None, ge=0, le=5)
    cta_url: Reference | None = None
    #: Each a path in an allowed folder, an upload id, or an https URL.
    images: tuple[Reference, ...] = Field(default=(), max_length=8)
    logo: Reference | None = None
    brand: Brand = Brand()
    language: Annotated[str, StringConstraints(pattern=r"^[a-z]{2}(-[A-Z]{2})?$")] = "en"
    voice: Name | None = None
    #: Seconds of finished video asked for; the script is written to fit.
    duration_s: float = Field(default=15.0, ge=6, le=60)
    frames: tuple[Frame, ...] = Field(default=("9:16",), min_length=1, max_length=4)
    #: None: the one that is usual for each frame.
    platform: Platform | None = None
    captions: bool = True
    #: "auto" (a bed made for the style), "none", or a path in an allowed folder or an https URL.
    music: Reference = "auto"
    #: A number stands for so many hooks.
    variants: Variants = Variants()
    seed: int = Field(default=0, ge=0, le=2**31 - 1)
    priority: Priority = "normal"
    max_cost_usd: float | None = Field(default=None, ge=0)
    callback_url: Reference | None = None
    tenant: JobId = "default"
    idempotency_key: (
        Annotated[str, StringConstraints(min_length=1, max_length=200), _Line] | None
    ) = None
    #: A time without a zone is UTC.
    run_at: datetime | None = None

    def platform_of(self, frame: str) -> str:
        """Whose limits hold for a frame of this job."""
        return self.platform or ("youtube" if frame == "16:9" else "youtube_shorts")

    @field_validator("run_at")
    @classmethod
    def _in_utc(cls, value: datetime | None) -> datetime | None:
        return value.replace(tzinfo=UTC) if value is not None and value.tzinfo is None else value

    @field_validator("frames")
    @classmethod
    def _each_once(cls, value: tuple[Frame, ...]) -> tuple[Frame, ...]:
        if len(set(value)) != len(value):
            raise ValueError("names a frame twice")
        return value

    @field_validator("variants", mode="before")
    @classmethod
    def _number_of_hooks(cls, value: object) -> object:
        return {"hooks": value} if isinstance(value, int) else value

    @model_validator(mode="after")
    def _can_be_made(self) -> VideoJob:
        taken = PLATFORM_FRAMES[self.platform] if self.platform else FRAMES
        if odd := [frame for frame in self.frames if frame not in taken]:
            raise InvalidInput("frames", f"{self.platform} takes {', '.join(taken)}, not {odd[0]}")
        if len({self.cta_text, *self.variants.ctas}) <= len(self.variants.ctas):
            raise InvalidInput("variants.ctas", "says the same twice")
        videos = len(self.frames) * self.variants.hooks * (1 + len(self.variants.ctas))
        if videos > MAX_VIDEOS:
            raise InvalidInput(
                "variants", f"makes {videos} videos with these frames; {MAX_VIDEOS} are the most"
            )
        return self


def parse_job(data: object, *, foreign: bool = False) -> VideoJob:
    """Validate a payload.

    A submitter's unknown fields are refused by name; a foreign producer's (`foreign`) are
    ignored. Raises InvalidInput with the first offending field, dotted and indexed
    (`brand.colors.0`), and every further one in the reason.
    """
    if not isinstance(data, Mapping):
        raise InvalidInput("payload", "must be a JSON object")
    unknown = sorted(str(key) for key in data if key not in VideoJob.model_fields)
    if unknown and not foreign:
        known = ", ".join(VideoJob.model_fields)
        raise InvalidInput(unknown[0][:80], f"is not a field of a video job; known are {known}")
    try:
        return VideoJob.model_validate(dict(data))
    except ValidationError as error:
        first, *rest = [_problem(details) for details in error.errors(include_url=False)]
        reason = "; ".join([first[1], *(f"{field}: {why}" for field, why in rest)])
        raise InvalidInput(first[0], reason) from None


def callback_of(payload: str) -> str | None:
    """The `callback_url` of a payload as it is stored, which may be a foreign producer's."""
    if '"callback_url"' not in payload:
        return None
    try:
        data = json.loads(payload)
    except (ValueError, RecursionError):
        return None
    url = data.get("callback_url") if isinstance(data, dict) else None
    return url if isinstance(url, str) and len(url) <= MAX_REFERENCE else None


def _problem(details: Any) -> tuple[str, str]:
    """Pydantic's error as (field, reason), in words that fit after the field's name."""
    field = ".".join(str(part) for part in details["loc"]) or "payload"
    context = details.get("ctx", {})
    kind = details["type"]
    if kind == "missing":
        return field, "is required"
    if kind == "string_too_short":
        return field, "must not be empty"
    if kind == "string_too_long":
        return field, f"is longer than {context['max_length']} characters"
    if kind == "literal_error":
        return field, f"must be one of {context['expected']}"
    if kind == "value_error":
        return field, str(context["error"])
    message: str = details["msg"]
    return field, message[0].lower() + message[1:]
