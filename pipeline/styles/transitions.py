"""What passes over a cut, drawn as outlines. (The "settle" transition draws nothing: the old
scene's words leave, the new one's come.)

Each covers the whole frame at the cut. Whatever is large moves by whole pixels and keeps its
shape: libass then draws it once, not once a frame.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from pipeline.media import easing
from pipeline.media.ass import AssFile, Pose, drawing
from pipeline.media.layout import Zones
from pipeline.media.paths import joined
from pipeline.media.shapes import circle, polygon, rect
from pipeline.styles.base import Palette

#: Frames that the panels need to cover the frame, and as many to leave it.
PANEL_FRAMES = 7
#: Frames that curtains close before a cut and open after it.
CLOSE_FRAMES, OPEN_FRAMES = 10, 12
#: Frames from a sheet of foam's first bubble to the cut.
FOAM_FRAMES = 9
#: How many bars a slice transition has, and its frames on each side of the cut.
BARS, SLICE_FRAMES = 7, 9
#: Share of that time by which the last bar starts later than the first.
_LAG = 0.4
_TOP_LAYER = 20
#: A transition covers at most this share of a scene, at either end.
_SHARE = 0.25


@dataclass(frozen=True)
class Cut:
    """Between two scenes: the second one's first frame, both palettes, both lengths in frames.

    `way` is 1 or -1 in turns, for whatever has a side.
    """

    frame: int
    before: Palette
    after: Palette
    way: int
    before_f: int
    after_f: int

    def frames(self, closing: int, opening: int) -> tuple[int, int]:
        """Both lengths, cut to a share of a short scene: most of it is seen uncovered."""
        return (
            max(3, min(closing, round(self.before_f * _SHARE))),
            max(3, min(opening, round(self.after_f * _SHARE))),
        )


def panels(ass: AssFile, z: Zones, cut: Cut) -> None:
    """Two slanted panels sweep across; the cut happens while they cover the whole frame."""
    cut_f, after, way = cut.frame, cut.after, cut.way
    slant = z.width * 0.28
    span = z.width + 2 * slant
    shape = drawing(polygon([(slant, 0), (span, 0), (span - slant, z.height), (0, z.height)]))
    for lag, color in ((0, after.accent), (2, after.paper)):
        for frame in range(cut_f - PANEL_FRAMES + lag, cut_f + PANEL_FRAMES + lag):
            p = (frame - (cut_f - PANEL_FRAMES + lag) + 1) / (2 * PANEL_FRAMES)
            # Covering at the middle, whichever way: from one side's outside to the other's.
            middle = -slant
            travel = (easing.ease_in_out(p) - 0.5) * 2 * (span + slant)
            # Whole pixels: libass then keeps one picture of the panel, not one a frame.
            pose = Pose(round(middle - travel * way), 0)
            if frame >= 0:
                ass.still(shape, color, _TOP_LAYER + lag, frame, frame + 1, pose)


def curtain(ass: AssFile, z: Zones, cut: Cut) -> None:
    """Two dark halves with a gold edge close slowly from both sides, and open again."""
    closing, opening = cut.frames(CLOSE_FRAMES, OPEN_FRAMES)
    half = math.ceil(z.width / 2)
    line = max(2, round(3 * z.unit))
    cloth = drawing(rect(0, 0, half, z.height))
    edge = drawing(rect(0, 0, line, z.height))
    for frame in range(cut.frame - closing, cut.frame + opening):
        if frame < cut.frame:
            open_share = 1 - easing.ease_in_out((frame - cut.frame + closing + 1) / closing)
        else:
            open_share = easing.ease_in_out((frame - cut.frame + 1) / opening)
        gap = round(half * open_share)
        if frame < 0 or gap >= half:
            continue
        for x, edge_x in ((-gap, half - gap - line), (z.width - half + gap, z.width - half + gap)):
            ass.still(cloth, cut.before.paper_low, _TOP_LAYER, frame, frame + 1, Pose(x, 0))
            ass.still(edge, cut.after.accent, _TOP_LAYER + 1, frame, frame + 1, Pose(edge_x, 0))


def bubbles(ass: AssFile, z: Zones, cut: Cut) -> None:
    """Two scalloped sheets, as of foam, rise over the frame or fall over it."""
    foam = min(cut.frames(FOAM_FRAMES, FOAM_FRAMES))
    radius = z.width / 6
    bumps = [circle(radius * (1 + 2 * i), 0, radius) for i in range(3)]
    lower = [bump.moved(0, z.height) for bump in bumps]
    shape = drawing(joined([*bumps, rect(0, 0, z.width, z.height), *lower]))
    travel = z.height + radius
    for lag, color in ((0, cut.after.accent), (2, cut.after.paper)):
        first = cut.frame - foam + lag
        for frame in range(max(0, first), cut.frame + foam + lag):
            p = (frame - first + 1) / (2 * foam)
            y = round((0.5 - easing.ease_in_out(p)) * 2 * travel * cut.way)
            ass.still(shape, color, _TOP_LAYER + lag, frame, frame + 1, Pose(0, y))


def slices(ass: AssFile, z: Zones, cut: Cut) -> None:
    """Bars with a lit edge shoot in one after the other, stand for the cut, and shoot out."""
    closing, opening = cut.frames(SLICE_FRAMES, SLICE_FRAMES)
    bar_h = math.ceil(z.height / BARS)
    tip = max(4, round(10 * z.unit))
    bar = drawing(rect(0, 0, z.width, bar_h))
    edge = drawing(rect(0, 0, tip, bar_h))
    for i in range(BARS):
        side = cut.way if i % 2 else -cut.way
        late = (i if cut.way > 0 else BARS - 1 - i) / (BARS - 1)
        for frame in range(cut.frame - closing, cut.frame + opening):
            if frame < cut.frame:  # the last bar to start is there in the last frame of these
                p = ((frame - cut.frame + closing + 1) / closing - _LAG * late) / (1 - _LAG)
                share = -(1 - easing.ease_out(min(1.0, max(0.0, p))))
            else:
                p = ((frame - cut.frame + 1) / opening - _LAG * late) / (1 - _LAG)
                share = easing.ease_in(min(1.0, max(0.0, p)))
            if frame < 0 or abs(share) >= 1:
                continue
            x = round(share * z.width * side)
            lit = x + z.width if x < 0 else x - tip
            pose = Pose(x, i * bar_h)
            ass.still(bar, cut.after.paper_low, _TOP_LAYER, frame, frame + 1, pose)
            if share:
                at = Pose(lit, i * bar_h)
                ass.still(edge, cut.after.accent, _TOP_LAYER + 1, frame, frame + 1, at)


#: By a style's `transition`; "settle", which draws nothing, is not among them.
TRANSITIONS: dict[str, Callable[[AssFile, Zones, Cut], None]] = {
    "panels": panels,
    "curtain": curtain,
    "bubbles": bubbles,
    "slices": slices,
}
