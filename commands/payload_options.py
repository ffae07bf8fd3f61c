"""The flags that describe a video, shared by `submit` and `demo`, and how they become a payload."""

from __future__ import annotations

import json
import shutil
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from errors import InvalidInput

ProductName = Annotated[str | None, typer.Option(help="What the ad is for.")]
Style = Annotated[str | None, typer.Option(help="minimal, bold, luxury, playful or tech.")]
CtaText = Annotated[str | None, typer.Option(help="The words on the button.")]
CtaUrl = Annotated[str | None, typer.Option(help="Where the button leads, shown below it.")]
Description = Annotated[str | None, typer.Option(help="A sentence or two about the product.")]
Benefit = Annotated[list[str] | None, typer.Option(help="A benefit; may be given again.")]
Price = Annotated[str | None, typer.Option(help="Such as $19.99.")]
OldPrice = Annotated[str | None, typer.Option(help="The price before, struck out.")]
Rating = Annotated[float | None, typer.Option(help="0 to 5.")]
Image = Annotated[
    list[Path] | None, typer.Option(help="A PNG, JPEG or WebP of the product; may be repeated.")
]
Seed = Annotated[int | None, typer.Option(help="Another number gives another variation.")]
DurationS = Annotated[float | None, typer.Option(help="Seconds of video asked for, 6 to 60.")]


def payload_of(job_id: str | None, **given: Any) -> dict[str, Any]:
    """The flags that were given, as a payload; one that was not is left to the job's default."""
    payload = {key: value for key, value in given.items() if value not in (None, [], ())}
    payload["id"] = job_id or str(uuid.uuid4())
    return payload


def payload_from_file(path: Path) -> dict[str, Any]:
    """A payload from a JSON file. Raises InvalidInput."""
    try:
        payload = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidInput("--file", f"cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise InvalidInput("--file", f"is not JSON: {error}") from None
    if not isinstance(payload, dict):
        raise InvalidInput("--file", "must hold a JSON object")
    payload.setdefault("id", str(uuid.uuid4()))
    return payload


def upload(images: Sequence[Path], folder: Path) -> list[str]:
    """Copy images to where workers may read them, checked first; returns the references.

    Raises InvalidInput that names `images.N`.
    """
    from pipeline.media.images import load_image

    references = []
    folder.mkdir(parents=True, exist_ok=True)
    for index, image in enumerate(images):
        if not image.is_file():
            raise InvalidInput(f"images.{index}", f"{image} is not a file")
        load_image(image, field=f"images.{index}")
        target = folder / f"{uuid.uuid4().hex}{image.suffix.lower()}"
        shutil.copyfile(image, target)
        references.append(str(target))
    return references
