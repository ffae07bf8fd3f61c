"""What a style is: data (palettes, type, pace) plus the few functions that compose its scenes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

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

    `backdrop` names a painter of media/backdrops.py, `hero` a treatment of media/hero/,
    `transition` one of styles/transitions.py, or is "settle".
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
    #: How captions are drawn: a key of LOOKS in media/draw_captions.py.
    caption_look: str = "ink"
    #: What a brand's colours become: the accent, the paper itself, or the paper's pale tint.
    brand_leads: Literal["accent", "paper", "tint"] = "accent"
    #: Where in its row a logo stands.
    logo_at: Literal["left", "center"] = "left"
