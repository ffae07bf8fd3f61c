"""What passes over a cut: panels, drawn as outlines. (The "settle" transition draws nothing:
the old scene's words leave, the new one's come.)"""

from __future__ import annotations

from pipeline.media import easing
from pipeline.media.ass import AssFile, Pose, drawing
from pipeline.media.layout import Zones
from pipeline.media.shapes import polygon
from pipeline.styles.base import Palette

#: Frames that the panels need to cover the frame, and as many to leave it.
PANEL_FRAMES = 7
_TOP_LAYER = 20


def panels(ass: AssFile, z: Zones, cut_f: int, before: Palette, after: Palette, way: int) -> None:
    """Two slanted panels sweep across; the cut happens while they cover the whole frame.

    `way` is 1 (from the right) or -1.
    """
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
