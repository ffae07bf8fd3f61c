"""Filmed clips among motion graphics: which scenes are filmed, and how the files are made fit."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from pathlib import Path

from errors import ChildFailed, InvalidInput, ProviderUnavailable
from jobs.payload import VideoJob
from pipeline.media import encoder
from pipeline.media.boxes import NotMp4, read_mp4
from pipeline.media.children import child_env, python_child
from pipeline.media.filtergraph import build
from pipeline.providers.clips import Shot
from pipeline.providers.ffmpeg_compositor import one_font
from pipeline.providers.motion import MotionProvider
from pipeline.providers.script_ports import Script, VoiceData
from pipeline.providers.video_models import ClipModel, clip_prompt, frames_to_s
from pipeline.stage import Json, StageContext, StageOutput

#: Pictures that a camera can take; lists, badges, prices and the end card are drawn.
_FILMED = frozenset({"hero", "quote"})
_TIMEOUT_S = 600.0
_MIN_SIDE, _MIN_S = 200, 0.5
#: A data URL may have 256 kB, and base64 adds a third.
_IMAGE_SIDE, _IMAGE_BYTES = 1280, 180_000


def filmed_scenes(script: Script) -> list[int]:
    """The scenes to film; at least one, and never the last, which is the end card."""
    before_last = range(len(script["scenes"]) - 1)
    return [n for n in before_last if script["scenes"][n]["visual"] in _FILMED] or [0]


def drawn(
    job: VideoJob, script: Script, voice: VoiceData, files: Mapping[str, Path],
    ctx: StageContext, scale: float,
) -> Json:  # fmt: skip
    """The plan of the whole ad as motion graphics: its scenes' times, zones and colours."""
    return MotionProvider(scale=scale).film(job, script, voice, files, ctx).data


def shots(
    job: VideoJob, script: Script, plan: Json, model: ClipModel, ctx: StageContext
) -> list[Shot]:
    """What is asked for each filmed scene."""
    image = _image_url(job, ctx) if job.images else None
    asked = []
    for number in filmed_scenes(script):
        scene, place = script["scenes"][number], plan["scenes"][number]
        seconds = model.seconds_for(frames_to_s(place["end_f"] - place["start_f"], plan["fps"]))
        shown = image if scene["visual"] == "hero" else None
        prompt = clip_prompt(job, scene, model.max_prompt)
        asked.append(
            Shot(
                number,
                model.image_name if shown else model.name,
                model.inputs(prompt, job.frames[0], seconds, shown),
                model.seed,
                model.price_microusd(seconds),
            )
        )
    return asked


def check_clip(path: Path) -> None:
    """Raises ProviderUnavailable unless the file is an MP4 with pictures that can be shown."""
    try:
        pictures = read_mp4(path).track("video")
    except NotMp4:
        pictures = None
    if pictures is None or pictures.size is None:
        raise ProviderUnavailable("the provider sent a file that is not a video")
    if min(pictures.size) < _MIN_SIDE or pictures.length_s < _MIN_S:
        width, height = pictures.size
        raise ProviderUnavailable(
            f"the provider sent an unusable clip: {pictures.length_s:.1f} s of {width}x{height}"
        )


def joined(plan: Json, raw: Mapping[int, Path], made_by: Json, ctx: StageContext) -> StageOutput:
    """The "clips" output: filmed clips conformed, the other scenes from the drawn ad."""
    ctx.progress(0.85, "fitting the clips")
    scenes, files = [], {"motion.mp4": _motion(plan, ctx)}
    for number, place in enumerate(plan["scenes"]):
        span = {name: place[name] for name in ("start_f", "end_f", "role", "colors")}
        if number in raw:
            name = f"scene-{number}.mp4"
            files[name] = _conformed(
                raw[number], name, place["end_f"] - place["start_f"], plan, ctx
            )
            scenes.append({**span, "clip": name, "hero": True, "texts": []})
        else:
            at = {"clip": "motion.mp4", "from_f": place["start_f"]}
            scenes.append({**span, **at, "texts": place["texts"]})
    kept = ("width", "height", "fps", "frames", "style", "caption_zone", "safe")
    data = {"kind": "clips", **{name: plan[name] for name in kept}, "scenes": scenes}
    return StageOutput({**data, "filmed": {**made_by, "scenes": sorted(raw)}}, files)


def _motion(plan: Json, ctx: StageContext) -> Path:
    graph = build(plan, captions=False)
    fonts = one_font(ctx.workdir)
    ctx.run(
        [
            *(ctx.ffmpeg, "-hide_banner", "-nostdin", "-y", "-loglevel", "error"),
            *(*graph.inputs, "-filter_complex", graph.text, "-map", "[video]"),
            *("-frames:v", str(plan["frames"])),
            *(*encoder.video_args(plan["fps"]), *encoder.container_args(), "motion.mp4"),
        ],
        timeout_s=_TIMEOUT_S,
        env=child_env(FONTCONFIG_FILE=str(fonts)),
    )
    return ctx.workdir / "motion.mp4"


def _conformed(raw: Path, name: str, frames: int, plan: Json, ctx: StageContext) -> Path:
    """Cut to the scene's frames (the last is held where it falls short), filled to the frame."""
    w, h, fps = plan["width"], plan["height"], plan["fps"]
    chain = (
        f"fps={fps},scale=w={w}:h={h}:force_original_aspect_ratio=increase:flags=bicubic:"
        f"out_color_matrix=bt709:out_range=tv,crop={w}:{h},setsar=1,"
        f"tpad=stop_mode=clone:stop=-1,trim=end_frame={frames},setpts=N/{fps}/TB,format=yuv420p"
    )
    try:
        ctx.run(
            [
                *(ctx.ffmpeg, "-hide_banner", "-nostdin", "-y", "-loglevel", "error"),
                *("-protocol_whitelist", "file,pipe", "-f", "mov", "-i", str(raw), "-an"),
                *("-vf", chain, "-frames:v", str(frames)),
                *(*encoder.video_args(plan["fps"]), *encoder.container_args(), name),
            ],
            timeout_s=_TIMEOUT_S,
            env=child_env(),
        )
    except ChildFailed as error:
        raise ChildFailed("a filmed clip could not be read", log_tail=error.log_tail) from error
    raw.unlink()
    return ctx.workdir / name


def _image_url(job: VideoJob, ctx: StageContext) -> str:
    """The product's picture as a data URL: nothing to upload, nothing that expires."""
    order: Json = {
        "image": str(Path(job.images[0]).absolute()),
        "side": _IMAGE_SIDE,
        "max_bytes": _IMAGE_BYTES,
    }
    result = python_child(ctx, "pipeline.media.shrink_child", order, timeout_s=60.0)
    if invalid := json.loads(result.stdout or b"{}").get("invalid"):
        raise InvalidInput(invalid["field"], invalid["reason"])
    picture = (ctx.workdir / "hero.jpg").read_bytes()
    return "data:image/jpeg;base64," + base64.b64encode(picture).decode()
