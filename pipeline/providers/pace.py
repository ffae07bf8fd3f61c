"""How fast each style speaks, and how long a line takes: shared by who writes and who speaks."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from pipeline.providers.say import said

#: Seconds of a letter, of a digit (a whole word when said) and of a sentence at length_scale 1:
#: least squares over 51 lines of the embedded voice; half of them fall within 0.15 s.
_LETTER_S, _DIGIT_S, _SENTENCE_S = 0.061, 0.36, 0.098
#: Pauses shrink in ads shorter than this; there, every tenth of a second carries words.
_FULL_PAUSES_S = 15.0
_SENTENCE_END = re.compile(r"[.!?:]+(?=\s|$)")


@dataclass(frozen=True)
class Pace:
    """Stretch of the voice (more is slower), and its silences in seconds."""

    length_scale: float
    scene_pause_s: float
    sentence_pause_s: float
    head_s: float = 0.3
    tail_s: float = 0.1


_PACES = {
    "minimal": Pace(1.04, 0.42, 0.26),
    "bold": Pace(0.95, 0.25, 0.12),
    "luxury": Pace(1.08, 0.45, 0.32),
    "playful": Pace(0.97, 0.28, 0.14),
    "tech": Pace(0.98, 0.32, 0.18),
}


def pace_for(style: str, duration_s: float) -> Pace:
    """The pace of `style` in an ad of `duration_s`."""
    pace = _PACES[style]
    part = min(1.0, duration_s / _FULL_PAUSES_S)
    return replace(
        pace,
        scene_pause_s=round(pace.scene_pause_s * part, 3),
        sentence_pause_s=round(pace.sentence_pause_s * part, 3),
        head_s=round(pace.head_s * part, 3),
    )


def estimate_s(line: str, pace: Pace) -> float:
    """About how long `line` takes to say, its inner pauses included."""
    text = " ".join(filter(None, map(said, line.split())))
    sentences = max(1, len(_SENTENCE_END.findall(text)))
    letters = sum(char.isalpha() for char in text)
    digits = sum(char.isdigit() for char in text)
    speech_s = _LETTER_S * letters + _DIGIT_S * digits + _SENTENCE_S * sentences
    return speech_s * pace.length_scale + pace.sentence_pause_s * (sentences - 1)
