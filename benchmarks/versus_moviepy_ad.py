"""The same ad as a MoviePy program, written as its guide has it. Runs in an environment of its own.

    var/moviepy/bin/python versus_moviepy_ad.py ad.json out.mp4 [--defaults]

Every picture is an ImageClip, drawn already; the soundtrack is mixed already. Positions, sizes and
opacities are looked up, not computed, and what rests is given no function at all; the backdrop is
the composite's own background. `ad.json` is written by versus_moviepy_parts.py. With --defaults
the video is written with MoviePy's own preset, quality and audio settings.
"""

from __future__ import annotations

import json
import math
import sys
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from moviepy import AudioFileClip, CompositeVideoClip, ImageClip, vfx
from PIL import Image

_X, _Y, _SX, _SY, _ANGLE, _OPACITY, _WINDOW = range(7)


def main() -> None:
    ad = json.loads(Path(sys.argv[1]).read_text())
    fps, length_s = ad["fps"], ad["frames"] / ad["fps"]
    first, *others = ad["backdrops"]
    ground = ImageClip(first["file"]).with_duration(length_s)
    clips = [ground, *(_backdrop(one, fps) for one in others)]
    clips += [clip for part in ad["parts"] if part["under"] for clip in _part(part, fps)]
    clips += [_hero(hero, fps) for hero in ad["heroes"]]
    clips += [clip for part in ad["parts"] if not part["under"] for clip in _part(part, fps)]
    video = CompositeVideoClip(clips, use_bgclip=True).with_duration(length_s)
    video = video.with_audio(AudioFileClip(ad["sound"]))
    if "--defaults" in sys.argv:
        video.write_videofile(sys.argv[2], fps=fps, logger=None)
        return
    video.write_videofile(
        sys.argv[2],
        fps=fps,
        codec="libx264",
        preset=ad["encoder"]["preset"],
        audio_codec="aac",
        audio_bitrate="256k",
        ffmpeg_params=ad["encoder"]["params"],
        threads=ad["encoder"]["threads"],
        logger=None,
    )


def _backdrop(one: dict[str, Any], fps: int) -> Any:
    length_s = (one["end_f"] - one["start_f"]) / fps
    return ImageClip(one["file"]).with_start(one["start_f"] / fps).with_duration(length_s)


def _hero(hero: dict[str, Any], fps: int) -> Any:
    """The product: it comes up and fades in, and turns and grows evenly."""
    frames = hero["end_f"] - hero["start_f"]
    (z0, z1), (a0, a1) = hero["zoom"], hero["sway"]
    span = max(frames, 90)
    w, h = hero["width"], hero["height"]
    cx, cy = hero["x"] + w / 2, hero["y"] + h / 2

    def zoom(t: float) -> float:
        return float(z0 + (z1 - z0) * t * fps / span)

    def angle(t: float) -> float:
        return float(a0 + (a1 - a0) * t * fps / span)

    def place(t: float) -> tuple[float, float]:
        rise = hero["rise"] * max(0.0, 1 - t * fps / hero["enter"]) ** 3
        width, height = _turned(w * zoom(t), h * zoom(t), angle(t))
        return cx - width / 2, cy - height / 2 + rise

    clip = ImageClip(hero["file"]).with_duration(frames / fps).resized(zoom)
    if a0 or a1:
        clip = clip.rotated(lambda t: -angle(t), resample="bilinear")
    effects = [vfx.CrossFadeIn(max(2, hero["enter"] // 2) / fps)]
    if hero["fade_out_f"]:
        effects.append(vfx.CrossFadeOut(hero["fade_out_f"] / fps))
    return clip.with_start(hero["start_f"] / fps).with_position(place).with_effects(effects)


def _part(part: dict[str, Any], fps: int) -> list[Any]:
    return [_phase(part, phase, fps) for phase in part["phases"]]


def _phase(part: dict[str, Any], phase: dict[str, Any], fps: int) -> Any:
    """A part for as long as the same of its properties change."""
    poses, w, h = phase["poses"], part["width"], part["height"]
    clip = _picture(part["file"]).with_duration(phase["frames"] / fps)
    clip = clip.with_start(phase["start_f"] / fps)
    first, moves = poses[0], len(poses) > 1

    def at(t: float) -> Any:
        return poses[min(len(poses) - 1, int(t * fps + 0.5))] if moves else first

    def size(pose: list[Any]) -> tuple[float, float]:
        return max(1.0, w * pose[_SX]), max(1.0, h * pose[_SY])

    def place(pose: list[Any]) -> tuple[float, float]:
        width, height = size(pose)
        left, top = part["left"] * pose[_SX], part["top"] * pose[_SY]
        if not pose[_ANGLE]:
            return pose[_X] + left, pose[_Y] + top
        mx, my = left + width / 2, top + height / 2
        turn = math.radians(pose[_ANGLE])
        cx = pose[_X] + mx * math.cos(turn) - my * math.sin(turn)
        cy = pose[_Y] + mx * math.sin(turn) + my * math.cos(turn)
        width, height = _turned(width, height, pose[_ANGLE])
        return cx - width / 2, cy - height / 2

    if first[_SX] != 1 or first[_SY] != 1:
        clip = clip.resized((lambda t: size(at(t))) if moves else size(first))
    if first[_ANGLE]:
        clip = clip.rotated((lambda t: -at(t)[_ANGLE]) if moves else -first[_ANGLE])
    if first[_WINDOW]:
        return _cut(clip, part, at)
    if first[_OPACITY] < 1:
        if any(pose[_OPACITY] != first[_OPACITY] for pose in poses):
            mask = clip.mask.transform(lambda frame, t: frame(t) * at(t)[_OPACITY])
            clip = clip.with_mask(mask)
        else:
            clip = clip.with_opacity(first[_OPACITY])
    still = all(pose[:2] == first[:2] for pose in poses) and not (moves and first[_SX] != 1)
    return clip.with_position(place(first) if still else lambda t: place(at(t)))


def _cut(clip: Any, part: dict[str, Any], at: Any) -> Any:
    """What of a part lies in its window: a line that comes up from an edge, a bar that is wiped."""

    def seen(t: float) -> tuple[int, int, int, int]:
        pose = at(t)
        x, y = round(pose[_X] + part["left"]), round(pose[_Y] + part["top"])
        left, top, right, bottom = pose[_WINDOW]
        x0, y0 = min(max(0, left - x), part["width"] - 1), min(max(0, top - y), part["height"] - 1)
        x1 = max(x0 + 1, min(part["width"], right - x))
        return x0, y0, x1, max(y0 + 1, min(part["height"], bottom - y))

    def window(frame: Any, t: float) -> Any:
        x0, y0, x1, y1 = seen(t)
        return frame(t)[y0:y1, x0:x1]

    def place(t: float) -> tuple[float, float]:
        pose, (x0, y0, _, _) = at(t), seen(t)
        return round(pose[_X] + part["left"]) + x0, round(pose[_Y] + part["top"]) + y0

    return clip.transform(window, apply_to=["mask"]).with_position(place)


def _turned(width: float, height: float, degrees: float) -> tuple[float, float]:
    """The upright box around a turned one."""
    cos, sin = abs(math.cos(math.radians(degrees))), abs(math.sin(math.radians(degrees)))
    return width * cos + height * sin, width * sin + height * cos


@cache
def _picture(file: str) -> Any:
    return ImageClip(np.asarray(Image.open(file)))


if __name__ == "__main__":
    main()
