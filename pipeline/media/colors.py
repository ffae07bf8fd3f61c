"""Colours: parsing, mixing, contrast after WCAG 2.2, and the conversion to video's BT.709."""

from __future__ import annotations

Rgb = tuple[int, int, int]

#: WCAG's minimum for large text; body text and captions aim higher.
LARGE_TEXT_CONTRAST = 3.0
TEXT_CONTRAST = 4.5


def rgb(value: str) -> Rgb:
    """`#rrggbb` as three bytes."""
    return int(value[1:3], 16), int(value[3:5], 16), int(value[5:7], 16)


def hex_of(color: Rgb) -> str:
    return "#{:02x}{:02x}{:02x}".format(*color)


def mix(a: str, b: str, share: float) -> str:
    """`a` with `share` (0 to 1) of `b`."""
    red, green, blue = (round(x + (y - x) * share) for x, y in zip(rgb(a), rgb(b), strict=True))
    return hex_of((red, green, blue))


def luminance(value: str) -> float:
    """Relative luminance, 0 (black) to 1 (white)."""

    def linear(channel: int) -> float:
        c = channel / 255
        return c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4

    red, green, blue = (linear(channel) for channel in rgb(value))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(a: str, b: str) -> float:
    """WCAG contrast ratio, 1 to 21."""
    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def readable(color: str, on: str, minimum: float = TEXT_CONTRAST) -> str:
    """`color`, moved towards black or white only as far as `minimum` contrast on `on` asks."""
    if contrast(color, on) >= minimum:
        return color
    goal = "#ffffff" if contrast("#ffffff", on) >= contrast("#000000", on) else "#000000"
    for step in range(1, 21):
        candidate = mix(color, goal, step / 20)
        if contrast(candidate, on) >= minimum:
            return candidate
    return goal


def ink_on(background: str, dark: str = "#111111", light: str = "#ffffff") -> str:
    """The better readable of a dark and a light ink."""
    return dark if contrast(dark, background) >= contrast(light, background) else light
