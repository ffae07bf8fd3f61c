"""The embedded writer: an ad from the product's own words and templates/en.toml.

1. The job's words say what kind of product it is; the style says in which tone to speak.
2. Each scene gets a list of ways to say it, from short to long, the job's own words first.
3. Of all combinations, the one that best fills the time is taken; when even the shortest
   is too long, scenes are left out, the least needed first, down to four.

It states only what the job states: ratings, prices and features come from the payload alone.
"""

from __future__ import annotations

import random
import tomllib
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from errors import InvalidInput
from jobs.payload import Variants, VideoJob
from pipeline.providers import template_words as words
from pipeline.providers.pace import Pace, estimate_s, pace_for
from pipeline.providers.say import is_speakable, said
from pipeline.providers.script_ports import (
    END_CARD_S,
    MAX_SCENES,
    Role,
    Script,
    ScriptScene,
    Visual,
)
from pipeline.providers.template_fit import Draft, Way, fit
from pipeline.stage import StageContext

_TEMPLATES = Path(__file__).parent / "templates"
_PUNCHY = frozenset({"bold", "playful", "tech"})
#: An ad does not quote a rating below this: no brand would.
_PROUD_RATING = 3.5
#: A call that takes longer to say (numbers, mostly) is read only.
_LONG_CALL_S = 4.0
_MAX_WAYS = 6
#: What it costs, in seconds of unused time, to say nothing of the description, to leave a
#: benefit out, and to pass over the better of two lines.
_UNTOLD_S, _LEFT_OUT_S, _SECOND_BEST_S = 1.5, 0.8, 0.1


class TemplateScript:
    """Deterministic for a job and a seed; English only."""

    name = "template"
    version = "1"

    def write(self, job: VideoJob, ctx: StageContext) -> Script:
        """Raises InvalidInput("language", ...) for any language but English."""
        if job.language.split("-")[0] != "en":
            raise InvalidInput(
                "language",
                f"the embedded writer writes English only, not '{job.language}'; "
                "with ANTHROPIC_API_KEY set, Claude would write it, and with "
                "ELEVENLABS_API_KEY set, ElevenLabs would speak it",
            )
        pace = pace_for(job.style, job.duration_s)
        writer = _writer(job, ctx.seed, pace)
        drafts = writer.drafts()
        budget_s = job.duration_s - END_CARD_S - pace.head_s - pace.tail_s
        chosen = fit(drafts, budget_s, pace)
        scenes = [_scene(draft, way) for draft, way in chosen]
        script: Script = {"language": job.language, "scenes": scenes}
        if job.variants != Variants():
            (hook, opening), (_, closing) = chosen[0], chosen[-1]
            calls = [
                _writer(job.model_copy(update={"cta_text": text}), ctx.seed, pace).call(closing)
                for text in job.variants.ctas
            ]
            script["alternatives"] = {
                "hooks": [
                    _scene(hook, way) for way in writer.hooks(opening, job.variants.hooks - 1)
                ],
                "ctas": calls,
            }
        return script


def _writer(job: VideoJob, seed: int, pace: Pace) -> _Writer:
    return _Writer(job, random.Random(f"{seed}:{job.style}"), pace)


def _scene(draft: Draft, way: Way) -> ScriptScene:
    return {
        "role": draft.role,
        "spoken": way.spoken,
        "on_screen": way.on_screen,
        "visual": draft.visual,
    }


