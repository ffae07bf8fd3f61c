"""Playful: sweet colours in turns, round letters that jump in one by one, blobs and bubbles."""

from __future__ import annotations

from pipeline.media.fonts import FontSpec
from pipeline.media.text import TextStyle
from pipeline.styles.base import Pace, Palette, Style
from pipeline.styles.playful import scenes

STYLE = Style(
    name="playful",
    palettes=(
        Palette("#ffc9de", "#ffb0cf", "#3b1030", "#6f3f62", "#ff3f80", "#ffffff"),
        Palette("#bfe9ff", "#a0dcfb", "#0f2b46", "#3c5a75", "#ff7a2b", "#2b1200"),
        Palette("#d8f5c5", "#bfeaa5", "#17331a", "#466349", "#8444ff", "#ffffff"),
        Palette("#ffe7a6", "#ffd97f", "#3a2405", "#6e5530", "#0c9f8f", "#ffffff"),
    ),
    display=TextStyle(FontSpec("Fredoka", 700), tracking=-0.008, leading=1.06, align="center"),
    label=TextStyle(FontSpec("Fredoka", 640), leading=1.14, align="center"),
    body=TextStyle(FontSpec("Fredoka", 540), leading=1.2, align="center"),
    caption=TextStyle(FontSpec("Fredoka", 640), leading=1.1),
    pace=Pace(enter=13, leave=0, stagger=5, drift=5.0),
    scenes={
        "hook": scenes.hook,
        "product": scenes.product,
        "benefit": scenes.benefit,
        "proof": scenes.proof,
        "offer": scenes.offer,
        "cta": scenes.cta,
    },
    backdrop="confetti",
    hero="blob",
    transition="bubbles",
    radius=60,
    palette_per_scene=True,
    caption_look="bubble",
    brand_leads="tint",
    logo_at="center",
)
