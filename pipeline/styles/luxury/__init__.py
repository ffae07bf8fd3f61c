"""Luxury: dark silk and gold, a display serif on the middle axis, hairlines, time to look."""

from __future__ import annotations

from pipeline.media.fonts import FontSpec
from pipeline.media.text import TextStyle
from pipeline.styles.base import Pace, Palette, Style
from pipeline.styles.luxury import scenes

STYLE = Style(
    name="luxury",
    palettes=(
        Palette("#15110d", "#0a0806", "#f6eee0", "#b5a68e", "#d6ad62", "#171108"),
        Palette("#0c1a16", "#060e0c", "#f0efe4", "#9fb0a4", "#cdb57c", "#10150e"),
        Palette("#1f0d13", "#110609", "#f8ebe6", "#bf9c98", "#dca78f", "#1d0c0c"),
    ),
    display=TextStyle(
        FontSpec("Playfair Display", 480), tracking=-0.008, leading=1.14, align="center"
    ),
    body=TextStyle(FontSpec("Playfair Display Italic", 430), leading=1.24, align="center"),
    label=TextStyle(FontSpec("Inter", 520), tracking=0.2, leading=1.5, upper=True, align="center"),
    caption=TextStyle(FontSpec("Playfair Display", 560), tracking=0.0, leading=1.2),
    pace=Pace(enter=30, leave=0, stagger=8, drift=2.5),
    scenes={
        "hook": scenes.hook,
        "product": scenes.product,
        "benefit": scenes.benefit,
        "proof": scenes.proof,
        "offer": scenes.offer,
        "cta": scenes.cta,
    },
    backdrop="silk",
    hero="plinth",
    transition="curtain",
    radius=4,
    caption_look="whisper",
    logo_at="center",
)
