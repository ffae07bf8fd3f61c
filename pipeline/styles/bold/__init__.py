"""Bold: saturated blocks, poster capitals, stickers and stripes; everything lands with a knock."""

from __future__ import annotations

from pipeline.media.fonts import FontSpec
from pipeline.media.text import TextStyle
from pipeline.styles.base import Pace, Palette, Style
from pipeline.styles.bold import scenes

STYLE = Style(
    name="bold",
    palettes=(
        Palette("#ffd60a", "#ffbe0b", "#121212", "#3d3510", "#f4254a", "#ffffff"),
        Palette("#4318ff", "#3407d6", "#ffffff", "#d9d2ff", "#ffe14d", "#141414"),
        Palette("#ff4b2b", "#ef3413", "#ffffff", "#ffe3dc", "#151515", "#ffffff"),
        Palette("#00c27a", "#00ad6c", "#0d1a14", "#0b3b28", "#fff04d", "#101510"),
    ),
    display=TextStyle(
        FontSpec("Anton", 400), tracking=0.0, leading=1.06, upper=True, align="center"
    ),
    body=TextStyle(FontSpec("Archivo", 700), tracking=-0.01, leading=1.2, align="center"),
    label=TextStyle(FontSpec("Archivo", 850, 110), tracking=0.0, leading=1.16, align="center"),
    caption=TextStyle(FontSpec("Archivo", 850, 105), tracking=-0.005, leading=1.1, upper=True),
    pace=Pace(enter=9, leave=0, stagger=4, drift=3.0),
    scenes={
        "hook": scenes.hook,
        "product": scenes.product,
        "benefit": scenes.benefit,
        "proof": scenes.proof,
        "offer": scenes.offer,
        "cta": scenes.cta,
    },
    backdrop="blocks",
    hero="sticker",
    transition="panels",
    radius=28,
    palette_per_scene=True,
    caption_look="plate",
    brand_leads="paper",
    logo_at="center",
)
