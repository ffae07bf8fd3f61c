"""Takes a drawn ad apart for the MoviePy program: the same stills and titles as PNG files.

What this pipeline moves as outlines is given to MoviePy as it stands once settled: decoration is
painted into the backdrop, each line of a title is a picture of its own.
"""

from __future__ import annotations

import json
import subprocess
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from pipeline.media import encoder
from pipeline.media.captions import Cue
from pipeline.media.fonts import font_file
from pipeline.media.stills import settled_s
from pipeline.stage import Json
from pipeline.styles import load_style

#: Words of captions in design units of a 1080 px frame, as media/draw_captions.py has them.
_CAPTION_PX = 62
#: Rows of a title this far apart are lines of their own.
_LINE_GAP_PX = 6


def write_parts(
    ffmpeg: str, plan: Json, cues: list[Cue], made: Path, sound: Path, folder: Path
) -> Path:
    """Write the PNGs and `ad.json` to `folder`; `made` is the compositor's own folder."""
    style, fps = load_style(plan["style"]), plan["fps"]
    order: Json = {
        "width": plan["width"],
        "height": plan["height"],
        "fps": fps,
        "duration_s": plan["frames"] / fps,
        "sound": str(sound),
        "preset": encoder.PRESET,
        "threads": _threads(fps),
        "encoder": _settings(fps),
        "scenes": [_scene(ffmpeg, plan, n, made, folder) for n in range(len(plan["scenes"]))],
        "captions": {
            "font": str(font_file(style.caption.font.family)),
            "size": round(_CAPTION_PX * min(plan["width"], plan["height"]) / 1080),
            "zone": plan["caption_zone"],
            "plate": [16, 16, 16],
            "color": "#ffffff",
            "lit": plan["scenes"][0]["colors"]["accent"],
        },
        "cues": [
            {
                "start_s": cue.start_s,
                "end_s": cue.end_s,
                "words": [{"text": word.text, "start_s": word.start_s} for word in cue.words],
            }
            for cue in cues
        ],
    }
    path = folder / "ad.json"
    path.write_text(json.dumps(order))
    return path


def _scene(ffmpeg: str, plan: Json, number: int, made: Path, folder: Path) -> Json:
    scene, fps = plan["scenes"][number], plan["fps"]
    size = f"{plan['width']}x{plan['height']}"
    at = f"setpts=PTS+{settled_s(scene, fps)}/TB"
    drawn = f"{at},ass=f={plan['under']}:fontsdir=fonts"
    backdrop, titles = folder / f"backdrop-{number}.png", folder / f"titles-{number}.png"
    raw = ["-f", "rawvideo", "-pixel_format", "yuv420p", "-video_size", size]
    rgb = "scale=in_color_matrix=bt709:in_range=tv,format=rgb24"
    _still(ffmpeg, made, [*raw, "-i", scene["backdrop"]["file"]], f"{drawn},{rgb}", backdrop)
    clear = ["-f", "lavfi", "-i", f"color=c=black@0:s={size}:r={fps},format=rgba"]
    title_filter = f"{at},ass=f={plan['titles']}:fontsdir=fonts:alpha=1"
    _still(ffmpeg, made, clear, title_filter, titles)
    return {
        "start_s": scene["start_f"] / fps,
        "end_s": scene["end_f"] / fps,
        "backdrop": str(backdrop),
        "hero": _hero(ffmpeg, scene, fps, number, made, folder),
        "titles": _lines(titles),
    }


def _hero(ffmpeg: str, scene: Json, fps: int, number: int, made: Path, folder: Path) -> Json | None:
    hero = scene["hero"]
    if not hero:
        return None
    path = folder / f"hero-{number}.png"
    size = f"{hero['width']}x{hero['height']}"
    raw = ["-f", "rawvideo", "-pixel_format", "yuva420p", "-video_size", size, "-i", hero["file"]]
    _still(ffmpeg, made, raw, "scale=in_color_matrix=bt709:in_range=tv,format=rgba", path)
    kept = {name: hero[name] for name in ("x", "y", "width", "height", "zoom", "rise")}
    times = {"delay_s": hero["delay"] / fps, "enter_s": hero["enter"] / fps}
    return {"file": str(path), **kept, **times}


def _lines(path: Path) -> list[Json]:
    """The lines of a titles' picture as pictures, cut where rows are empty."""
    with Image.open(path) as opened:
        picture = opened.convert("RGBA")
    alpha = np.asarray(picture)[:, :, 3] > 8
    (rows,) = np.nonzero(alpha.any(axis=1))
    if not len(rows):
        return []
    edges = [0, *(n for n, (a, b) in enumerate(pairwise(rows), 1) if b - a > _LINE_GAP_PX)]
    found = []
    for number, (first, last) in enumerate(pairwise([*edges, len(rows)])):
        top, bottom = int(rows[first]), int(rows[last - 1]) + 1
        (columns,) = np.nonzero(alpha[top:bottom].any(axis=0))
        box = (int(columns[0]), top, int(columns[-1]) + 1, bottom)
        line = path.with_name(f"{path.stem}-{number}.png")
        picture.crop(box).save(line)
        found.append({"file": str(line), "x": box[0], "y": box[1]})
    return found


def _still(ffmpeg: str, made: Path, source: list[str], filters: str, target: Path) -> None:
    argv = [ffmpeg, "-y", "-loglevel", "error", *source, "-vf", filters]
    argv += ["-frames:v", "1", "-update", "1", str(target)]
    env = {"PATH": "/usr/bin:/bin", "FONTCONFIG_FILE": str(made / "fonts.conf")}
    subprocess.run(argv, cwd=made, env=env, check=True)


def _settings(fps: int) -> list[str]:
    """The encoder's settings but for those that MoviePy gives itself, and the container's."""
    args = encoder.video_args(fps)
    left_out = {"-c:v", "-preset", "-threads", "-r", "-fps_mode"}
    pairs: list[tuple[Any, Any]] = list(zip(args[::2], args[1::2], strict=True))
    kept = [part for name, value in pairs if name not in left_out for part in (name, value)]
    return [*kept, "-movflags", "+faststart"]


def _threads(fps: int) -> int:
    args = encoder.video_args(fps)
    return int(args[args.index("-threads") + 1])
