"""The flags that describe a video, shared by `submit` and `demo`, and how they become a payload."""

from __future__ import annotations

import inspect
import json
import shutil
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from functools import wraps
from inspect import Parameter
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer

from errors import InvalidInput


@dataclass(frozen=True)
class AdFlags:
    """What describes an ad on the command line; each field is a flag, None one not given."""

    product_name: Annotated[str | None, typer.Option(help="What the ad is for.")] = None
    style: Annotated[str | None, typer.Option(help="minimal, bold, luxury, playful or tech.")] = (
        None
    )
    cta_text: Annotated[str | None, typer.Option(help="The words on the button.")] = None
    cta_url: Annotated[str | None, typer.Option(help="Where the button leads, shown below it.")] = (
        None
    )
    description: Annotated[
        str | None, typer.Option(help="A sentence or two about the product.")
    ] = None
    benefit: Annotated[list[str] | None, typer.Option(help="A benefit; may be given again.")] = None
    price: Annotated[str | None, typer.Option(help="Such as $19.99.")] = None
    old_price: Annotated[str | None, typer.Option(help="The price before, struck out.")] = None
    rating: Annotated[float | None, typer.Option(help="0 to 5.")] = None
    image: Annotated[
        list[str] | None,
        typer.Option(help="A PNG, JPEG or WebP of the product, or its https URL; may be repeated."),
    ] = None
    logo: Annotated[str | None, typer.Option(help="The brand's logo, as --image.")] = None
    color: Annotated[
        list[str] | None, typer.Option(help="A brand colour, #rrggbb, the main one first.")
    ] = None
    frame: Annotated[
        list[str] | None,
        typer.Option(help="9:16, 1:1, 4:5 or 16:9; may be repeated: one video each."),
    ] = None
    platform: Annotated[str | None, typer.Option(help="Whose limits hold, such as tiktok.")] = None
    hooks: Annotated[int | None, typer.Option(help="So many openings, 1 to 5: one video each.")] = (
        None
    )
    other_cta: Annotated[
        list[str] | None,
        typer.Option(help="A further button text; may be repeated: one video each."),
    ] = None
    duration_s: Annotated[
        float | None, typer.Option(help="Seconds of video asked for, 6 to 60.")
    ] = None
    seed: Annotated[int | None, typer.Option(help="Another number gives another variation.")] = None

    def payload(self, job_id: str | None, **more: Any) -> dict[str, Any]:
        """The flags that were given, and `more`, as a payload; what was not is left to the job.

        Pictures are not in it: they have to be uploaded.
        """
        plain = ("product_name", "style", "cta_text", "cta_url", "description", "price")
        given = {
            **{name: getattr(self, name) for name in plain},
            "benefits": self.benefit,
            "old_price": self.old_price,
            "rating": self.rating,
            "frames": self.frame,
            "platform": self.platform,
            "duration_s": self.duration_s,
            "seed": self.seed,
            **more,
        }
        payload = {key: value for key, value in given.items() if value not in (None, [], ())}
        if self.color:
            payload["brand"] = {"colors": self.color}
        if self.hooks is not None or self.other_cta:
            payload["variants"] = {"hooks": self.hooks or 1, "ctas": self.other_cta or []}
        payload["id"] = job_id or str(uuid.uuid4())
        return payload


def with_ad_flags(command: Callable[..., None]) -> Callable[..., None]:
    """A command with the flags of AdFlags before its own; they are its first argument.

    typer reads flags off a function's signature only, so it is shown one with all of them.
    """
    hints = get_type_hints(AdFlags, include_extras=True)
    shared = [
        Parameter(
            flag.name, Parameter.KEYWORD_ONLY, default=flag.default, annotation=hints[flag.name]
        )
        for flag in fields(AdFlags)
    ]
    own = list(inspect.signature(command, eval_str=True).parameters.values())[1:]

    @wraps(command)
    def run(**given: Any) -> None:
        ad = AdFlags(**{flag.name: given.pop(flag.name) for flag in fields(AdFlags)})
        command(ad, **given)

    shown = [*shared, *(flag.replace(kind=Parameter.KEYWORD_ONLY) for flag in own)]
    run.__signature__ = inspect.Signature(shown)  # type: ignore[attr-defined]  # as inspect reads it
    run.__annotations__ = {flag.name: flag.annotation for flag in shown}
    return run


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
