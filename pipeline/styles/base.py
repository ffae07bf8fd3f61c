"""What a style is: data (palettes, type, pace) plus the few functions that compose its scenes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.media.text import TextStyle

if TYPE_CHECKING:
    from pipeline.styles.scene import Scene

#: Draws one scene's elements into it.
Composition = Callable[["Scene"], None]


@dataclass(frozen=True)
class Palette:
    """Six colours. Text is set in `ink` on `paper`, in `on_accent` on `accent`."""

    paper: str
    paper_low: str
    ink: str
    muted: str
    accent: str
    on_accent: str


@dataclass(frozen=True)
class Pace:
    """Frames that entrances and exits take, frames between neighbours, and idle drift in px/s."""

    enter: int
    leave: int
    stagger: int
    drift: float


@dataclass(frozen=True)
class Style:
    """One look. `scenes` maps a script's role to its composition.

    `backdrop` names a painter of media/backdrops.py, `hero` a treatment of media/hero.py,
    `transition` is "panels" (styles/transitions.py) or "settle".
    """

    name: str
    palettes: tuple[Palette, ...]
    display: TextStyle
    body: TextStyle
    label: TextStyle
    caption: TextStyle
    pace: Pace
    scenes: Mapping[str, Composition]
    backdrop: str
    hero: str
    transition: str
    radius: float
    #: Whether scenes take turns in the palettes (in seeded order) or keep to one.
    palette_per_scene: bool = False
    #: "plate": the spoken word on a plate of the accent; "ink": coloured, on a soft shadow plate.
    caption_look: str = "ink"
