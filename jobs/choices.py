"""What a job may choose from. Apart from the payload, as children need these but not pydantic."""

from __future__ import annotations

STYLES = ("minimal", "bold", "luxury", "playful", "tech")
FRAMES = ("9:16", "1:1", "4:5", "16:9")
#: The frames that each platform takes (pipeline/media/profiles.py has its other demands).
PLATFORM_FRAMES: dict[str, tuple[str, ...]] = {
    "youtube_shorts": ("9:16", "1:1", "4:5"),
    "instagram_reels": ("9:16", "4:5", "1:1"),
    "tiktok": ("9:16", "1:1", "16:9"),
    "linkedin": FRAMES,
    "youtube": FRAMES,
    "broadcast": ("16:9",),
}
PLATFORMS = tuple(PLATFORM_FRAMES)
