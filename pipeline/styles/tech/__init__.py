"""Tech: a lit grid, one neon, typed grotesque and mono labels; brackets, indices and specs."""

from __future__ import annotations

from pipeline.media.fonts import FontSpec
from pipeline.media.text import TextStyle
from pipeline.styles.base import Pace, Palette, Style
from pipeline.styles.tech import scenes

STYLE = Style(
    name="tech",
    palettes=(
        Palette("#0b1020", "#060913", "#eef3ff", "#93a0bd", "#3ee6c4", "#04211b"),
        Palette("#0e0b22", "#080616", "#f2efff", "#a097c8", "#8f7dff", "#0b0720"),
        Palette("#07131a", "#040a0e", "#eafaff", "#88a9b8", "#37c5ff", "#03161f"),
    ),
    display=TextStyle(FontSpec("Space Grotesk", 700), tracking=-0.03, leading=1.04),
    body=TextStyle(FontSpec("Space Grotesk", 450), tracking=-0.005, leading=1.28),
    label=TextStyle(FontSpec("JetBrains Mono", 560), tracking=0.02, leading=1.3, upper=True),
    caption=TextStyle(FontSpec("JetBrains Mono", 640), tracking=-0.02, leading=1.2),
    pace=Pace(enter=14, leave=0, stagger=3, drift=6.0),
    scenes={
        "hook": scenes.hook,
        "product": scenes.product,
        "benefit": scenes.benefit,
        "proof": scenes.proof,
        "offer": scenes.offer,
        "cta": scenes.cta,
    },
    backdrop="grid",
    hero="holo",
    transition="slices",
    radius=0,
    caption_look="terminal",
)