class _Writer:
    """Collects, for each scene, the ways to say it."""

    def __init__(self, job: VideoJob, rng: random.Random, pace: Pace) -> None:
        copy = _copy()
        tone = "punchy" if job.style in _PUNCHY else "calm"
        vocabularies = {name: entry["words"] for name, entry in copy["category"].items()}
        category = copy["category"][words.category_of(job, vocabularies)]
        self._job = job
        self._rng = rng
        self._pace = pace
        self._tone: dict[str, Any] = copy["tone"][tone]
        self._short: list[str] = category["short"]
        self._hooks: list[str] = self._turned(category[tone]["hook"])
        self._stock: list[tuple[str, str]] = self._turned(category[tone]["benefit"])
        self._generic: list[tuple[str, str]] = copy["category"]["generic"][tone]["benefit"]
        general: list[str] = copy["category"]["generic"][tone]["hook"]
        self._general_hooks: list[str] = self._turned(general)
        self._name = words.spoken_name(job.product_name)
        self._end: str = self._tone["cta_end"]

    def drafts(self) -> list[Draft]:
        """The scenes in order: as many as the job has something to say for, at most six."""
        own = [text for text in self._job.benefits if is_speakable(text)]
        about = words.about(self._job.description)
        looks = (*about[1:], *self._tone["more"])
        drafts = [
            self._draft("hook", "hook", "hero", self._hook(), self._hooks),
            self._draft("product", "product", "hero", self._product(about), looks),
            *self._benefits(own, about[1:]),
            *self._proof(),
            *self._offer(),
            self._draft("cta", "cta", "card", self._call()),
        ]
        if len(drafts) > MAX_SCENES:
            drafts = [draft for draft in drafts if draft.key != "more"]
        return drafts

    def hooks(self, used: Way, count: int) -> list[Way]:
        """Further openings, none saying what `used` says, each with another label."""
        lines = [line for line in self._hooks if line not in used.spoken]
        lines += [line for line in self._general_hooks if line not in (*lines, used.spoken)]
        lines += [line for line in self._short if line not in (used.spoken, used.on_screen)]
        labels = [*self._short, self._job.product_name]
        ways = []
        for number, line in enumerate(lines[:count]):
            shown = next(
                label for label in labels[number % len(labels) :] + labels if label != line
            )
            ways.append(Way(line, shown))
        return ways

    def call(self, beside: Way) -> ScriptScene:
        """The call to action as long to say as another one is, as far as that goes."""
        draft = self._draft("cta", "cta", "card", self._call())
        return _scene(draft, min(draft.ways, key=lambda way: abs(way.seconds - beside.seconds)))

    def _turned(self, lines: list[Any]) -> list[Any]:
        start = self._rng.randrange(len(lines))
        return lines[start:] + lines[:start]

    def _draft(
        self,
        key: str,
        role: Role,
        visual: Visual,
        ways: Sequence[Way],
        fillers: Sequence[str] = (),
    ) -> Draft:
        timed: dict[str, Way] = {}
        for way in ways:
            seconds = estimate_s(way.spoken, self._pace)
            timed.setdefault(way.spoken, replace(way, seconds=seconds))
        return Draft(key, role, visual, tuple(timed.values())[:_MAX_WAYS], tuple(fillers))

    def _hook(self) -> list[Way]:
        first, second = self._hooks[:2]
        # What is read must not repeat what is said: a short hook stands beside the long one,
        # and the other short one beside a short one.
        shown, other = self._turned(self._short)
        return [
            Way(first, shown),
            Way(second, shown, _SECOND_BEST_S),
            Way(f"{first} {second}", shown, _SECOND_BEST_S),
            Way(shown, other, 5 * _SECOND_BEST_S),
        ]

    def _product(self, about: list[str]) -> list[Way]:
        shown = self._job.product_name
        name = self._name or ""
        intros = self._turned(self._tone["intro" if name else "intro_nameless"])
        intro = words.fill(intros[0], {"name": words.in_sentence(name)})
        if not about:
            told = [f"{intro} {self._turned(self._tone['more'])[0]}"]
        elif name and about[0].lower().startswith(name.lower() + " "):
            told = [about[0], words.first_clause(about[0])]
        else:
            told = [f"{intro} {about[0]}", f"{intro} {words.first_clause(about[0])}"]
            shown = words.tag_line(about[0], shown)
        bare = words.fill("{name}.", {"name": name}) if name else intro
        wordless: str = self._tone["intro_nameless"][0]  # a long name is read, not said
        untold = _UNTOLD_S if about else 0.0
        return [
            *_ranked(told, shown),
            Way(intro, self._job.product_name, untold),
            Way(bare, self._job.product_name, untold + 0.5),
            Way(wordless, self._job.product_name, untold + 1.5),
        ]

    def _benefits(self, own: list[str], about: list[str]) -> list[Draft]:
        """The job's benefits, shared between two scenes; stock lines where it names none."""
        if len(own) >= 4:
            half = (len(own) + 1) // 2
            shares = [own[:half], own[half:]]
        else:
            shares = [own, []]
        drafts = []
        for key, share in zip(("benefit", "more"), shares, strict=True):
            ways = self._own_ways(share) if share else self._stock_ways(key, about)
            visual: Visual = "list" if share else "quote"
            drafts.append(self._draft(key, "benefit", visual, ways, self._spare(key)))
        return drafts

    def _spare(self, key: str) -> list[str]:
        """Stock lines for time left over; the two benefit scenes never say the same."""
        stock = self._stock[2:] if key == "more" else self._stock[:2]
        generic = self._generic[2:] if key == "more" else self._generic[:2]
        return [spoken for spoken, _ in (*stock, *generic)]

    def _own_ways(self, share: list[str]) -> list[Way]:
        lead = self._turned(self._tone["benefit_lead"])[0]
        # A list shows the benefits themselves, so beside them stands a title.
        title = self._turned(self._tone["benefit_title"])[0] if len(share) > 1 else None
        ways = []
        for count in range(len(share), 0, -1):
            spoken = " ".join(words.as_sentence(text) for text in share[:count])
            shown = title or words.for_screen(share[:count], self._short[0])
            left_out = _LEFT_OUT_S * (len(share) - count)
            if count == 1 and shown.rstrip(".!?") == spoken.rstrip(".!?"):
                ways.append(Way(f"{lead} {spoken}", shown, left_out))
                left_out += _SECOND_BEST_S
            ways.append(Way(spoken, shown, left_out))
        clause = words.first_clause(words.as_sentence(share[0]))
        shown = title or words.for_screen([clause], self._short[0])
        return [*ways[: _MAX_WAYS - 1], Way(clause, shown, _LEFT_OUT_S * len(share))]

    def _stock_ways(self, key: str, about: list[str]) -> list[Way]:
        pool = self._stock[:2] if key == "benefit" else self._stock[2:4]
        (first, shown), (second, shown_second) = pool
        ways = []
        if about and key == "benefit":
            clause = words.first_clause(about[0])
            # The captions already show the sentence: beside it stands its core, or a label.
            own_shown = words.for_screen([clause], shown) if clause != about[0] else shown
            ways = _ranked([" ".join(about[:count]) for count in (1, 2)], own_shown)
        untold = 0.5 if ways else 0.0
        return [
            *ways,
            Way(first, shown, untold),
            Way(second, shown_second, untold + _SECOND_BEST_S),
            Way(f"{first} {second}", shown, untold + _SECOND_BEST_S),
            # The shortest: the label is said, and the product's name is read.
            Way(words.as_sentence(shown), self._job.product_name, untold + 0.5),
        ]

    def _proof(self) -> list[Draft]:
        if self._job.rating is None or self._job.rating < _PROUD_RATING:
            return []
        rating = f"{self._job.rating:.2f}".rstrip("0").rstrip(".")
        lines = [words.fill(line, {"rating": rating}) for line in self._tone["proof"]]
        return [self._draft("proof", "proof", "badge", _ranked(lines, f"{rating} / 5"))]

    def _offer(self) -> list[Draft]:
        price, old = self._job.price, self._job.old_price
        if price is None:
            return []
        prices = {"price": price, "old": old or ""}
        # The price itself is drawn as the figure of its scene; this stands beside it.
        shown: str = self._tone["offer_title"]
        if not said(price.replace(" ", "")):
            lines = [words.as_sentence("Here is the price", self._end), "The price."]
        elif not any(char.isdigit() for char in price):
            lines = [*self._tone["offer_word"], "{price}."]  # "Free", "On request"
            shown = "The price"
        elif old and said(old.replace(" ", "")):
            lines = [*self._tone["offer_old"], "{price}."]
            shown = self._tone["offer_title_old"]
        else:
            lines = [*self._turned(self._tone["offer"]), "{price}."]
        ways = _ranked([words.fill(line, prices) for line in lines], shown)
        ways[-1] = replace(ways[-1], loss=1.0)  # the bare price is a last resort
        return [self._draft("offer", "offer", "price", ways)]

    def _call(self) -> list[Way]:
        shown = self._job.cta_text
        text = " ".join(word for word in shown.split() if said(word))
        speakable = is_speakable(shown) and text
        call = words.as_sentence(text, self._end) if speakable else ""
        if not call or estimate_s(call, self._pace) > _LONG_CALL_S:
            call = "Take a look" + self._end
        before = self._turned(self._tone["before_cta"])
        name = words.fill("{name}. ", {"name": self._name}) if self._name else ""
        lines = [call, f"{name}{call}", f"{before[0]} {call}", f"{name}{before[0]} {call}"]
        return _ranked(lines, shown)


def _ranked(lines: Sequence[str], shown: str) -> list[Way]:
    return [Way(line, shown, place * _SECOND_BEST_S) for place, line in enumerate(lines)]


@cache
def _copy() -> dict[str, Any]:
    return tomllib.loads((_TEMPLATES / "en.toml").read_text(encoding="utf-8"))
