"""A style in a brand's colours and font, and what had to be changed of them to be seen."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from errors import InvalidInput
from pipeline.media.colors import contrast, ink_on, mix, readable
from pipeline.media.fonts import FontSpec, families
from pipeline.stage import Json
from pipeline.styles.base import Palette, Style

#: Contrast that an accent needs on its paper to be seen as a shape; text on it is set apart.
_SEEN = 1.6
#: The same where text is set in it.
_READ = 4.0
#: Contrast of two papers' accents below which they read as one colour.
_APART = 1.4


def branded(style: Style, colors: tuple[str, ...], font: str | None) -> Style:
    """`style` in a brand's colours (the main one first) and its font.

    Raises InvalidInput("brand.font") for a font that is not bundled.
    """
    colors = tuple(color.lower() for color in colors)
    if colors:
        style = replace(style, palettes=_palettes(style, colors))
    if font is not None:
        if font not in families():
            known = ", ".join(families())
            raise InvalidInput("brand.font", f"is not bundled; the fonts there are: {known}")
        own = FontSpec(font, style.display.font.weight)
        style = replace(style, display=replace(style.display, font=own))
    return style


def corrections(palettes: Iterable[Palette], colors: tuple[str, ...]) -> list[Json]:
    """Which brand colours are not shown as they were asked for, and what stands for them.

    `palettes` are those that the scenes use. Each entry has `what`, `asked` and `used`.
    """
    found: list[Json] = []
    for index, asked in enumerate(colors[:1]):
        used = {palette.accent for palette in palettes}
        verbatim = used | {palette.paper for palette in palettes}
        if asked.lower() not in verbatim:
            what = f"brand.colors.{index}"
            found += [{"what": what, "asked": asked, "used": tone} for tone in sorted(used)]
    return found


def _palettes(style: Style, colors: tuple[str, ...]) -> tuple[Palette, ...]:
    if style.brand_leads == "paper":
        return tuple(_saturated(colors))
    if style.brand_leads == "tint":
        return tuple(_tinted(color, colors[0]) for color in colors)
    return tuple(_accented(palette, colors) for palette in style.palettes)


def _accented(palette: Palette, colors: tuple[str, ...]) -> Palette:
    """The main colour as accent, corrected as far as it must be; a second tints the paper.

    On dark paper the accent carries text: where only the second colour is bright enough for
    that, they change places.
    """
    main, *rest = colors
    dark = contrast(palette.paper, "#ffffff") > contrast(palette.paper, "#000000")
    needed = _READ if dark else _SEEN
    if rest and contrast(main, palette.paper) < needed <= contrast(rest[0], palette.paper):
        main, rest = rest[0], [main]
    paper, low = palette.paper, palette.paper_low
    if rest and dark:
        # As deep as the paper was: only its hue is the brand's.
        hue = mix(rest[0], "#000000", 0.72)
        paper, low = mix(paper, hue, 0.7), mix(low, hue, 0.35)
    elif rest:
        paper = mix(paper, rest[0], 0.12)
    accent = readable(main, paper, needed)
    on_accent = readable(ink_on(accent), accent)
    return replace(palette, paper=paper, paper_low=low, accent=accent, on_accent=on_accent)


def _saturated(colors: tuple[str, ...]) -> list[Palette]:
    """Each brand colour as a paper of its own; one colour alone takes turns with near-black."""
    papers = colors if len(colors) > 1 else (colors[0], "#141414")
    return [_on_paper(paper, [other for other in papers if other != paper]) for paper in papers]


def _on_paper(paper: str, others: list[str]) -> Palette:
    ink = readable(ink_on(paper), paper)
    seen = [other for other in others if contrast(other, paper) >= _APART]
    accent = seen[0] if seen else ink_on(paper)
    low = mix(paper, "#000000" if contrast(paper, "#000000") > 2 else "#ffffff", 0.10)
    on_accent = readable(ink_on(accent), accent)
    return Palette(paper, low, ink, readable(mix(ink, paper, 0.25), paper), accent, on_accent)


def _tinted(color: str, main: str) -> Palette:
    """A pale paper of one brand colour, the main one as accent, a dark ink of the same hue."""
    paper = mix("#ffffff", color, 0.26)
    accent = readable(main, paper, _SEEN)
    ink = readable(mix(color, "#000000", 0.78), paper, 9.0)
    return Palette(
        paper, mix("#ffffff", color, 0.38), ink, readable(mix(ink, paper, 0.3), paper),
        accent, readable(ink_on(accent), accent, 3.0),
    )  # fmt: skip
