"""Which ways of saying an ad's scenes fill its time best."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace

from pipeline.providers.pace import Pace, estimate_s
from pipeline.providers.script_ports import MIN_SCENES, Role, Visual

#: The voice can hurry a little, so a script may be this much too long before it is cut.
_OVERRUN = 1.04
#: Scenes longer than this drag, and the hook must be over sooner.
_LONG_SCENE_S, _LONG_HOOK_S = 6.5, 3.2
#: What is left out first when time is short; a hook, the product and the call always stay.
_DROP_ORDER = ("more", "proof", "benefit", "offer")


@dataclass(frozen=True)
class Way:
    """One way to fill a scene. `loss`: the seconds of silence one would rather have."""

    spoken: str
    on_screen: str
    loss: float = 0.0
    seconds: float = 0.0


@dataclass(frozen=True)
class Draft:
    """A scene before its words are chosen. `key` tells the two benefit scenes apart."""

    key: str
    role: Role
    visual: Visual
    ways: tuple[Way, ...]
    #: Sentences that may follow where there is time left.
    fillers: tuple[str, ...] = ()


def fit(drafts: list[Draft], budget_s: float, pace: Pace) -> list[tuple[Draft, Way]]:
    """Choose how each scene is said, and which scenes stay, to fill the time best."""
    kept = list(drafts)
    for key in _DROP_ORDER:
        if _shortest_s(kept, pace) <= budget_s * _OVERRUN or len(kept) <= MIN_SCENES:
            break
        kept = [draft for draft in kept if draft.key != key]
    choices = [kept]
    if len(kept) > MIN_SCENES:
        # A second benefit may be worth less than saying the rest in full.
        choices.append([draft for draft in kept if draft.key != "more"])
    _, chosen, spare_s = min(
        (_best(choice, budget_s, pace) for choice in choices), key=lambda found: found[0]
    )
    return _fill_up(chosen, spare_s, pace)


def _best(
    drafts: list[Draft], budget_s: float, pace: Pace
) -> tuple[float, list[tuple[Draft, Way]], float]:
    """Of all combinations of ways the least bad: (badness, it, seconds it leaves unused)."""
    room_s = budget_s - pace.scene_pause_s * (len(drafts) - 1)

    def badness(ways: tuple[Way, ...]) -> float:
        total_s = sum(way.seconds for way in ways)
        over_s, under_s = max(0.0, total_s - room_s), max(0.0, room_s - total_s)
        drag_s = sum(max(0.0, way.seconds - _LONG_SCENE_S) for way in ways)
        drag_s += max(0.0, ways[0].seconds - _LONG_HOOK_S)
        return 4 * over_s + under_s + 0.5 * drag_s + sum(way.loss for way in ways)

    best = min(itertools.product(*(draft.ways for draft in drafts)), key=badness)
    spare_s = room_s - sum(way.seconds for way in best)
    return badness(best), list(zip(drafts, best, strict=True)), spare_s


def _fill_up(
    chosen: list[tuple[Draft, Way]], spare_s: float, pace: Pace
) -> list[tuple[Draft, Way]]:
    """Let scenes go on for as long as there is something new to say that fits."""
    said_so_far = " ".join(way.spoken for _, way in chosen)
    open_ = {place: list(draft.fillers) for place, (draft, _) in enumerate(chosen)}
    while any(open_.values()):
        place = min(
            (place for place, fillers in open_.items() if fillers),
            key=lambda place: chosen[place][1].seconds,
        )
        filler = open_[place].pop(0)
        more_s = estimate_s(filler, pace) + pace.sentence_pause_s
        if filler in said_so_far or more_s > spare_s:
            continue
        draft, way = chosen[place]
        longer = replace(way, spoken=f"{way.spoken} {filler}", seconds=way.seconds + more_s)
        chosen[place] = (draft, longer)
        said_so_far += f" {filler}"
        spare_s -= more_s
    return chosen


def _shortest_s(drafts: list[Draft], pace: Pace) -> float:
    words_s = sum(min(way.seconds for way in draft.ways) for draft in drafts)
    return words_s + pace.scene_pause_s * (len(drafts) - 1)
