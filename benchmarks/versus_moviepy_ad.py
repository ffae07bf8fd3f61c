"""The same ad as a MoviePy program, written as its guide has it. Runs in an environment of its own.

    var/moviepy/bin/python versus_moviepy_ad.py ad.json out.mp4

Backdrops, product and titles are ImageClips, captions are TextClips, a word each; the soundtrack
is mixed already. Sizes in px, times in seconds; `ad.json` is written by versus_moviepy_parts.py.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from moviepy import AudioFileClip, ColorClip, CompositeVideoClip, ImageClip, TextClip, vfx

_GAP = 0.27
_TITLE_IN_S, _TITLE_RISE = 0.4, 40


def main() -> None:
    ad = json.loads(Path(sys.argv[1]).read_text())
    clips = []
    for scene in ad["scenes"]:
        clips += _scene(scene)
    for cue in ad["cues"]:
        clips += _cue(cue, ad["captions"])
    video = CompositeVideoClip(clips, size=(ad["width"], ad["height"]))
    video = video.with_duration(ad["duration_s"]).with_audio(AudioFileClip(ad["sound"]))
    video.write_videofile(
        sys.argv[2],
        fps=ad["fps"],
        codec="libx264",
        preset=ad["preset"],
        audio_codec="aac",
        audio_bitrate="192k",
        ffmpeg_params=ad["encoder"],
        threads=ad["threads"],
        logger=None,
    )


def _scene(scene: dict[str, Any]) -> list[Any]:
    """A still ground, the product growing evenly upon it, titles that rise and fade in."""
    start_s, end_s = scene["start_s"], scene["end_s"]
    length_s = end_s - start_s
    clips = [ImageClip(scene["backdrop"]).with_start(start_s).with_duration(length_s)]
    if hero := scene["hero"]:
        (first, last), shown_s = hero["zoom"], length_s - hero["delay_s"]
        cx, cy = hero["x"] + hero["width"] / 2, hero["y"] + hero["height"] / 2

        def zoom(t: float) -> float:
            return float(first + (last - first) * t / shown_s)

        def place(t: float) -> tuple[float, float]:
            rise = hero["rise"] * max(0.0, 1 - t / hero["enter_s"]) ** 3
            size = zoom(t)
            return cx - hero["width"] * size / 2, cy - hero["height"] * size / 2 + rise

        clips.append(
            ImageClip(hero["file"])
            .with_duration(shown_s)
            .resized(zoom)
            .with_position(place)
            .with_start(start_s + hero["delay_s"])
            .with_effects([vfx.CrossFadeIn(hero["enter_s"] / 2)])
        )
    for number, title in enumerate(scene["titles"]):
        delay_s = min(0.1 * number, length_s / 2)
        clips.append(_title(title, start_s + delay_s, length_s - delay_s))
    return clips


def _title(title: dict[str, Any], start_s: float, length_s: float) -> Any:
    x, y = title["x"], title["y"]

    def place(t: float) -> tuple[float, float]:
        return x, y + _TITLE_RISE * max(0.0, 1 - t / _TITLE_IN_S) ** 3

    clip = ImageClip(title["file"]).with_duration(length_s).with_start(start_s)
    return clip.with_position(place).with_effects([vfx.CrossFadeIn(_TITLE_IN_S)])


def _cue(cue: dict[str, Any], look: dict[str, Any]) -> list[Any]:
    """The words of a cue on a plate, each lit from its start to that of the next."""
    plain = [_word(word["text"], look, look["color"]) for word in cue["words"]]
    left, top, width, height = look["zone"]
    gap = _GAP * look["size"]
    rows: list[list[int]] = [[]]
    for index, clip in enumerate(plain):
        used = sum(plain[i].w + gap for i in rows[-1])
        if rows[-1] and used + clip.w > width:
            rows.append([])
        rows[-1].append(index)
    pitch = look["size"] * 1.22
    edges = [word["start_s"] for word in cue["words"][1:]] + [cue["end_s"]]
    length_s = cue["end_s"] - cue["start_s"]
    clips = []
    for number, row in enumerate(rows):
        total = sum(plain[i].w for i in row) + gap * (len(row) - 1)
        x = left + (width - total) / 2
        y = top + (height - pitch * len(rows)) / 2 + number * pitch
        plate = ColorClip((round(total + gap * 2), round(pitch)), color=look["plate"])
        plate = plate.with_opacity(0.92).with_position((x - gap, y))
        clips.append(plate.with_start(cue["start_s"]).with_duration(length_s))
        for i in row:
            at = (x, y + (pitch - plain[i].h) / 2)
            word, until_s = cue["words"][i], edges[i]
            lit = _word(word["text"], look, look["lit"]).with_position(at)
            start_s = max(word["start_s"], cue["start_s"])
            clips.append(
                plain[i].with_position(at).with_start(cue["start_s"]).with_duration(length_s)
            )
            clips.append(lit.with_start(start_s).with_duration(max(0.03, until_s - start_s)))
            x += plain[i].w + gap
    return clips


def _word(text: str, look: dict[str, Any], color: str) -> Any:
    return TextClip(
        font=look["font"], text=text, font_size=look["size"], color=color, margin=(2, 16)
    )


if __name__ == "__main__":
    main()
