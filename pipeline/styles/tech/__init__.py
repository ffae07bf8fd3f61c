"""Tech: the minimal family's scenes on a dark grid, with a geometric grotesque and one neon."""

from __future__ import annotations

from dataclasses import replace

from pipeline.media.fonts import FontSpec
from pipeline.media.text import TextStyle
from pipeline.styles.base import Pace, Palette
from pipeline.styles.minimal import STYLE as MINIMAL

STYLE = replace(
    MINIMAL,
    name="tech",
    palettes=(
        Palette("#0b1020", "#070a14", "#eef3ff", "#93a0bd", "#3ee6c4", "#04211b"),
        Palette("#0d0b1f", "#080614", "#f2efff", "#9c95c4", "#8c7bff", "#0b0720"),
        Palette("#0a1512", "#050c0a", "#ecfff5", "#8fb3a3", "#a6f45a", "#0c1a04"),
    ),
    display=TextStyle(FontSpec("Space Grotesk", 700), tracking=-0.03, leading=1.06),
    body=TextStyle(FontSpec("Space Grotesk", 450), leading=1.28),
    label=TextStyle(FontSpec("Space Grotesk", 600), leading=1.2),
    caption=TextStyle(FontSpec("Space Grotesk", 650), leading=1.2),
    pace=Pace(enter=14, leave=6, stagger=3, drift=6.0),
    backdrop="grid",
    radius=22,
)
