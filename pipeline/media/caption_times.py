"""Whether captions appear when their first word is heard: read back from the finished files.

The voice's own word times are what is held against: for the burnt-in captions the frames in
which libass draws them, for SRT and VTT the times that a player reads.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import accumulate
from pathlib import Path

from pipeline.media.captions import Cue
from pipeline.providers.script_ports import SpokenScene
from pipeline.stage import Json

#: More than this between a word's sound and its sight is seen as out of step: two frames at 30.
LIMIT_MS = 60.0
_DRAWN = re.compile(r"^Dialogue: \d+,(\d+):(\d+):(\d+\.\d+),", re.M)
_FILED = re.compile(r"(?:(\d+):)?(\d+):(\d+)[.,](\d{3}) --> .*\n((?:.+\n?)*)")


def caption_times(
    scenes: Sequence[SpokenScene], cues: Sequence[Cue], folder: Path, *, burnt_fps: float | None
) -> Json:
    """The largest deviations in ms, by place: `burnt_in` (with `burnt_fps`), `srt`, `vtt`.

    Reads captions.ass, captions.srt and captions.vtt of `folder`. None in a deviation's place:
    the words there are not those that are spoken. `cues` is how many there are.
    """
    starts = [word["start_s"] for scene in scenes for word in scene["words"]]
    found: Json = {"cues": len(cues), "limit_ms": LIMIT_MS}
    if burnt_fps is not None:
        firsts = accumulate((len(cue.words) for cue in cues[:-1]), initial=0)
        wanted = [starts[first] for first in firsts] if cues else []
        drawn = _frames_drawn(folder / "captions.ass", burnt_fps)
        found["burnt_in"] = _largest_ms((at_s, _nearest(at_s, drawn)) for at_s in wanted)
    for kind in ("srt", "vtt"):
        text = (folder / f"captions.{kind}").read_text(encoding="utf-8")
        found[kind] = _filed_ms(text, starts)
    return found


def _frames_drawn(ass: Path, fps: float) -> list[float]:
    """When something of the captions first appears or changes, in seconds, as frames fall.

    libass shows an event from the first frame at or after its time.
    """
    found = set()
    for hours, minutes, seconds in _DRAWN.findall(ass.read_text(encoding="ascii")):
        at_s = int(hours) * 3600 + int(minutes) * 60 + float(seconds)
        found.add(-(-round(at_s * fps, 4) // 1) / fps)
    return sorted(found)


def _filed_ms(text: str, starts: Sequence[float]) -> float | None:
    pairs, index = [], 0
    for hours, minutes, seconds, ms, words in _FILED.findall(text):
        at_s = int(hours or 0) * 3600 + int(minutes) * 60 + int(seconds) + int(ms) / 1000
        if index >= len(starts):
            return None
        pairs.append((starts[index], at_s))
        index += len(words.split())
    return _largest_ms(pairs) if index == len(starts) else None


def _nearest(at_s: float, times: Sequence[float]) -> float | None:
    return min(times, key=lambda time_s: abs(time_s - at_s), default=None)


def _largest_ms(pairs: Iterable[tuple[float, float | None]]) -> float | None:
    """Of (wanted, found) pairs; 0.0 of none."""
    largest = 0.0
    for wanted_s, found_s in pairs:
        if found_s is None:
            return None
        largest = max(largest, abs(found_s - wanted_s) * 1000)
    return round(largest, 1)
