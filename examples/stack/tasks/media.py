"""Files and pictures."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path
from typing import Any

from errors import InvalidInput

_MOST_PIXELS = 64_000_000


async def make_thumbnail(source: str, target: str, width: int = 320) -> dict[str, Any]:
    """A smaller JPEG of a picture; written beside, then renamed, so that nobody reads half of it.

    Raises InvalidInput for what is no picture, or is too large to be opened safely.
    """
    size = await asyncio.to_thread(_shrink, Path(source), Path(target), width)
    return {"task": "make_thumbnail", "target": target, "width": size[0], "height": size[1]}


async def hash_file(path: str) -> dict[str, Any]:
    """The SHA-256 of a file, and its size."""
    raw = await asyncio.to_thread(Path(path).read_bytes)
    return {"task": "hash_file", "bytes": len(raw), "sha256": hashlib.sha256(raw).hexdigest()}


def _shrink(source: Path, target: Path, width: int) -> tuple[int, int]:
    from PIL import Image

    try:
        with Image.open(source) as picture:
            if picture.width * picture.height > _MOST_PIXELS:
                raise InvalidInput("source", f"has more than {_MOST_PIXELS} pixels")
            small = picture.convert("RGB")
    except OSError as error:
        raise InvalidInput("source", f"cannot be opened ({type(error).__name__})") from None
    small.thumbnail((width, width * 4))
    partial = target.with_suffix(".partial")
    small.save(partial, "JPEG", quality=85)
    partial.replace(target)
    return small.size
