"""Minimal: paper and one accent, calm grotesque, wide margins, everything settles softly."""

from __future__ import annotations

from pipeline.media.fonts import FontSpec
from pipeline.media.text import TextStyle
from pipeline.styles.base import Pace, Palette, Style
from pipeline.styles.minimal import scenes

STYLE = Style(
    name="minimal",
    palettes=(
        Palette("#f6f3ee", "#ebe4da", "#17161a", "#6b665f", "#ff5a36", "#ffffff"),
        Palette("#f1f4f6", "#dfe7ea", "#10181c", "#5c6a72", "#0f7c6c", "#ffffff"),
        Palette("#f5f2f7", "#e6deec", "#191421", "#6a6275", "#6b4bd8", "#ffffff"),
        Palette("#f7f4ea", "#ece3cb", "#1b1913", "#706a58", "#2f5fe0", "#ffffff"),
    ),
    display=TextStyle(FontSpec("Inter", 720), tracking=-0.038, leading=1.06),
    body=TextStyle(FontSpec("Inter", 480), tracking=-0.012, leading=1.28),
    label=TextStyle(FontSpec("Inter", 640), tracking=-0.005, leading=1.2),
    caption=TextStyle(FontSpec("Inter", 680), tracking=-0.015, leading=1.2),
    pace=Pace(enter=20, leave=8, stagger=4, drift=5.0),
    scenes={
        "hook": scenes.hook,
        "product": scenes.product,
        "benefit": scenes.benefit,
        "proof": scenes.proof,
        "offer": scenes.offer,
        "cta": scenes.cta,
    },
    backdrop="paper",
    hero="card",
    transition="settle",
    radius=44,
    caption_look="ink",
)
