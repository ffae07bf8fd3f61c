"""Captions from the voice's own word times: groups to burn in, and SRT and VTT files.

Nothing is recognised from the sound, so every word is spelt as the script spells it.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

from pipeline.providers.script_ports import SpokenScene

#: A burnt-in group that stands shorter than this flickers; it may stay into the pause after it.
MIN_CUE_S = 0.7
#: How long a group may outstay its last word where nothing follows.
LINGER_S = 0.25
#: The usual limits of subtitle files (Netflix and BBC guides): two lines of up to 42 characters.
FILE_LINE_CHARS = 42
FILE_LINES = 2

_SENTENCE_ENDS = (".", "!", "?", "…")
_CLAUSE_ENDS = (",", ";", ":", "—", "–")
#: A line that ends on one of these reads badly: the reader waits for the noun.
_LEANS_ON_NEXT = frozenset(
    re.findall(
        r"\S+",
        "a an and as at by for from in into is it's its my no of on one or our per so that the "
        "their this to with you your",
    )
)


@dataclass(frozen=True)
class Word:
    """A word and when it is heard, in seconds from the start of the video."""

    text: str
    start_s: float
    end_s: float


@dataclass(frozen=True)
class Cue:
    """Words that stand on the screen together, from `start_s` until `end_s`."""

    start_s: float
    end_s: float
    words: tuple[Word, ...]

    @property
    def text(self) -> str:
        return " ".join(word.text for word in self.words)


def group_words(scenes: Sequence[SpokenScene], max_chars: int = 22) -> list[Cue]:
    """Group the words of voice_gen's `scenes` into cues of about `max_chars`.

    A cue never spans two scenes or two sentences, starts with its first word, and never
    overlaps the next; it stays up to LINGER_S after its last word, or until MIN_CUE_S have
    passed, as far as the next cue allows. A single word longer than `max_chars` stands alone.
    """
    cues: list[Cue] = []
    for scene in scenes:
        words = [Word(word["text"], word["start_s"], word["end_s"]) for word in scene["words"]]
        for sentence in _sentences(words):
            cues += [_cue(group) for group in _lines(sentence, max_chars)]
    return _stretch(cues)


def write_srt(cues: Sequence[Cue], path: Path) -> None:
    """Write SubRip (UTF-8, CRLF-free), cues joined into subtitles of one or two lines."""
    blocks = [
        f"{number}\n{_time(cue.start_s, ',')} --> {_time(cue.end_s, ',')}\n{_wrap(cue)}\n"
        for number, cue in enumerate(_joined(cues), start=1)
    ]
    path.write_text("\n".join(blocks), encoding="utf-8")


def write_vtt(cues: Sequence[Cue], path: Path) -> None:
    """Write WebVTT (w3.org/TR/webvtt1), with `&`, `<` and `>` escaped in cue text."""
    blocks = [
        f"{_time(cue.start_s, '.')} --> {_time(cue.end_s, '.')}\n"
        f"{html.escape(_wrap(cue), quote=False)}\n"
        for cue in _joined(cues)
    ]
    path.write_text("\n".join(["WEBVTT\n", *blocks]), encoding="utf-8")


def _sentences(words: Sequence[Word]) -> Iterator[list[Word]]:
    sentence: list[Word] = []
    for word in words:
        sentence.append(word)
        if word.text.rstrip("\"'”’)").endswith(_SENTENCE_ENDS):
            yield sentence
            sentence = []
    if sentence:
        yield sentence


def _lines(words: Sequence[Word], max_chars: int) -> list[Sequence[Word]]:
    """Split a sentence where it costs least: even lines, ends at clauses, no hanging article.

    The least total cost over all splits, found from the end of the sentence forwards.
    """
    best: list[tuple[float, int]] = [(0.0, 0)] * (len(words) + 1)
    for start in range(len(words) - 1, -1, -1):
        options = []
        for end in range(start + 1, len(words) + 1):
            size = len(" ".join(word.text for word in words[start:end]))
            if size > max_chars and end > start + 1:
                break
            options.append((_cost(words, start, end, size, max_chars) + best[end][0], end))
        best[start] = min(options)
    lines, start = [], 0
    while start < len(words):
        end = best[start][1]
        lines.append(words[start:end])
        start = end
    return lines


def _cost(words: Sequence[Word], start: int, end: int, size: int, max_chars: int) -> float:
    cost = 0.4 + ((max_chars - size) / max_chars) ** 2
    last = words[end - 1].text
    if end < len(words):
        if last.lower() in _LEANS_ON_NEXT:
            cost += 0.5
        if last.endswith(_CLAUSE_ENDS):
            cost -= 0.4
    until = words[end].start_s if end < len(words) else words[end - 1].end_s + LINGER_S
    shown_s = until - words[start].start_s
    return cost + 1.8 * max(0.0, 1 - shown_s / MIN_CUE_S)


def _cue(words: Sequence[Word]) -> Cue:
    return Cue(words[0].start_s, words[-1].end_s, tuple(words))


def _stretch(cues: list[Cue]) -> list[Cue]:
    """Let cues stay as long as they usefully can; close the small gaps, where text would blink."""
    stretched = []
    for cue, following in pairwise(cues):
        wanted = max(cue.end_s + LINGER_S, cue.start_s + MIN_CUE_S)
        gap_s = following.start_s - cue.end_s
        end_s = following.start_s if gap_s <= LINGER_S else min(wanted, following.start_s)
        stretched.append(replace(cue, end_s=end_s))
    for last in cues[-1:]:
        wanted = max(last.end_s + LINGER_S, last.start_s + MIN_CUE_S)
        stretched.append(replace(last, end_s=wanted))
    return stretched


def _joined(cues: Sequence[Cue]) -> list[Cue]:
    """Neighbours of one sentence become one subtitle while they fit its two lines."""
    joined: list[Cue] = []
    for cue in cues:
        if joined and _belongs(joined[-1], cue):
            last = joined[-1]
            joined[-1] = Cue(last.start_s, cue.end_s, last.words + cue.words)
        else:
            joined.append(cue)
    return joined


def _belongs(last: Cue, cue: Cue) -> bool:
    if last.words[-1].text.rstrip("\"'”’)").endswith(_SENTENCE_ENDS):
        return False
    if cue.start_s - last.words[-1].end_s > LINGER_S:
        return False  # a pause in the voice: another scene
    return _wrap(Cue(0, 0, last.words + cue.words)).count("\n") < FILE_LINES


def _wrap(cue: Cue) -> str:
    return "\n".join(
        " ".join(word.text for word in line) for line in _lines(cue.words, FILE_LINE_CHARS)
    )


def _time(seconds: float, mark: str) -> str:
    ms = round(seconds * 1000)
    hours, ms = divmod(ms, 3_600_000)
    minutes, ms = divmod(ms, 60_000)
    whole, ms = divmod(ms, 1000)
    return f"{hours:02}:{minutes:02}:{whole:02}{mark}{ms:03}"
