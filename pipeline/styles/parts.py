"""Parts that several styles' scenes are put together from."""

from __future__ import annotations

from pipeline.media import easing
from pipeline.media.elements import Drift, Move
from pipeline.media.paths import Box, Path
from pipeline.media.shapes import arrow, five_stars, polygon, rounded
from pipeline.media.text import TextBlock, TextStyle
from pipeline.styles.scene import Scene


def button(
    scene: Scene,
    text: str,
    style: TextStyle,
    center: tuple[float, float],
    width: float,
    *,
    fill: str,
    ink: str,
    height: float,
    delay: int,
    radius: float | None = None,
    with_arrow: bool = True,
    from_left: bool = False,
    largest: float = 56,
    cut: float | None = None,
    pulse: float = 0.035,
) -> Box:
    """A button that pops in and then beats softly; its label shrinks to fit `width`.

    With `from_left`, `center` is the middle of its left edge; with `cut`, two corners are cut
    off by so many design units instead of rounded.
    """
    u = scene.u
    h = height * u
    tip = 54 * u if with_arrow else 0.0
    pad = 56 * u
    room = Box(0, 0, width - 2 * pad - tip, h * 0.62)
    block = scene.fit(text, style, room, largest, 20)
    ink_box = block.ink
    w = min(width, max(ink_box.w + 2 * pad + tip, 380 * u))
    cx, cy = center
    if from_left:
        cx += w / 2
    enter = Move("pop", scene.style.pace.enter, delay, 0.6, easing.overshoot)
    r = h / 2 if radius is None else radius * u
    plate = rounded(-w / 2, -h / 2, w, h, r) if cut is None else chamfered(w, h, cut * u)
    scene.shape(plate, cx, cy, fill, layer=5, enter=enter, pulse=pulse)
    # One outline with the plate's own middle as origin, so that both beat as one.
    label = Path(tuple(s for i in range(len(block.lines)) for s in block.line_path(i).segments))
    shift = -(ink_box.w + tip) / 2 - ink_box.x
    label = label.moved(shift if not block.rtl else shift + tip, -ink_box.cy)
    if with_arrow:
        size = 34 * u
        pointer = arrow(0, 0, size, 6 * u)
        if block.rtl:
            pointer = pointer.scaled(-1, 1)
            pointer = pointer.moved(-(ink_box.w + tip) / 2 + size, 0)
        else:
            pointer = pointer.moved((ink_box.w + tip) / 2 - size, 0)
        label = label + pointer
    scene.shape(label, cx, cy, ink, layer=6, enter=enter, pulse=pulse)
    covered = Box(cx - w / 2, cy - h / 2, w, h)
    scene.texts.append(covered)
    return covered


def chamfered(w: float, h: float, cut: float) -> Path:
    """A box around the origin with its top left and bottom right corners cut off."""
    x, y = w / 2, h / 2
    return polygon([(cut - x, -y), (x, -y), (x, y - cut), (x - cut, y), (-x, y), (-x, cut - y)])


def prices(
    scene: Scene,
    box: Box,
    styles: tuple[TextStyle, TextStyle],
    colors: tuple[str, str, str],
    delay: int,
    *,
    centered: bool,
    kind: str = "rise",
    on: str | None = None,
) -> Box:
    """The price and, struck out beside it, what it was: in one row, as tall as `box`.

    `styles` are of the two; `colors` too, and the third is the line's.
    """
    facts, u = scene.facts, scene.u
    assert facts.price is not None
    shares = (0.56, 0.36) if facts.old_price else (1.0, 0.0)
    now = scene.fit(facts.price, styles[0], Box(0, 0, box.w * shares[0], box.h), box.h / u, 16)
    was, gap = None, 0.0
    if facts.old_price:
        room = Box(0, 0, box.w * shares[1], box.h * 0.75)
        was, gap = scene.fit(facts.old_price, styles[1], room, box.h / u * 0.66, 14), 28 * u
    ink, old = now.ink, was.ink if was else Box(0, 0, 0, 0)
    x = box.cx - (ink.w + gap + old.w) / 2 if centered else box.x
    reach = 20 * u if kind == "rise" else 0.6
    covered = scene.text(
        now, x - ink.x, box.cy - ink.cy, colors[0], delay=delay, kind=kind, reach=reach, on=on
    )
    if was is not None:
        struck = scene.text(
            was, x + ink.w + gap - old.x, box.cy - old.cy, colors[1],
            delay=delay, kind=kind, reach=reach, on=on,
        )  # fmt: skip
        scene.strike(struck, colors[2], delay=delay + 14, thick=5)
        covered = covered.union(struck)
    return covered


def proof_line(scene: Scene) -> str:
    """What stands beside the rating: the scene's words, unless they only say it once more."""
    rating = scene.facts.rating
    if rating is not None and scene.on_screen.startswith((f"{rating:g}", f"{rating:.1f}")):
        return scene.facts.name
    return scene.on_screen


def stars(scene: Scene, x: float, y: float, size: float, lit: str, unlit: str, delay: int) -> Box:
    """The product's rating as five stars, popping in as a row; (x, y) is its top left."""
    u = scene.u
    gap = size * 0.16
    bright, dim = five_stars(scene.facts.rating or 5.0, size * u, gap * u)
    w = 5 * size * u + 4 * gap * u
    fade = Move("fade", 10, delay)
    scene.shape(dim, x, y, unlit, opacity=0.28, layer=5, enter=fade)
    wipe = Move("wipe", 24, delay + 4, 0, easing.ease_in_out)
    scene.shape(bright, x, y, lit, layer=6, enter=wipe)
    return Box(x, y, w, size * u)


def slow(scene: Scene, depth: float = 1.0, *, vertical: bool = True) -> Drift:
    """The scene's idle drift; a greater depth is nearer and moves further."""
    way = -scene.style.pace.drift * depth * scene.u
    return Drift(dy=way) if vertical else Drift(dx=way)


def centred_block(block: TextBlock, box: Box) -> float:
    """The top at which the block's ink stands in the middle of `box`."""
    ink = block.ink
    return box.cy - ink.h / 2 - ink.y
