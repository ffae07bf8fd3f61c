"""Styles by name. A style is a folder here whose package defines `STYLE`."""

from __future__ import annotations

import importlib
import random

from jobs.choices import STYLES
from pipeline.styles.base import Palette, Style


def load_style(name: str) -> Style:
    """The style of that name. Raises KeyError for one that jobs do not know."""
    if name not in STYLES:
        raise KeyError(name)
    style = importlib.import_module(f"pipeline.styles.{name}").STYLE
    assert isinstance(style, Style)
    return style


def palettes_for(style: Style, scenes: int, rng: random.Random) -> list[Palette]:
    """One palette per scene: the same throughout, or in turns with no two equal neighbours."""
    order = list(style.palettes)
    rng.shuffle(order)
    if not style.palette_per_scene:
        return [order[0]] * scenes
    return [order[i % len(order)] for i in range(scenes)]
