"""Pictures from outside: which references may be opened, and opening them with caps."""

from __future__ import annotations

import stat
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from errors import InvalidInput

if TYPE_CHECKING:
    from PIL import Image

FORMATS = ("PNG", "JPEG", "WEBP")
MAX_PIXELS = 50_000_000
MAX_BYTES = 25_000_000
#: Shorter sides are mush on a phone; a pixel or two is a tracking image, not a product.
MIN_SIDE = 16
#: Longer strips leave nothing to see once they are shrunk to a frame.
MAX_RATIO = 20
#: Decoded pictures are shrunk to this longer side: no frame shows more.
WORKING_SIDE = 2200


def check_reference(field: str, reference: str, folders: Sequence[Path]) -> Path:
    """The regular file that a path in a job names, when it lies in one of `folders`.

    Links are followed first, so that one inside cannot lead out. Raises InvalidInput; the
    message does not tell whether a file outside the folders exists.
    """
    if "://" in reference:
        raise InvalidInput(field, "is a URL; put the file into an allowed folder and name its path")
    if "\0" in reference:
        raise InvalidInput(field, "is not a path")
    named = Path(reference).expanduser()
    candidates = [named] if named.is_absolute() else [folder / named for folder in folders]
    inside = False
    for candidate in candidates:
        try:
            resolved = candidate.resolve(strict=False)
        except (OSError, RuntimeError):  # too long a name, or links in a circle
            continue
        if not any(resolved.is_relative_to(folder.resolve()) for folder in folders):
            continue
        inside = True
        try:
            if stat.S_ISREG(resolved.stat().st_mode):
                return resolved
        except OSError:
            continue
    if inside:
        raise InvalidInput(field, "names no file; check the path")
    raise InvalidInput(field, "lies outside the allowed folders; put the file into one of them")


def load_image(
    path: Path,
    *,
    field: str = "images.0",
    max_pixels: int = MAX_PIXELS,
    max_bytes: int = MAX_BYTES,
) -> Image.Image:
    """Open a PNG, JPEG or WebP as upright RGBA, at most WORKING_SIDE long.

    Raises InvalidInput naming `field` and what to do about it.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        size = path.stat().st_size
    except OSError:
        raise InvalidInput(field, "cannot be read; check the path") from None
    if size > max_bytes:
        raise InvalidInput(
            field, f"is larger than {max_bytes / 1e6:g} MB; save it smaller and submit it again"
        )
    try:
        with warnings.catch_warnings():
            # Pillow's own bomb guard; its limit is replaced by ours below.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(path, formats=FORMATS) as image:
                _check_size(field, image.size, max_pixels)
                image.draft("RGB", (WORKING_SIDE, WORKING_SIDE))  # JPEG: decode small at once
                # Shrunk before anything copies it: the full picture is in memory once.
                whole = image.convert("RGBA") if image.mode in ("P", "1") else image
                whole.thumbnail((WORKING_SIDE, WORKING_SIDE), Image.Resampling.LANCZOS)
                return ImageOps.exif_transpose(whole).convert("RGBA")
    except InvalidInput:
        raise
    except UnidentifiedImageError:
        raise InvalidInput(field, "is not a PNG, JPEG or WebP image") from None
    except Image.DecompressionBombError:
        raise InvalidInput(field, _too_many(max_pixels)) from None
    except (OSError, ValueError, SyntaxError, EOFError, MemoryError):
        # What Pillow raises for damaged files: truncated data, bad chunks, broken headers.
        raise InvalidInput(field, "is damaged or cut short; export the image again") from None


def image_size(path: Path, *, field: str) -> tuple[str, int, int]:
    """(format, width, height) of a picture by its head alone: nothing of it is decoded.

    Raises InvalidInput as `load_image` does.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(path, formats=FORMATS) as image:
                _check_size(field, image.size, MAX_PIXELS)
                return str(image.format), *image.size
    except InvalidInput:
        raise
    except UnidentifiedImageError:
        raise InvalidInput(field, "is not a PNG, JPEG or WebP image") from None
    except Image.DecompressionBombError:
        raise InvalidInput(field, _too_many(MAX_PIXELS)) from None
    except (OSError, ValueError, SyntaxError, EOFError):
        raise InvalidInput(field, "is damaged or cut short; export the image again") from None


def _check_size(field: str, size: tuple[int, int], max_pixels: int) -> None:
    width, height = size
    if width * height > max_pixels:
        raise InvalidInput(field, _too_many(max_pixels))
    if min(width, height) < MIN_SIDE:
        raise InvalidInput(
            field, f"is only {width} x {height} px; use one of at least {MIN_SIDE} px a side"
        )
    if max(width, height) > MAX_RATIO * min(width, height):
        raise InvalidInput(field, f"is a strip of {width} x {height} px; crop it to the product")


def _too_many(max_pixels: int) -> str:
    return f"has more than {max_pixels / 1e6:g} megapixels; save it smaller and submit it again"
