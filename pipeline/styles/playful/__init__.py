"""Playful: the bold family's scenes in round letters and sweet colours, with bubbles."""

from __future__ import annotations

from dataclasses import replace

from pipeline.media.fonts import FontSpec
from pipeline.media.text import TextStyle
from pipeline.styles.base import Pace, Palette
from pipeline.styles.bold import STYLE as BOLD

STYLE = replace(
    BOLD,
    name="playful",
    palettes=(
        Palette("#ffc9de", "#ffb3d0", "#3b1030", "#6f3f62", "#ff4f8b", "#ffffff"),
        Palette("#bfe9ff", "#a5ddfb", "#0f2b46", "#3c5a75", "#ff8a3d", "#2b1200"),
        Palette("#d8f5c5", "#c3ecaa", "#17331a", "#466349", "#8a4fff", "#ffffff"),
        Palette("#ffe9b0", "#ffdd8c", "#3a2405", "#6e5530", "#12a594", "#ffffff"),
    ),
    display=TextStyle(FontSpec("Fredoka", 700), tracking=-0.01, leading=1.08, align="center"),
    label=TextStyle(FontSpec("Fredoka", 650), leading=1.16, align="center"),
    body=TextStyle(FontSpec("Fredoka", 560), leading=1.2, align="center"),
    caption=TextStyle(FontSpec("Fredoka", 650), leading=1.1),
    pace=Pace(enter=13, leave=0, stagger=5, drift=5.0),
    backdrop="bubbles",
    radius=60,
)
