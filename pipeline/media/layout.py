"""Frames and their zones: where a scene, its captions and the platforms' own buttons go.

Insets are shares of the frame that each app covers with its own interface, as of 2026-11
(the apps' advertising guides); text stays out of them, pictures may run under them.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.media.paths import Box

_SIZES: dict[str, tuple[int, int]] = {
    "9:16": (1080, 1920),
    "4:5": (1080, 1350),
    "1:1": (1080, 1080),
    "16:9": (1920, 1080),
}
#: Platform -> (top, right, bottom, left) on a tall frame.
_TALL_INSETS: dict[str, tuple[float, float, float, float]] = {
    "youtube_shorts": (0.14, 0.12, 0.22, 0.08),
    "instagram_reels": (0.14, 0.10, 0.35, 0.08),
    "tiktok": (0.14, 0.15, 0.28, 0.08),
}
_TALL_DEFAULT = (0.14, 0.12, 0.22, 0.08)
#: Height of a logo's row and the gap below it, in design units.
_LOGO_ROW, _LOGO_GAP = 76.0, 26.0
#: Frames that are shown in a feed or a player: title-safe 90 %, a little more at the foot.
_WIDE_INSETS = (0.06, 0.06, 0.08, 0.06)


@dataclass(frozen=True)
class Zones:
    """A frame, laid out. `unit` is 1 px on a 1080 px wide tall frame; sizes are multiples."""

    width: int
    height: int
    unit: float
    safe: Box
    captions: Box
    body: Box
    wide: bool
    #: Tall frames have room below the captions; in others decoration must keep to the edges.
    tall: bool
    #: The row above the body that is kept free for a logo.
    logo: Box | None = None

    def split(self, hero_share: float, gap: float = 40.0) -> tuple[Box, Box]:
        """(hero, text): one above the other in tall frames, side by side in wide ones."""
        body, gap = self.body, gap * self.unit
        if self.wide:
            w = (body.w - gap) * 0.5
            return Box(body.right - w, body.y, w, body.h), Box(body.x, body.y, w, body.h)
        h = (body.h - gap) * hero_share
        # A picture may reach into the apps' own bar at the top; text may not.
        rise = body.y * 0.42 if self.logo is None else 0.0
        hero = Box(body.x, body.y - rise, body.w, h + rise)
        return hero, Box(body.x, body.y + h + gap, body.w, body.h - h - gap)


def frame_size(frame: str, scale: float = 1.0) -> tuple[int, int]:
    """Pixels of a frame shape, even both ways; `scale` below 1 is for tests and previews."""
    width, height = _SIZES[frame]
    return round(width * scale / 2) * 2, round(height * scale / 2) * 2


def zones(
    frame: str, platform: str, *, captions: bool, logo: bool = False, scale: float = 1.0
) -> Zones:
    """Lay out a frame. Side margins are equal: what is centred is so in the frame."""
    width, height = frame_size(frame, scale)
    tall = frame == "9:16"
    insets = _TALL_INSETS.get(platform, _TALL_DEFAULT) if tall else _WIDE_INSETS
    top, right, bottom, left = insets
    left = right = max(left, right)
    safe = Box(left * width, top * height, (1 - left - right) * width, (1 - top - bottom) * height)
    unit = min(width, height) / 1080
    band = (132 if tall else 104) * unit if captions else 0.0
    gap = (44 if tall else 28) * unit if captions else 0.0
    band_box = Box(safe.x, safe.bottom - band, safe.w, band)
    row = Box(safe.x, safe.y, safe.w, _LOGO_ROW * unit) if logo else None
    top_used = (_LOGO_ROW + _LOGO_GAP) * unit if logo else 0.0
    body = Box(safe.x, safe.y + top_used, safe.w, safe.h - band - gap - top_used)
    wide = frame in ("16:9", "1:1")
    return Zones(width, height, unit, safe, band_box, body, wide=wide, tall=tall, logo=row)
