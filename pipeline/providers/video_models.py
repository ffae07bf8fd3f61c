"""Which inputs a video model takes, and what is asked of it for a scene of an ad."""

from __future__ import annotations

import math
import tomllib
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from errors import ConfigError
from jobs.payload import VideoJob
from pipeline.providers.prices import microusd
from pipeline.providers.script_ports import ScriptScene
from pipeline.stage import Json

_TABLE = Path(__file__).parent / "video_models.toml"
_LOOKS = {
    "minimal": "calm studio shot, plain background, soft even light, slow camera",
    "bold": "dynamic commercial shot, strong colours, hard light, fast push-in",
    "luxury": "cinematic close-up, dark background, warm rim light, slow dolly",
    "playful": "bright lifestyle shot, pastel colours, daylight, handheld camera",
    "tech": "sleek product shot, cool light, reflections, precise orbiting camera",
}
_MOMENTS = {
    "hook": "the everyday moment just before the product is needed",
    "product": "the product itself, filling the frame",
    "benefit": "a person enjoying what the product does",
    "proof": "a satisfied person with the product",
    "offer": "the product presented attractively",
    "cta": "the product, ready to be taken",
}
#: Models draw letters badly, and an ad's own titles come later.
_NEVER = "No text, no letters, no captions, no logos, no watermark."


@dataclass(frozen=True)
class ClipModel:
    """One model's own names. `image_name` is who takes pictures, which may be a sibling."""

    name: str
    image_name: str
    prompt: str
    max_prompt: int
    image: str
    seed: str | None
    duration_field: str
    durations: tuple[int, ...]
    duration_is_text: bool
    aspect_field: str
    aspects: dict[str, str]
    fixed: Json
    usd_per_second: Decimal

    def seconds_for(self, scene_s: float) -> int:
        """The shortest clip that fills the scene, or the longest there is."""
        return next((s for s in self.durations if s >= scene_s), self.durations[-1])

    def price_microusd(self, seconds: int) -> int:
        return microusd(self.usd_per_second * seconds)

    def inputs(self, prompt: str, frame: str, seconds: int, image: str | None) -> Json:
        """The model's input, its seed left out. `image` is an https or a data URL."""
        asked: Json = {
            **self.fixed,
            self.prompt: prompt,
            self.duration_field: str(seconds) if self.duration_is_text else seconds,
        }
        if image is not None:
            asked[self.image] = image  # its shape is the clip's
        else:
            asked[self.aspect_field] = self.aspects[frame]
        return asked


def clip_model(provider: str, name: str, usd_per_second: float | None = None) -> ClipModel:
    """The model's entry in video_models.toml. Raises ConfigError that lists the known ones."""
    table = _models()[provider]
    if name not in table:
        known = ", ".join(table)
        raise ConfigError([f"the video model {name!r} is not known; known are {known}"])
    entry = table[name]
    aspect = dict(entry["aspect"])
    price = entry["usd_per_second"] if usd_per_second is None else usd_per_second
    return ClipModel(
        name=name,
        image_name=entry.get("image_model", name),
        prompt=entry["prompt"],
        max_prompt=entry["max_prompt"],
        image=entry["image"],
        seed=entry.get("seed"),
        duration_field=entry["duration"]["field"],
        durations=tuple(entry["duration"]["values"]),
        duration_is_text=entry["duration"].get("text", False),
        aspect_field=aspect.pop("field"),
        aspects=aspect,
        fixed=entry["fixed"],
        usd_per_second=Decimal(str(price)),
    )


def clip_prompt(job: VideoJob, scene: ScriptScene, limit: int) -> str:
    """What to film, within `limit` characters: the product's own words are what gets cut."""
    head = f"{_LOOKS[job.style]}: {_MOMENTS[scene['role']]}."
    about = f"Product: {job.product_name}. {job.description}".strip()
    mood = f"Mood: {scene['spoken']}"
    room = limit - len(head) - len(_NEVER) - 2
    words = f"{about} {mood}"
    if len(words) > room:
        words = words[: max(0, room - 1)].rsplit(" ", 1)[0] + "…"
    return f"{head} {words} {_NEVER}"


def frames_to_s(frames: int, fps: int) -> float:
    """Frames as seconds, rounded up to a hundredth: a clip must not fall short by a frame."""
    return math.ceil(100 * frames / fps) / 100


@cache
def _models() -> dict[str, Any]:
    return tomllib.loads(_TABLE.read_text(encoding="utf-8"))
