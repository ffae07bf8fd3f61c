"""From the voice's seconds to the video's frames: when each scene stands."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.providers.script_ports import END_CARD_S

#: A scene opens this long before its first word, so that the eye is there when the ear is.
LEAD_S = 0.1
#: The end card is seen at least this long in all, however short its sentence.
MIN_END_CARD_S = 2.0
#: No scene is shorter: a flash of a few frames reads as an error.
MIN_SCENE_F = 15


def scene_spans(voice: Mapping[str, Any], fps: int) -> list[tuple[int, int]]:
    """(first frame, frame after the last) of each scene; they meet, and start at 0."""
    scenes: Sequence[Mapping[str, Any]] = voice["scenes"]
    starts: list[int] = []
    for index, scene in enumerate(scenes):
        # A hair more, so that a scene whose voice starts on a frame does not open one earlier.
        at = max(0, math.floor((scene["start_s"] - LEAD_S) * fps + 1e-3))
        starts.append(0 if index == 0 else max(at, starts[-1] + MIN_SCENE_F))
    last = scenes[-1]
    spoken_s = last["words"][-1]["end_s"] if last["words"] else last["end_s"]
    end = max(
        math.ceil((spoken_s + END_CARD_S) * fps),
        math.ceil(voice["duration_s"] * fps),
        starts[-1] + math.ceil(MIN_END_CARD_S * fps),
    )
    return list(zip(starts, [*starts[1:], end], strict=True))
