"""A column: texts and figures one under another, sized to share a room, then placed in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pipeline.media.paths import Box
from pipeline.media.text import TextBlock, TextStyle
from pipeline.styles.scene import Scene

#: Puts a fitted block on the scene: (scene, block, x, y, colour, delay) to what it covers.
Writer = Callable[[Scene, TextBlock, float, float, str, int], Box]
#: Draws a figure into the box it was given, beginning after a delay.
Drawer = Callable[[Scene, Box, int], None]
#: Texts get at least this share of a room, whatever gaps and figures ask for.
_LEAST_TEXT = 0.42


@dataclass(frozen=True)
class Words:
    """A text. Sizes and `gap` (above it) in design units; `share` of the texts' height."""

    text: str
    style: TextStyle
    write: Writer
    color: str
    largest: float
    smallest: float
    share: float = 1.0
    gap: float = 0.0
    delay: int = 0


@dataclass(frozen=True)
class Figure:
    """Something drawn, `height` design units tall."""

    height: float
    draw: Drawer
    gap: float = 0.0
    delay: int = 0


def column(scene: Scene, room: Box, parts: Sequence[Words | Figure], at: float = 0.5) -> list[Box]:
    """Fit `parts` into `room` and draw them; `at` is 0 for its top, 1 for its foot.

    Returns the box of each. What one text leaves of its share, the largest gets.
    """
    words = [part for part in parts if isinstance(part, Words)]
    solid = sum(part.gap * scene.u for part in parts[1:])
    solid += sum(part.height * scene.u for part in parts if isinstance(part, Figure))
    squeeze = min(1.0, room.h * (1 - _LEAST_TEXT) / solid) if solid and words else 1.0
    free = room.h - solid * squeeze
    total = sum(part.share for part in words) or 1.0
    blocks = {id(part): _fit(scene, part, room.w, free * part.share / total) for part in words}
    if words:
        main = max(words, key=lambda part: part.share)
        left = free - sum(block.height for block in blocks.values())
        grown = blocks[id(main)].height + left
        blocks[id(main)] = _fit(scene, main, room.w, grown)
    heights = [
        blocks[id(part)].height if isinstance(part, Words) else part.height * scene.u * squeeze
        for part in parts
    ]
    gaps = [part.gap * scene.u * squeeze if n else 0.0 for n, part in enumerate(parts)]
    y = room.y + max(0.0, room.h - sum(heights) - sum(gaps)) * at
    covered = []
    for part, height, gap in zip(parts, heights, gaps, strict=True):
        y += gap
        box = Box(room.x, y, room.w, height)
        if isinstance(part, Words):
            box = part.write(scene, blocks[id(part)], room.x, y, part.color, part.delay)
        else:
            part.draw(scene, box, part.delay)
        covered.append(box)
        y += height
    return covered


def rooms(scene: Scene, share: float, *, first: bool = True, gap: float = 40.0) -> tuple[Box, Box]:
    """(hero, text): `share` is the hero's of the height (tall) or of the width (wide).

    `first` puts the hero above or to the left, else below or to the right.
    """
    z, space = scene.zones, gap * scene.u
    body = z.body
    if z.wide:
        w = (body.w - space) * min(share, 0.52)
        x = body.x if first else body.right - w
        rest = body.x + w + space if first else body.x
        # A picture may reach out of the safe zone at the top; text may not.
        lift = body.y * 0.45 if z.logo is None else 0.0
        hero = Box(x, body.y - lift, w, body.h + lift)
        return hero, Box(rest, body.y, body.w - w - space, body.h)
    h = (body.h - space) * share
    text_h = body.h - h - space
    if not first:
        return Box(body.x, body.bottom - h, body.w, h), Box(body.x, body.y, body.w, text_h)
    # A picture may reach into the apps' own bar at the top; text may not.
    rise = body.y * 0.6 if z.logo is None else 0.0
    return (
        Box(body.x, body.y - rise, body.w, h + rise),
        Box(body.x, body.y + h + space, body.w, text_h),
    )


def _fit(scene: Scene, part: Words, width: float, height: float) -> TextBlock:
    return scene.fit(part.text, part.style, Box(0, 0, width, height), part.largest, part.smallest)
