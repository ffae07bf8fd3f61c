"""From the times of characters to those of the script's own words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipeline.providers.script_ports import SpokenScene, Word

#: What a pause weighs, in characters, where times are shared out by length.
_SENTENCE_WEIGHT, _SCENE_WEIGHT = 5, 8

Times = list[tuple[float, float]]


def scenes_from(
    lines: Sequence[str], alignment: Any, duration_s: float
) -> tuple[list[SpokenScene], bool]:
    """The scenes' words in time, and whether the times are the voice's own.

    `alignment` is ElevenLabs' characters with their start and end times. Where it is missing
    or of another text, the time is shared out by the words' lengths. Times never run
    backwards, nor past `duration_s`.
    """
    words = [line.split() for line in lines]
    times = _aligned([word for line in words for word in line], alignment)
    found = times is not None
    if times is None:
        times = _shared_out(words, duration_s)
    scenes: list[SpokenScene] = []
    clock_s, at = 0.0, 0
    for line in words:
        spoken: list[Word] = []
        for text in line:
            start_s, end_s = times[at]
            start_s = round(min(duration_s, max(clock_s, start_s)), 4)
            clock_s = round(min(duration_s, max(start_s, end_s)), 4)
            spoken.append({"text": text, "start_s": start_s, "end_s": clock_s})
            at += 1
        start_s = spoken[0]["start_s"] if spoken else clock_s
        scenes.append({"start_s": start_s, "end_s": clock_s, "words": spoken})
    return scenes, found


def _aligned(words: list[str], alignment: Any) -> Times | None:
    try:
        characters: list[str] = alignment["characters"]
        starts: list[float] = [float(at) for at in alignment["character_start_times_seconds"]]
        ends: list[float] = [float(at) for at in alignment["character_end_times_seconds"]]
    except (TypeError, KeyError, ValueError):
        return None
    if not len(characters) == len(starts) == len(ends):
        return None
    # White space is the vendor's to change; the letters must be ours.
    heard = [
        (char, starts[at], ends[at])
        for at, text in enumerate(characters)
        for char in str(text)
        if not char.isspace()
    ]
    if "".join(char for char, _, _ in heard) != "".join(words):
        return None
    times: Times = []
    at = 0
    for word in words:
        times.append((heard[at][1], heard[at + len(word) - 1][2]))
        at += len(word)
    return times


def _shared_out(scenes: list[list[str]], duration_s: float) -> Times:
    spans: Times = []
    clock = 0.0
    for words in scenes:
        for word in words:
            spans.append((clock, clock + len(word)))
            clock += len(word) + 1
            if word.endswith((".", "!", "?", ":")):
                clock += _SENTENCE_WEIGHT
        clock += _SCENE_WEIGHT
    scale = duration_s / max(clock - _SCENE_WEIGHT, 1.0)
    return [(start * scale, end * scale) for start, end in spans]
