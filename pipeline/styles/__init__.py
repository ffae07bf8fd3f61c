"""Styles by name. A style is a folder here whose package defines `STYLE`."""

from __future__ import annotations

import importlib
import random
from dataclasses import replace

from jobs.payload import STYLES
from pipeline.media.colors import ink_on, mix, readable
from pipeline.media.fonts import FontSpec, families
from pipeline.styles.base import Palette, Style


def load_style(name: str) -> Style:
    """The style of that name. Raises KeyError for one that jobs do not know."""
    if name not in STYLES:
        raise KeyError(name)
    style = importlib.import_module(f"pipeline.styles.{name}").STYLE
    assert isinstance(style, Style)
    return style


def branded(style: Style, colors: tuple[str, ...], font: str | None) -> Style:
    """`style` in a brand's colours (the main one first) and, where it is bundled, its font.

    The main colour becomes the accent, corrected as far as it must be to be seen on the paper;
    a second one tints the paper.
    """
    if colors:
        style = replace(
            style,
            palettes=tuple(_branded_palette(palette, colors) for palette in style.palettes),
        )
    if font in families():
        own = FontSpec(font, style.display.font.weight)
        style = replace(style, display=replace(style.display, font=own))
    return style


def palettes_for(style: Style, scenes: int, rng: random.Random) -> list[Palette]:
    """One palette per scene: the same throughout, or in turns with no two equal neighbours."""
    order = list(style.palettes)
    rng.shuffle(order)
    if not style.palette_per_scene:
        return [order[0]] * scenes
    return [order[i % len(order)] for i in range(scenes)]


def _branded_palette(palette: Palette, colors: tuple[str, ...]) -> Palette:
    paper = mix(palette.paper, colors[1], 0.12) if len(colors) > 1 else palette.paper
    accent = readable(colors[0], paper, 1.6)
    return replace(palette, paper=paper, accent=accent, on_accent=readable(ink_on(accent), accent))
