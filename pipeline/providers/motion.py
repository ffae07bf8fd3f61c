"""The embedded video provider: scenes of type, shapes and the product's picture, drawn here."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from errors import ChildFailed, InvalidInput
from jobs.payload import VideoJob
from pipeline.media.children import python_child
from pipeline.media.profiles import fps_of
from pipeline.providers.script_ports import Script, VoiceData
from pipeline.stage import Json, StageContext, StageOutput

_TIMEOUT_S = 120.0


class MotionProvider:
    """Draws each scene's stills and titles once; the compositor moves them.

    `scale` below 1 makes small videos for tests and previews. Equal job, script, voice and
    seed give equal files.
    """

    name = "motion"
    version = "2"

    def __init__(self, *, scale: float = 1.0) -> None:
        self._scale = scale

    def film(
        self,
        job: VideoJob,
        script: Script,
        voice: VoiceData,
        voice_files: Mapping[str, Path],
        ctx: StageContext,
    ) -> StageOutput:
        order = drawing_order(job, script, voice, ctx.seed, scale=self._scale)
        result = python_child(ctx, "pipeline.media.draw_scenes", order, timeout_s=_TIMEOUT_S)
        answer = json.loads(result.stdout or b"{}")
        if invalid := answer.get("invalid"):
            raise InvalidInput(invalid["field"], invalid["reason"])
        plan: Json | None = answer.get("plan")
        if plan is None:
            raise ChildFailed("the drawing process gave no plan", log_tail=result.log_tail)
        names = [plan["under"], plan["titles"]]
        for scene in plan["scenes"]:
            names += [scene[part]["file"] for part in ("backdrop", "hero") if scene[part]]
        return StageOutput(data=plan, files={name: ctx.workdir / name for name in names})


def drawing_order(
    job: VideoJob, script: Script, voice: VoiceData, seed: int, *, scale: float = 1.0
) -> Json:
    """Everything the drawing child needs, as JSON; images as absolute local paths."""
    return {
        "facts": {
            "name": job.product_name,
            "cta": job.cta_text,
            "benefits": list(job.benefits),
            "price": job.price,
            "old_price": job.old_price,
            "rating": job.rating,
            "url": job.cta_url,
            "language": script["language"],
        },
        "brand": {"colors": list(job.brand.colors), "font": job.brand.font},
        "style": job.style,
        "frame": job.frames[0],
        "platform": job.platform_of(job.frames[0]),
        "fps": fps_of(job.platform_of(job.frames[0])),
        "captions": job.captions,
        "images": [str(Path(image).absolute()) for image in job.images],
        "logo": str(Path(job.logo).absolute()) if job.logo else None,
        "seed": seed,
        "scale": scale,
        "script": script,
        "voice": voice,
    }
