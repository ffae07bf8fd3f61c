"""What tech draws besides plain text: panes, gauges, prices, specs and tables."""

from __future__ import annotations

from dataclasses import replace

from pipeline.media import easing
from pipeline.media.colors import mix
from pipeline.media.elements import Move
from pipeline.media.paths import Box
from pipeline.media.shapes import rect, strokes
from pipeline.styles.column import Words, column
from pipeline.styles.parts import button, centred_block, chamfered, prices, stars
from pipeline.styles.scene import Scene
from pipeline.styles.tech.writing import glass, key_in, quick

_SNAP = easing.ease_out_expo


def glass_pane(scene: Scene, box: Box) -> None:
    """A cut pane with a thin lit edge."""
    u, p = scene.u, scene.palette
    cut, line = 44 * u, max(2.0, 2.5 * u)
    enter = Move("rise", 12, 0, 40 * u, _SNAP)
    pane = chamfered(box.w, box.h, cut)
    points = [(values[0], values[1]) for _, values in pane.segments]
    scene.shape(pane, box.cx, box.cy, glass(scene), layer=3, enter=enter)
    edge = mix(p.paper, p.accent, 0.7)
    for side in strokes(points, line):
        scene.shape(side, box.cx, box.cy, edge, layer=4, enter=enter)


def gauge(scene: Scene, box: Box, delay: int) -> None:
    """Twenty-five segments, five to a star, lit up to the rating."""
    p, rating = scene.palette, scene.facts.rating or 5.0
    count, gap = 25, box.w * 0.008
    w = (box.w - gap * (count - 1)) / count
    lit = round(rating / 5 * count)
    for n in range(count):
        on = n < lit
        tone = p.accent if on else mix(p.paper, p.ink, 0.16)
        show = Move("none", 0, delay + (n if on else 0))
        scene.shape(rect(0, 0, w, box.h), box.x + n * (w + gap), box.y, tone, enter=show)


def star_row(scene: Scene, box: Box, delay: int) -> None:
    p = scene.palette
    scene.texts.append(stars(scene, box.x, box.y, box.h / scene.u, p.accent, p.ink, delay))


def price_row(scene: Scene, box: Box, delay: int) -> None:
    p, style = scene.palette, scene.style
    styles = (replace(style.display, align="left"), replace(style.body, align="left"))
    prices(scene, box, styles, (p.accent, p.muted, p.accent), delay, centered=False)


def button_box(scene: Scene, box: Box, delay: int) -> None:
    p, u = scene.palette, scene.u
    button(
        scene, scene.facts.cta, scene.style.label, (box.x, box.cy), min(box.w, 760 * u),
        fill=p.accent, ink=p.on_accent, height=box.h / u, delay=delay, from_left=True,
        largest=46, cut=26, pulse=0.02,
    )  # fmt: skip


def specs_row(scene: Scene, box: Box, delay: int) -> None:
    """Up to three short benefits side by side, numbered."""
    u, p = scene.u, scene.palette
    specs = [text for text in scene.facts.benefits if len(text) <= 28][:3]
    gap = 26 * u
    w = (box.w - gap * (len(specs) - 1)) / len(specs)
    for n, text in enumerate(specs):
        x = box.x + n * (w + gap)
        grow = Move("grow_x", 14, delay + 4 * n, 0, _SNAP)
        scene.shape(rect(0, 0, w, max(2.0, 3 * u)), x, box.y, p.accent, layer=4, enter=grow)
        room = Box(x, box.y + 20 * u, w, box.h - 20 * u)
        number = f"{n + 1:02}"
        column(scene, room, [
            Words(number, scene.style.label, quick, p.accent, 26, 12, 0.25, 0, delay + 4 * n),
            Words(text, scene.style.body, quick, p.ink, 38, 15, 1.0, 12, delay + 2 + 4 * n),
        ], at=0.0)  # fmt: skip


def table(scene: Scene, room: Box) -> None:
    """A headline and a numbered row for each benefit."""
    u, p = scene.u, scene.palette
    items = scene.facts.benefits[:3]
    head_h = room.h * 0.26
    head = scene.fit(scene.on_screen, scene.style.display, Box(0, 0, room.w, head_h), 112, 32)
    used = key_in(scene, head, room.x, room.y, p.ink, 2)
    gap = 18 * u
    top = used.bottom + 44 * u
    h = min(210 * u, (room.bottom - top - gap * (len(items) - 1)) / len(items))
    number_w = min(110 * u, room.w * 0.2)
    for n, item in enumerate(items):
        box = Box(room.x, top + n * (h + gap), room.w, h)
        enter = Move("slide", 12, 6 + 6 * n, 90 * u, _SNAP)
        scene.shape(
            chamfered(box.w, box.h, 24 * u), box.cx, box.cy, glass(scene), layer=3, enter=enter
        )
        inner = Box(0, 0, box.w - number_w - 34 * u, h * 0.72)
        block = scene.fit(item, scene.style.body, inner, 54, 18)
        number = scene.fit(f"{n + 1:02}", scene.style.label, Box(0, 0, number_w, h * 0.4), 36, 12)
        if block.rtl:
            text_x, number_x = box.x + 34 * u, box.right - number.ink.w - 34 * u
        else:
            text_x, number_x = box.x + number_w, box.x + 34 * u
        for part, x, tone in ((number, number_x, p.accent), (block, text_x, p.ink)):
            y = centred_block(part, box)
            scene.text(
                part, x, y, tone, delay=8 + 6 * n, kind="slide", reach=60 * u, on=glass(scene)
            )
