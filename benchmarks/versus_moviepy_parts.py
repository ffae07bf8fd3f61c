"""Takes an ad apart for the MoviePy program: pictures, and where each stands in every frame.

Everything that our own film shows is there: backdrops, the product, decoration, each line of the
titles, transitions, and the captions' plates and words. Each is a picture drawn once, and a track
of poses; the program is spared the drawing and the easing, and looks them up.
"""

from __future__ import annotations

import json
import subprocess
from itertools import pairwise
from pathlib import Path

from benchmarks.versus_moviepy_sprites import draw
from benchmarks.versus_moviepy_tracks import Track, Tracks
from jobs.payload import VideoJob
from pipeline.media import draw_captions, encoder
from pipeline.media.captions import Cue
from pipeline.media.draw_scenes import loaded
from pipeline.media.elements import UNDER_HERO
from pipeline.providers.ffmpeg_compositor import caption_order
from pipeline.providers.motion import drawing_order
from pipeline.providers.script_ports import Script, VoiceData
from pipeline.stage import Json
from pipeline.styles.scene import Scene
from pipeline.styles.transitions import TRANSITIONS, Cut

_FADE_OUT_F = 6


def write_parts(
    ffmpeg: str, job: VideoJob, script: Script, voice: VoiceData, plan: Json, cues: list[Cue],
    made: Path, folder: Path,
) -> Path:  # fmt: skip
    """Write the PNGs and `ad.json` to `folder`; `made` is the compositor's own folder."""
    fps, frames = plan["fps"], plan["frames"]
    _, scenes = loaded(drawing_order(job, script, voice, job.seed))
    tracks = [*_elements(scenes, fps, frames), *_transitions(scenes, frames)]
    if job.captions:
        tracks += _captions(caption_order(plan, cues, script["language"]), frames)
    sprites = draw(ffmpeg, [(track.shape, track.color) for track in tracks], folder)
    ordered = sorted(tracks, key=lambda track: track.layer)
    parts = [
        {
            **sprites[track.shape + track.color],
            "under": track.layer <= UNDER_HERO,
            "phases": track.phases(),
        }
        for track in ordered
    ]
    ad: Json = {
        "width": plan["width"],
        "height": plan["height"],
        "fps": fps,
        "frames": frames,
        "sound": str(made / "mix.wav"),
        "encoder": {"preset": encoder.PRESET, **_settings(fps)},
        "backdrops": _backdrops(ffmpeg, plan, made, folder),
        "heroes": [
            _hero(ffmpeg, plan, scene, made, folder) for scene in plan["scenes"] if scene["hero"]
        ],
        "parts": parts,
    }
    path = folder / "ad.json"
    path.write_text(json.dumps(ad))
    return path


def _elements(scenes: list[Scene], fps: int, frames: int) -> list[Track]:
    found: list[Track] = []
    for scene in scenes:
        for element in scene.elements:
            tracks = Tracks(frames)
            element.bake(tracks, fps)  # type: ignore[arg-type]  # takes down what it is given
            found += tracks.found
    return found


def _transitions(scenes: list[Scene], frames: int) -> list[Track]:
    tracks = Tracks(frames)
    if cover := TRANSITIONS.get(scenes[0].style.transition):
        for before, after in pairwise(scenes):
            cut = Cut(
                after.start_f, before.palette, after.palette, 1 if after.index % 2 else -1,
                after.start_f - before.start_f, after.end_f - after.start_f,
            )  # fmt: skip
            cover(tracks, scenes[0].zones, cut)  # type: ignore[arg-type]
    return tracks.found


def _captions(order: Json, frames: int) -> list[Track]:
    tracks = Tracks(frames)
    for cue in order["cues"]:
        draw_captions.draw_cue(tracks, order, cue)  # type: ignore[arg-type]
    return tracks.found


def _backdrops(ffmpeg: str, plan: Json, made: Path, folder: Path) -> list[Json]:
    """One picture for as long as it stands, over scenes that share it."""
    found: list[Json] = []
    size = f"{plan['width']}x{plan['height']}"
    for scene in plan["scenes"]:
        name = scene["backdrop"]["file"]
        path = folder / f"{name}.png"
        if found and found[-1]["file"] == str(path):
            found[-1]["end_f"] = scene["end_f"]
            continue
        _convert(ffmpeg, made / name, "yuv420p", size, "rgb24", path)
        found.append({"file": str(path), "start_f": scene["start_f"], "end_f": scene["end_f"]})
    return found


def _hero(ffmpeg: str, plan: Json, scene: Json, made: Path, folder: Path) -> Json:
    hero = scene["hero"]
    path = folder / f"{hero['file']}.png"
    _convert(
        ffmpeg, made / hero["file"], "yuva420p", f"{hero['width']}x{hero['height']}", "rgba", path
    )
    leaves = scene is not plan["scenes"][-1] and plan["transition"] == "settle"
    return {
        **hero,
        "file": str(path),
        "start_f": scene["start_f"] + hero["delay"],
        "end_f": scene["end_f"],
        "fade_out_f": _FADE_OUT_F if leaves else 0,
    }


def _convert(ffmpeg: str, raw: Path, pixels: str, size: str, to: str, png: Path) -> None:
    argv = [ffmpeg, "-y", "-loglevel", "error", "-f", "rawvideo", "-pixel_format", pixels]
    argv += ["-video_size", size, "-i", str(raw), "-vf"]
    argv += [f"scale=in_color_matrix=bt709:in_range=tv,format={to}", "-frames:v", "1", str(png)]
    subprocess.run(argv, check=True)


def _settings(fps: int) -> Json:
    """The encoder's settings, but for those that MoviePy gives itself, and the container's."""
    args = encoder.video_args(fps)
    left_out = {"-c:v", "-preset", "-threads", "-r", "-fps_mode"}
    pairs = list(zip(args[::2], args[1::2], strict=True))
    kept = [part for name, value in pairs if name not in left_out for part in (name, value)]
    threads = int(args[args.index("-threads") + 1])
    return {"threads": threads, "params": [*kept, "-movflags", "+faststart"]}
