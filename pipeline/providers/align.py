"""Which of the phonemes that were heard belong to which written word.

A voice runs words together ("of the" is one word to espeak) and reads one as several
("$19.99"), so counting spaces does not work. Each word's phonemes, as it sounds alone, are
aligned to those of the whole sentence (Needleman and Wunsch, 1970).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

_GAP = 0.7
_VOWELS = frozenset("aeiouyæɐɑɒɔəɚɛɜɝɪɨʉʊʌᵻøœ")


@dataclass(frozen=True)
class Heard:
    """A phoneme and its place in the sound, in samples."""

    phoneme: str
    start: int
    end: int


def word_spans(words: Sequence[str], heard: Sequence[Heard]) -> list[tuple[int, int]]:
    """(start, end) in samples of each word, given each word's phonemes as it sounds alone.

    In order, without overlap, inside the sound. A silent word (no phonemes) is an instant
    between its neighbours.
    """
    wanted = [(index, char) for index, word in enumerate(words) for char in word if is_sound(char)]
    sounds = [place for place, phoneme in enumerate(heard) if is_sound(phoneme.phoneme)]
    matches = _align([char for _, char in wanted], [heard[place].phoneme for place in sounds])
    first: dict[int, int] = {}
    last: dict[int, int] = {}
    for want, found in matches:
        index = wanted[want][0]
        first.setdefault(index, sounds[found])
        last[index] = sounds[found]
    spans: list[tuple[int, int]] = []
    clock = heard[sounds[0]].start if sounds else 0
    for index in range(len(words)):
        if index in first:
            place = first[index]
            while place > 0 and _is_mark(heard[place - 1].phoneme):
                place -= 1  # a stress mark stands before its vowel and has its own samples
            tail = last[index]
            while tail + 1 < len(heard) and heard[tail + 1].phoneme == "ː":
                tail += 1
            start = max(clock, heard[place].start)
            spans.append((start, max(start, heard[tail].end)))
        else:
            spans.append((clock, clock))
        clock = spans[-1][1]
    return spans


def is_sound(phoneme: str) -> bool:
    """True for what is pronounced; False for stress, length, spaces and punctuation."""
    return any(unicodedata.category(char).startswith("L") for char in phoneme) and not _is_mark(
        phoneme
    )


def _is_mark(phoneme: str) -> bool:
    return phoneme in ("ˈ", "ˌ", "ː", "ˑ")


def _distance(left: str, right: str) -> float:
    if left == right:
        return 0.0
    return 0.5 if (left in _VOWELS) == (right in _VOWELS) else 1.2


def _align(left: Sequence[str], right: Sequence[str]) -> list[tuple[int, int]]:
    """The cheapest alignment, as pairs of indices in order."""
    rows, columns = len(left) + 1, len(right) + 1
    cost = [[0.0] * columns for _ in range(rows)]
    for row in range(1, rows):
        cost[row][0] = row * _GAP
    for column in range(1, columns):
        cost[0][column] = column * _GAP
    for row in range(1, rows):
        above, here = cost[row - 1], cost[row]
        for column in range(1, columns):
            here[column] = min(
                above[column - 1] + _distance(left[row - 1], right[column - 1]),
                above[column] + _GAP,
                here[column - 1] + _GAP,
            )
    pairs = []
    row, column = rows - 1, columns - 1
    while row and column:
        step = _distance(left[row - 1], right[column - 1])
        if cost[row][column] == cost[row - 1][column - 1] + step:
            row, column = row - 1, column - 1
            pairs.append((row, column))
        elif cost[row][column] == cost[row - 1][column] + _GAP:
            row -= 1
        else:
            column -= 1
    return pairs[::-1]
