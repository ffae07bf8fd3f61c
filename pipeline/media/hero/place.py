"""Where a picture stands inside its sprite: arithmetic that scenes and drawings share."""

from __future__ import annotations

from pipeline.media.paths import Box

#: Room around the picture, as a share of the sprite's shorter side.
MARGIN = 0.09
#: The same where a treatment needs less: it stands on a floor, or throws no wide shadow.
_MARGINS = {"plinth": 0.035, "holo": 0.06, "blob": 0.06}
#: Share of the sprite's height, by treatment, that a plinth or a mirror image takes below it.
_FLOORS = {"plinth": 0.12, "holo": 0.10}
#: Share of the width that a picture takes at most: a plinth shows on both sides of it.
_WIDEST = {"plinth": 0.78}


def standing(treatment: str, width: float, height: float, aspect: float, *, floor: bool) -> Box:
    """A picture of `aspect` (width / height), as large as the margins allow.

    It is centred; with `floor`, where the treatment has one, it stands on it.
    """
    share = _FLOORS.get(treatment, 0.0) if floor else 0.0
    margin = _MARGINS.get(treatment, MARGIN) * min(width, height)
    room_w, room_h = width - 2 * margin, height * (1 - share) - 2 * margin
    if share:
        room_w = min(room_w, width * _WIDEST.get(treatment, 1.0))
    w = min(room_w, room_h * aspect)
    h = w / aspect
    top = height * (1 - share) - margin - h if share else (height - h) / 2
    return Box((width - w) / 2, top, w, h)


def floor_of(treatment: str, height: float) -> float:
    """Pixels that the treatment keeps below a standing picture."""
    return _FLOORS.get(treatment, 0.0) * height


def window(width: float, height: float) -> Box:
    """What a close-up fills of its sprite: nearly all, at most twice as wide as high."""
    margin = 0.05 * min(width, height)
    w, h = width - 2 * margin, height - 2 * margin
    w = min(w, h * 1.5)
    h = min(h, w * 1.35)
    return Box((width - w) / 2, (height - h) / 2, w, h)
