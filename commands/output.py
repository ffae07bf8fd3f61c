"""How commands print: results to stdout, everything else to stderr."""

from __future__ import annotations

import json
import sys
from datetime import datetime
from typing import Any

from rich.console import Console

#: For people; results that programs read go through `say` and `say_json`.
screen = Console(stderr=True, highlight=False)
#: Tables are results too.
paper = Console(highlight=False)


def say(text: str) -> None:
    """A result, alone on its line."""
    print(text)


def say_json(value: Any) -> None:
    """A result as JSON, indented on a terminal."""
    indent = 2 if sys.stdout.isatty() else None
    print(json.dumps(value, ensure_ascii=False, indent=indent, default=_jsonable))


def say_error(*lines: str) -> None:
    """What went wrong, and what to do."""
    for line in lines:
        screen.print(f"error: {line}" if line == lines[0] else f"  {line}", markup=False)


def age(moment: datetime, now: datetime) -> str:
    """How long ago, as people say it: `5s`, `12m`, `3h`, `2d`."""
    return span((now - moment).total_seconds())


def span(length_s: float) -> str:
    """A length of time, as people say it: `5s`, `12m`, `3h`, `2d`."""
    seconds = max(0, int(length_s))
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "m")):
        if seconds >= size:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def _jsonable(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return str(value)
