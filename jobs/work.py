"""What a background job is on the wire: a kind's stable name, and its arguments as JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from errors import InvalidInput

#: The one kind that is no background job.
VIDEO = "video"
#: Their lists hold video jobs alone: operators read their lengths.
VIDEO_QUEUES = ("video-high", "video", "video-low")
KIND_PATTERN = r"[a-z][a-z0-9_.-]{0,99}"
QUEUE_PATTERN = r"[a-z0-9][a-z0-9_-]{0,40}"
#: The stage that a background job is in while it runs.
PERFORM = "perform"
#: A job's arguments or its result, as JSON; larger things belong in a file or a table.
MAX_JSON_BYTES = 1_000_000

_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode
_KIND = re.compile(KIND_PATTERN)
_QUEUE = re.compile(QUEUE_PATTERN)


@dataclass(frozen=True)
class Call:
    """The arguments of one job."""

    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] | None = None


def checked_kind(name: str) -> str:
    """A kind's name as it may be. Raises InvalidInput."""
    if not _KIND.fullmatch(name) or name == VIDEO:
        raise InvalidInput("kind", f"{name!r} must be a-z, 0-9, '_', '.' or '-', and not {VIDEO!r}")
    return name


def checked_queue(name: str) -> str:
    """The name of a queue for background jobs. Raises InvalidInput."""
    if not _QUEUE.fullmatch(name):
        raise InvalidInput("queue", f"{name!r} must be a-z, 0-9, '-' and '_' only")
    if name in VIDEO_QUEUES:
        raise InvalidInput("queue", f"{name} holds video jobs alone; name another")
    return name


def encode_call(args: Sequence[Any], kwargs: Mapping[str, Any]) -> str:
    """Arguments as a payload. Raises InvalidInput for what JSON cannot hold as it is."""
    text = encode_json({"args": list(args), "kwargs": dict(kwargs)}, "arguments")
    decoded = json.loads(text)
    for name, value in [*enumerate(args), *kwargs.items()]:
        held = decoded["args"][name] if isinstance(name, int) else decoded["kwargs"][name]
        # A tuple is handed over as a list, which most code takes; a key of 1 becomes "1".
        if held != (list(value) if isinstance(value, tuple) else value):
            raise InvalidInput(f"arguments.{name}", "would not be the same after JSON")
    return text


def decode_call(payload: str) -> Call:
    """A payload as arguments. Raises InvalidInput for one that nobody here wrote."""
    try:
        data = json.loads(payload)
        args, kwargs = data.get("args", []), data.get("kwargs", {})
    except (ValueError, AttributeError, RecursionError):
        raise InvalidInput("payload", "must be a JSON object with args and kwargs") from None
    if not isinstance(args, list) or not isinstance(kwargs, dict):
        raise InvalidInput("payload", "must be a JSON object with args and kwargs")
    return Call(tuple(args), kwargs)


def encode_json(value: Any, field: str) -> str:
    """JSON text without NaN, within bounds. Raises InvalidInput that names the field."""
    try:
        text = _encode(value)
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidInput(field, f"must be JSON: {error}") from None
    if len(text) > MAX_JSON_BYTES:
        raise InvalidInput(field, f"is longer than {MAX_JSON_BYTES} characters of JSON")
    if "\\u0000" in text or _is_torn(text):
        raise InvalidInput(field, "holds a character that no database takes")
    return text


def _is_torn(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False
