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
    list[str] | None,
    typer.Option(help="A PNG, JPEG or WebP of the product, or its https URL; may be repeated."),
]
Logo = Annotated[str | None, typer.Option(help="The brand's logo, as --image.")]
Color = Annotated[
    list[str] | None, typer.Option(help="A brand colour, #rrggbb, the main one first.")
]
Frame = Annotated[
    list[str] | None, typer.Option(help="9:16, 1:1, 4:5 or 16:9; may be repeated: one video each.")
]
Platform = Annotated[str | None, typer.Option(help="Whose limits hold, such as tiktok.")]
Hooks = Annotated[int | None, typer.Option(help="So many openings, 1 to 5: one video each.")]
OtherCta = Annotated[
    list[str] | None, typer.Option(help="A further button text; may be repeated: one video each.")
]
Seed = Annotated[int | None, typer.Option(help="Another number gives another variation.")]
DurationS = Annotated[float | None, typer.Option(help="Seconds of video asked for, 6 to 60.")]


def payload_of(
    job_id: str | None,
    *,
    color: Sequence[str] | None = None,
    hooks: int | None = None,
    other_cta: Sequence[str] | None = None,
    **given: Any,
) -> dict[str, Any]:
    """The flags that were given, as a payload; one that was not is left to the job's default."""
    payload = {key: value for key, value in given.items() if value not in (None, [], ())}
    if color:
        payload["brand"] = {"colors": list(color)}
    if hooks is not None or other_cta:
        payload["variants"] = {"hooks": hooks or 1, "ctas": list(other_cta or ())}
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


def upload(images: Sequence[str | Path], folder: Path) -> list[str]:
    """Copy images to where workers may read them, checked first; returns the references.

    A URL is its own reference. Raises InvalidInput that names `images.N`.
    """
    return [_uploaded(f"images.{index}", image, folder) for index, image in enumerate(images)]


def upload_logo(logo: str | None, folder: Path) -> str | None:
    """The same for a logo; None for none."""
    return _uploaded("logo", logo, folder) if logo is not None else None


def _uploaded(field: str, image: str | Path, folder: Path) -> str:
    from pipeline.media.images import load_image

    if "://" in str(image):
        return str(image)
    path = Path(image)
    if not path.is_file():
        raise InvalidInput(field, f"{path} is not a file")
    load_image(path, field=field)
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{uuid.uuid4().hex}{path.suffix.lower()}"
    shutil.copyfile(path, target)
    return str(target)
