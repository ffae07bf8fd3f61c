"""Luxury: the minimal family's scenes in the dark, with a display serif and gold, slower."""

from __future__ import annotations

from dataclasses import replace

from pipeline.media.fonts import FontSpec
from pipeline.media.text import TextStyle
from pipeline.styles.base import Pace, Palette
from pipeline.styles.minimal import STYLE as MINIMAL

STYLE = replace(
    MINIMAL,
    name="luxury",
    palettes=(
        Palette("#15120f", "#0c0a08", "#f4ecdf", "#b3a48d", "#d2a85c", "#14100a"),
        Palette("#101418", "#080a0d", "#f0ede6", "#a3a9ab", "#c9b27c", "#14120c"),
        Palette("#1a0f14", "#0f080b", "#f6eae6", "#b89a97", "#d9a38f", "#1a0d0a"),
    ),
    display=TextStyle(FontSpec("Playfair Display", 520), tracking=-0.012, leading=1.12),
    caption=TextStyle(FontSpec("Inter", 560), tracking=0.0, leading=1.2),
    pace=Pace(enter=30, leave=10, stagger=6, drift=3.5),
    backdrop="noir",
    radius=10,
)
