"""What each platform asks of a file, as dated data.

Sources, read in November 2026: YouTube Help "Recommended upload encoding settings", "Shorts" and
"Upload videos longer than 15 minutes" (256 GB), Meta Business Help "Reels ads specifications"
(4 GB), TikTok Ads Manager "Video ads specifications" (500 MB), LinkedIn Marketing "Video ads
advertising specifications" (500 MB; 200 MB until 2024), EBU R 128 s1 (2020). Platforms publish no
loudness target; -14 LUFS is what their players normalise to, as measured by others. Check them
again before relying on a figure here: they move every year.
"""

from __future__ import annotations

from dataclasses import dataclass

from jobs.choices import PLATFORM_FRAMES
from pipeline.media.loudness import LoudnessTarget

#: When the table below was last held against its sources.
CHECKED = "2026-11"

FRAME_SIZES: dict[str, tuple[int, int]] = {
    "9:16": (1080, 1920),
    "1:1": (1080, 1080),
    "4:5": (1080, 1350),
    "16:9": (1920, 1080),
}
SOCIAL = LoudnessTarget(-14.0, -1.0)


@dataclass(frozen=True)
class SafeZone:
    """Fractions of the frame that the platform's own buttons and captions may cover."""

    top: float = 0.05
    right: float = 0.05
    bottom: float = 0.05
    left: float = 0.05


@dataclass(frozen=True)
class Profile:
    """One platform's demands. Lengths in seconds; `safe_zone` is for its tallest frame.

    `max_bytes` is the largest file that its uploader takes; None where it names none.
    """

    name: str
    frames: tuple[str, ...]
    #: What to make, and what is taken as well.
    fps: int
    fps_allowed: tuple[float, float]
    min_length_s: float
    max_length_s: float
    loudness: LoudnessTarget = SOCIAL
    loudness_tolerance_lu: float = 1.0
    safe_zone: SafeZone = SafeZone()
    max_bytes: int | None = None


_MB, _GB = 1_000_000, 1_000_000_000
_PROFILES = (
    Profile(
        name="youtube_shorts",
        frames=PLATFORM_FRAMES["youtube_shorts"],
        fps=30,
        fps_allowed=(24, 60),
        min_length_s=1,
        max_length_s=180,
        safe_zone=SafeZone(top=0.08, right=0.12, bottom=0.20, left=0.05),
        max_bytes=256 * _GB,
    ),
    Profile(
        name="instagram_reels",
        frames=PLATFORM_FRAMES["instagram_reels"],
        fps=30,
        fps_allowed=(23, 60),
        min_length_s=3,
        max_length_s=900,
        safe_zone=SafeZone(top=0.14, right=0.06, bottom=0.35, left=0.06),
        max_bytes=4 * _GB,
    ),
    Profile(
        name="tiktok",
        frames=PLATFORM_FRAMES["tiktok"],
        fps=30,
        fps_allowed=(23, 60),
        min_length_s=5,
        max_length_s=60,
        safe_zone=SafeZone(top=0.08, right=0.15, bottom=0.28, left=0.05),
        max_bytes=500 * _MB,
    ),
    Profile(
        name="linkedin",
        frames=PLATFORM_FRAMES["linkedin"],
        fps=25,  # the guide says "under 30"; its uploader takes 30
        fps_allowed=(10, 30),
        min_length_s=3,
        max_length_s=1800,
        max_bytes=500 * _MB,
    ),
    Profile(
        name="youtube",
        frames=PLATFORM_FRAMES["youtube"],
        fps=30,
        fps_allowed=(24, 60),
        min_length_s=1,
        max_length_s=43_200,
        max_bytes=256 * _GB,
    ),
    Profile(
        name="broadcast",
        frames=PLATFORM_FRAMES["broadcast"],
        fps=25,
        fps_allowed=(25, 25),
        min_length_s=1,
        max_length_s=3600,
        loudness=LoudnessTarget(-23.0, -1.0, max_short_term_lufs=-18.0),
        loudness_tolerance_lu=0.5,
    ),
)
_BY_NAME = {entry.name: entry for entry in _PROFILES}


def fps_of(name: str) -> int:
    """The frame rate that ads for a platform are made with."""
    return profile(name).fps


def profile(name: str) -> Profile:
    """The profile of a `VideoJob.platform`. KeyError: there is none."""
    return _BY_NAME[name]
