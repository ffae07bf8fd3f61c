"""The product's own words, made fit to be spoken and to be read: no ad copy in here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from jobs.payload import VideoJob
from pipeline.providers.say import is_speakable, said
from pipeline.providers.script_ports import ON_SCREEN_CHARS

#: A spoken name longer than this is cut at its first dash, comma or bracket.
_LONG_NAME = 36
#: Nobody listens to the end of a longer sentence in an ad.
_LONG_SENTENCE = 130
_NAME_BREAK = re.compile(r"\s+[-–—|•(\[]\s*|[,:|(\[]\s*")
_SENTENCE = re.compile(r"(?<=[.!?…])\s+(?=\S)")
_CLAUSE = re.compile(r"\s*(?:[;—–]|,\s|\s-\s)\s*")
_ENDS = ".!?…"
_LEADING_VERBS = frozenset(
    ["keeps", "helps", "makes", "gives", "turns", "lets", "removes", "brings", "works", "fits"]
)
_DETERMINERS = frozenset(["a", "an", "the", "my", "your", "our", "this"])
#: Category words in the name count for more than those in passing.
_NAME_WEIGHT, _TEXT_WEIGHT = 4, 1


def spoken_name(name: str) -> str | None:
    """`name` as the voice can say it, spelt as its owner does; None where it cannot.

    Words that an English voice cannot say (emoji, other scripts, lone signs) are left out.
    """
    if not is_speakable(name):
        return None
    short = name
    if len(name) > _LONG_NAME:
        head = _NAME_BREAK.split(name, maxsplit=1)[0]
        short = head if is_speakable(head) else name
    words = [word for word in short.split() if said(word)]
    return " ".join(words).rstrip(".,;:") or None


def category_of(job: VideoJob, words: Mapping[str, Iterable[str]]) -> str:
    """The category whose words the job uses most; "generic" when it uses none."""
    in_name = _tokens(job.product_name)
    in_text = _tokens(" ".join([job.description, *job.benefits]))
    scores = {
        category: sum(
            _NAME_WEIGHT * in_name.count(word) + _TEXT_WEIGHT * in_text.count(word)
            for word in vocabulary
        )
        for category, vocabulary in words.items()
    }
    best = max(scores, key=lambda category: scores[category])  # ties: the first in the file
    return best if scores[best] else "generic"


def _tokens(text: str) -> list[str]:
    words = re.findall(r"[a-z]+(?:-[a-z]+)*", text.lower())
    return [*words, *(word[:-1] for word in words if word.endswith("s"))]


def as_sentence(phrase: str, end: str = ".") -> str:
    """A phrase with a capital and an end, so that fragments sound and read finished."""
    text = phrase.strip().rstrip(",;:-–—")
    first = text.split(" ", 1)[0]
    if first.islower():  # "iPhone" and "24-hour" keep their spelling
        text = text[0].upper() + text[1:]
    return text if text.endswith(tuple(_ENDS)) else text + end


def sentences(text: str, end: str = ".") -> list[str]:
    """The sentences of `text` that an English voice can say in one breath or two.

    One that is too long gives its first clause; where that is no shorter, nothing.
    """
    found = []
    for part in _SENTENCE.split(text):
        if len(part) > _LONG_SENTENCE:
            part = _CLAUSE.split(part, maxsplit=1)[0]
        if is_speakable(part) and len(part) <= _LONG_SENTENCE:
            found.append(as_sentence(part, end))
    return found


def about(description: str) -> list[str]:
    """What the description says, as spoken sentences that follow the product's name."""
    spoken = []
    for place, sentence in enumerate(sentences(description)):
        first, _, rest = sentence.partition(" ")
        if place == 0 and first.lower() in _LEADING_VERBS:
            sentence = f"It {first.lower()} {rest}"
        spoken.append(sentence)
    return spoken


def first_clause(sentence: str) -> str:
    """The part before the first comma or dash, when it can stand alone; else the sentence."""
    head = _CLAUSE.split(sentence, maxsplit=1)[0]
    return as_sentence(head) if len(head.split()) >= 3 else sentence


def for_screen(texts: Sequence[str], fallback: str) -> str:
    """As many of `texts` as fit one glance, side by side; `fallback` when not even one does."""
    shown = ""
    for text in texts:
        text = text.strip().rstrip(".,;:")
        joined = f"{shown} · {text}" if shown else text
        if len(joined) > ON_SCREEN_CHARS:
            break
        shown = joined
    if shown or not texts:
        return shown or fallback
    head = _CLAUSE.split(texts[0].strip(), maxsplit=1)[0].rstrip(_ENDS)
    return head if 0 < len(head) <= ON_SCREEN_CHARS else fallback


def tag_line(sentence: str, fallback: str) -> str:
    """A sentence's opening as a line under the product's name; `fallback` when it is too long.

    "A double-walled steel mug that keeps coffee hot." gives "A double-walled steel mug".
    """
    head = re.split(r"[,;:–—]|\s(?:that|which|who|with|for)\s", sentence, maxsplit=1)[0]
    head = head.strip().rstrip(_ENDS)
    return head if len(head.split()) >= 2 and len(head) <= ON_SCREEN_CHARS else fallback


def in_sentence(name: str) -> str:
    """`name` as it stands inside a sentence: "the Steel water bottle", but "AquaPure"."""
    first, *rest = name.split() or [""]
    described = bool(rest) and rest[-1].isalpha() and rest[-1].islower()
    return f"the {name}" if described and first.lower() not in _DETERMINERS else name


def fill(line: str, values: Mapping[str, str]) -> str:
    """Put values into `{name}` places, once: braces in a user's own text stay as they are.

    A value that ends its sentence by itself ("Yahoo!") swallows the line's own full stop.
    """
    filled = re.sub(r"\{(\w+)\}", lambda place: values[place[1]], line)
    return re.sub(r"([.!?…])[.!](?=\s|$)", r"\1", filled)
