"""One scene being composed: its facts, its room, and the elements put into it so far."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace

from pipeline.media import easing
from pipeline.media.colors import readable
from pipeline.media.elements import Drift, Element, Move
from pipeline.media.hero.place import standing, window
from pipeline.media.layout import Zones
from pipeline.media.paths import Box, Path
from pipeline.media.shapes import rect
from pipeline.media.text import TextBlock, TextStyle, fit
from pipeline.styles.base import Palette, Style

#: Scenes of this many frames or more keep their style's own pace.
_UNHURRIED_F = 75


@dataclass(frozen=True)
class Facts:
    """What the job says of the product, ready to be shown."""

    name: str
    cta: str
    benefits: tuple[str, ...] = ()
    price: str | None = None
    old_price: str | None = None
    rating: float | None = None
    url: str | None = None
    language: str = "en"


@dataclass(frozen=True)
class Picture:
    """A product picture: its place among the job's images, and width / height as shown."""

    index: int
    aspect: float
    cut_out: bool


@dataclass(frozen=True)
class HeroUse:
    """Where the hero stands (its sprite's box) and how it moves, for the compositor.

    `zoom` and `sway` (degrees) run evenly from first to second; it comes in over `enter`
    frames from `rise` px below after `delay` frames.
    """

    box: Box
    zoom: tuple[float, float] = (0.95, 1.0)
    sway: tuple[float, float] = (0.0, 0.0)
    enter: int = 18
    delay: int = 0
    rise: float = 48.0
    #: For a close-up, the share of the picture's height that it is taken at.
    focus: float | None = None


@dataclass
class Scene:
    """`texts` are the boxes that must stay apart and inside the safe zone."""

    index: int
    role: str
    on_screen: str
    visual: str
    start_f: int
    end_f: int
    last: bool
    facts: Facts
    style: Style
    palette: Palette
    zones: Zones
    rng: random.Random
    #: The picture that a hero of this scene shows; a monogram stands in where there is none.
    picture: Picture | None = None
    #: How many different pictures the job has, and how many scenes.
    pictures: int = 0
    scenes: int = 1
    elements: list[Element] = field(default_factory=list)
    texts: list[Box] = field(default_factory=list)
    hero: HeroUse | None = None

    @property
    def u(self) -> float:
        """Pixels per design unit: a design for 1080 px fits every frame."""
        return self.zones.unit

    @property
    def pictured(self) -> bool:
        return self.picture is not None

    @property
    def more_to_show(self) -> bool:
        """Whether this scene has a picture of its own, not the first scene's once more."""
        return self.picture is not None and self.picture.index > 0

    @property
    def brisk(self) -> float:
        """What entrances are shortened by, so that even a one-word scene is seen whole."""
        return min(1.0, max(0.3, (self.end_f - self.start_f) / _UNHURRIED_F))

    def subject(self, hero: Box) -> Box:
        """Where the product itself stands when its sprite fills `hero`."""
        picture = self.picture
        if picture is None:
            side = min(hero.w, hero.h) * 0.82
            return Box(hero.cx - side / 2, hero.cy - side / 2, side, side)
        if self.hero is not None and self.hero.focus is not None:
            return window(hero.w, hero.h).moved(hero.x, hero.y)
        stand = standing(self.style.hero, hero.w, hero.h, picture.aspect, floor=picture.cut_out)
        return stand.moved(hero.x, hero.y)

    @property
    def closer(self) -> float | None:
        """The focus of a close-up for scenes that have no picture of their own to show."""
        if self.picture is None or self.more_to_show:
            return None
        return (0.32, 0.62, 0.45)[self.index % 3]

    def fit(
        self, text: str, style: TextStyle, box: Box, largest: float, smallest: float
    ) -> TextBlock:
        """`text` fitted into `box`; sizes in design units."""
        language = replace(style, language=self.facts.language)
        return fit(text, language, box.w, box.h, largest * self.u, smallest * self.u)

    def shape(
        self,
        path: Path,
        x: float,
        y: float,
        color: str,
        *,
        layer: int = 5,
        opacity: float = 1.0,
        angle: float = 0.0,
        enter: Move | None = None,
        drift: Drift | None = None,
        pulse: float = 0.0,
        symmetry: int = 0,
    ) -> None:
        """Add an outline whose origin stands at (x, y). Short scenes quicken its entrance."""
        come = enter or Move()
        if self.brisk < 1:
            frames = max(min(come.frames, 3), round(come.frames * self.brisk))
            come = replace(come, frames=frames, delay=round(come.delay * self.brisk))
        self.elements.append(
            Element(
                path, x, y, color, self.start_f, self.end_f, layer, opacity, angle,
                come, self._leave(), drift or Drift(), pulse, symmetry,
            )
        )  # fmt: skip

    def text(
        self,
        block: TextBlock,
        x: float,
        y: float,
        color: str,
        *,
        delay: int = 0,
        kind: str = "mask",
        reach: float = 0.0,
        layer: int = 6,
        drift: Drift | None = None,
        on: str | None = None,
        pulse: float = 0.0,
    ) -> Box:
        """Add a block with its top left at (x, y), line after line; returns what it covers.

        `on` is the colour behind it: an unreadable pair is corrected.
        """
        pace = self.style.pace
        shown = readable(color, on or self.palette.paper, 3.0)
        for i in range(len(block.lines)):
            path = block.line_path(i)
            box = path.bounds()
            # Each line turns and scales about its own middle.
            enter = Move(kind, pace.enter, delay + i * pace.stagger, reach, _CURVES.get(kind, _OUT))
            self.shape(
                path.moved(-box.cx, -box.cy), x + box.cx, y + box.cy, shown,
                layer=layer, enter=enter, drift=drift, pulse=pulse,
            )  # fmt: skip
        covered = block.ink.moved(x, y)
        self.texts.append(covered)
        return covered

    def strike(self, over: Box, color: str, *, delay: int, thick: float) -> None:
        """A line through a text, drawn from its left."""
        h = thick * self.u
        enter = Move("grow_x", 10, delay, 0, easing.ease_in_out)
        path = rect(0, -h / 2, over.w + 16 * self.u, h)
        self.shape(path, over.x - 8 * self.u, over.cy, color, layer=7, enter=enter)

    def _leave(self) -> Move:
        # The last scene stays; a video that ends on an empty frame looks cut off.
        pace = self.style.pace
        if self.last or not pace.leave:
            return Move()
        return Move("rise", pace.leave, 0, -26 * self.u, easing.ease_out)


_OUT = easing.ease_out
_CURVES: dict[str, easing.Curve] = {
    "mask": easing.ease_out_expo,
    "pop": easing.overshoot,
    "slam": easing.ease_out_expo,
    "slide": easing.ease_out_expo,
}
