"""A music bed as a score: which notes sound when, from a style's own data and a seed.

Nothing is sampled or quoted, so there is no licence to clear. The score is plain Python;
`synth.py` makes it audible, in a child process.

A bed file (beds/<style>.toml) holds
    bpm           tempo, bent a few percent so that a bar line falls on the end of the speech
    keys          MIDI notes of the tonics to choose from
    progressions  one chord a bar: "<semitones above the tonic>:<quality>"
    final         the chord that ends the piece
    swing         delay of every second sixteenth, as a fraction of a sixteenth
    pump          how far `pumped` layers duck under each beat, 0 to 1
    ring_s        how long the last chord rings at most: long ones begin as the voice ends,
                  short ones let the groove play under the end card
    reverb        share of the sound sent to the room (layers marked `dry` send none)
    layers        instrument, pattern (16 steps a bar; several patterns alternate by bar),
                  centre (MIDI note that chords are voiced around), hold (steps), gain_db,
                  pan (-1 left to 1 right), enter_bar
    In a pattern `*` plays the chord, a digit one of its notes, `x` a drum, `.` nothing.
"""

from __future__ import annotations

import random
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_BEDS = Path(__file__).parent / "beds"
_QUALITIES = {
    "maj": (0, 4, 7),
    "m": (0, 3, 7),
    "six": (0, 4, 7, 9),
    "m6": (0, 3, 7, 9),
    "sus": (0, 5, 7, 10),
    "m7": (0, 3, 7, 10),
    "maj9": (0, 4, 7, 11, 14),
    "m9": (0, 3, 7, 10, 14),
}
_STEPS = 16
#: The last chord rings at least this long before the sound ends.
_SHORTEST_RING_S = 1.2
_DRUMS = frozenset({"kick", "softkick", "clap", "snap", "hat", "shaker"})


@dataclass(frozen=True)
class Note:
    """One sound. `pitch` is a MIDI note (60 is middle C; drums ignore it), `velocity` 0 to 1."""

    start_s: float
    length_s: float
    pitch: int
    velocity: float


@dataclass(frozen=True)
class Part:
    """One instrument's notes and its place in the mix."""

    instrument: str
    notes: tuple[Note, ...]
    gain_db: float
    pan: float
    pumped: bool
    dry: bool


@dataclass(frozen=True)
class Score:
    """A whole bed. `beats` are the beats before the last chord, which falls on `final_s`."""

    parts: tuple[Part, ...]
    beats: tuple[float, ...]
    final_s: float
    pump: float
    reverb: float


def compose(style: str, duration_s: float, speech_end_s: float, seed: int) -> Score:
    """Write the bed of `style`: the same for the same arguments. KeyError: no such bed."""
    path = _BEDS / f"{style}.toml"
    if not path.is_file():
        raise KeyError(style)
    bed = tomllib.loads(path.read_text(encoding="utf-8"))
    rng = random.Random(f"{style}:{seed}")
    key = rng.choice(bed["keys"])
    progression = [_chord(name, key) for name in rng.choice(bed["progressions"])]
    final_s = max(speech_end_s + 0.1, duration_s - bed["ring_s"])
    final_s = min(final_s, duration_s - _SHORTEST_RING_S)
    bars = max(1.0, round(final_s * bed["bpm"] / 240 * 2) / 2)  # a half bar may end the piece
    step_s = final_s / (bars * _STEPS)
    parts = tuple(
        Part(
            layer["instrument"],
            tuple(_notes(layer, bed, progression, bars, step_s, rng, key)),
            layer["gain_db"],
            layer.get("pan", 0.0),
            layer.get("pumped", False),
            layer.get("dry", False),
        )
        for layer in bed["layers"]
    )
    beats = tuple(beat * 4 * step_s for beat in range(int(bars * 4)))
    return Score(parts, beats, final_s, bed.get("pump", 0.0), bed["reverb"])


def _notes(
    layer: dict[str, Any],
    bed: dict[str, Any],
    progression: Sequence[tuple[int, ...]],
    bars: float,
    step_s: float,
    rng: random.Random,
    key: int,
) -> Iterator[Note]:
    patterns = [layer["pattern"]] if isinstance(layer["pattern"], str) else layer["pattern"]
    shift = rng.randrange(len(patterns))
    hold_s = layer.get("hold", 1) * step_s
    for step in range(int(layer.get("enter_bar", 0)) * _STEPS, int(bars * _STEPS)):
        bar, place = divmod(step, _STEPS)
        symbol = patterns[(bar + shift) % len(patterns)][place]
        if symbol == ".":
            continue
        start_s = (step + (bed.get("swing", 0.0) if step % 2 else 0.0)) * step_s
        accent = 1.0 if place % 4 == 0 else 0.82
        chord = progression[bar % len(progression)]
        for pitch in _pitches(symbol, chord, layer.get("centre", 60)):
            velocity = accent * rng.uniform(0.9, 1.0)
            yield Note(start_s, min(hold_s, bars * _STEPS * step_s - start_s), pitch, velocity)
    # Everyone lands on the last chord; drums but the kick stay out of it.
    symbol = "x" if layer["instrument"] in _DRUMS else "0" if layer["instrument"] == "bass" else "*"
    if layer["instrument"] not in ("clap", "snap", "hat", "shaker"):
        for pitch in _pitches(symbol, _chord(bed["final"], key), layer.get("centre", 60)):
            yield Note(bars * _STEPS * step_s, bed["ring_s"] + 1, pitch, 0.95)


def _chord(name: str, key: int) -> tuple[int, ...]:
    degree, quality = name.split(":")
    return tuple(key + int(degree) + offset for offset in _QUALITIES[quality])


def _pitches(symbol: str, chord: tuple[int, ...], centre: int) -> list[int]:
    """Chord notes near `centre`: each chord moves little from the last, as a pianist's hand."""
    if symbol == "x":
        return [60]
    near = [centre + (note - centre + 6) % 12 - 6 for note in chord]
    if symbol == "*":
        return sorted(set(near))
    if int(symbol) == 0:
        return [near[0]]  # the root, wherever it lies
    ladder = sorted({*near, *(note + 12 for note in near)})
    return [ladder[min(int(symbol), len(ladder) - 1)]]
