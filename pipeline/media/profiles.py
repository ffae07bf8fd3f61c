"""What each platform asks of a file, as dated data.

Sources, read in November 2026: YouTube Help "Recommended upload encoding settings" and "Shorts",
Meta Business Help "Reels ads specifications", TikTok Ads Manager "Video ads specifications",
LinkedIn Marketing "Video ads specifications", EBU R 128 s1 (2020). Platforms publish no
loudness target; -14 LUFS is what their players normalise to, as measured by others. Check them
again before relying on a figure here: they move every year.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.media.loudness import LoudnessTarget

#: When the table below was last held against its sources.
CHECKED = "2026-11"

FRAME_SIZES: dict[str, tuple[int, int]] = {
    "9:16": (1080, 1920),
    "1:1": (1080, 1080),
    "4:5": (1080, 1350),
    "16:9": (1920, 1080),
}


@dataclass(frozen=True)
class SafeZone:
    """Fractions of the frame that the platform's own buttons and captions may cover."""

    top: float = 0.05
    right: float = 0.05
    bottom: float = 0.05
    left: float = 0.05


@dataclass(frozen=True)
class Profile:
    """One platform's demands. Lengths in seconds; `safe_zone` is for its tallest frame."""

    name: str
    frames: tuple[str, ...]
    fps: int
    min_length_s: float
    max_length_s: float
    loudness: LoudnessTarget
    loudness_tolerance_lu: float
    safe_zone: SafeZone


_SOCIAL = LoudnessTarget(-14.0, -1.0)
_BROADCAST = LoudnessTarget(-23.0, -1.0)
_ALL = ("9:16", "1:1", "4:5", "16:9")

_PROFILES = (
    Profile(
        *("youtube_shorts", ("9:16", "1:1", "4:5"), 30, 1, 180),
        *(_SOCIAL, 1.0, SafeZone(top=0.08, right=0.12, bottom=0.20, left=0.05)),
    ),
    Profile(
        *("instagram_reels", ("9:16", "4:5", "1:1"), 30, 3, 900),
        *(_SOCIAL, 1.0, SafeZone(top=0.14, right=0.06, bottom=0.35, left=0.06)),
    ),
    Profile(
        *("tiktok", ("9:16", "1:1", "16:9"), 30, 5, 60),
        *(_SOCIAL, 1.0, SafeZone(top=0.08, right=0.15, bottom=0.28, left=0.05)),
    ),
    Profile(*("linkedin", _ALL, 25, 3, 1800), *(_SOCIAL, 1.0, SafeZone())),
    Profile(*("youtube", _ALL, 30, 1, 43_200), *(_SOCIAL, 1.0, SafeZone())),
    Profile(*("broadcast", ("16:9",), 25, 1, 3600), *(_BROADCAST, 0.5, SafeZone())),
)
_BY_NAME = {entry.name: entry for entry in _PROFILES}


def profile(name: str) -> Profile:
    """The profile of a `VideoJob.platform`. KeyError: there is none."""
    return _BY_NAME[name]
