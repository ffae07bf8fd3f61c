"""The scenes of tech: a status line, typed headlines flush left, brackets and spec tables."""

from __future__ import annotations

from dataclasses import replace

from pipeline.media import easing
from pipeline.media.colors import mix
from pipeline.media.elements import Move
from pipeline.media.paths import Box
from pipeline.media.shapes import corners, rect, strokes
from pipeline.media.text import TextBlock
from pipeline.styles.column import Figure, Words, column, rooms
from pipeline.styles.letters import spelt
from pipeline.styles.parts import button, centred_block, chamfered, prices, proof_line, stars
from pipeline.styles.scene import HeroUse, Scene

_SNAP = easing.ease_out_expo
#: Height of the status line and the gap below it, in design units.
_STATUS, _STATUS_GAP = 34.0, 44.0


def hook(scene: Scene) -> None:
    """A typed headline with its cursor; the product on its mark below."""
    _status(scene)
    hero, text = rooms(scene, 0.68, first=False, gap=24)
    _hero(scene, hero, zoom=(0.94, 1.0))
    column(scene, text, [_typed(scene, scene.on_screen, 148, delay=3)], at=0.5)


def product(scene: Scene) -> None:
    """The product in brackets, its name, and what it can do as a row of specs."""
    _status(scene)
    hero, text = rooms(scene, 0.68, gap=26)
    _hero(scene, hero, zoom=(0.96, 1.0))
    same = scene.on_screen.casefold() == scene.facts.name.casefold()
    parts: list[Words | Figure] = [_typed(scene, scene.facts.name, 104, delay=4)]
    specs = [text for text in scene.facts.benefits if len(text) <= 28][:3]
    if not same:
        parts.append(_line(scene, scene.on_screen, gap=26, delay=12))
    elif len(specs) > 1 and not scene.zones.wide:
        parts.append(Figure(128, _specs, gap=36, delay=14))
    column(scene, text, parts, at=0.5 if scene.zones.wide else 0.35)


def benefit(scene: Scene) -> None:
    """A statement in a panel, or a table of up to three."""
    _status(scene)
    _statement(scene)


def _statement(scene: Scene) -> None:
    room = scene.zones.body
    if scene.pictured:
        hero, room = rooms(scene, 0.48, first=bool(scene.index % 2), gap=30)
        _hero(scene, hero, zoom=(0.95, 1.0), focus=scene.closer)
    if scene.visual == "list" and len(scene.facts.benefits) >= 2:
        _table(scene, room)
        return
    pad = 56 * scene.u
    h = room.h if scene.hero else room.h * 0.72
    panel = Box(room.x, room.y + (room.h - h) * 0.4, room.w, h)
    _panel(scene, panel)
    number = f"{scene.index + 1:02}"
    column(scene, panel.inset(pad, pad), [
        Words(number, scene.style.label, _quick, scene.palette.accent, 44, 20, 0.2),
        _typed(scene, scene.on_screen, 150, gap=30, delay=5, on=_glass(scene)),
    ])  # fmt: skip


def proof(scene: Scene) -> None:
    """The rating as a reading: figure, segmented gauge, stars."""
    _status(scene)
    p, rating = scene.palette, scene.facts.rating
    if rating is None:
        _statement(scene)
        return
    column(scene, scene.zones.body, [
        Words(f"{rating:.1f}", scene.style.display, _quick, p.accent, 420, 90, 1.0, 0, 3),
        Figure(46, _gauge, gap=50, delay=8),
        Figure(62, _stars, gap=44, delay=14),
        Words(proof_line(scene), scene.style.display, _type, p.ink, 84, 26, 0.5, 44, 16),
    ])  # fmt: skip


def offer(scene: Scene) -> None:
    """The price on a cut panel beside the product."""
    _status(scene)
    facts, p, style, u = scene.facts, scene.palette, scene.style, scene.u
    if facts.price is None:
        _statement(scene)
        return
    room = scene.zones.body
    if scene.pictured:
        hero, room = rooms(scene, 0.50, first=False, gap=28)
        _hero(scene, hero, zoom=(0.95, 1.0))
    h = min(room.h, 760 * u)
    panel = Box(room.x, room.cy - h / 2, room.w, h)
    _panel(scene, panel)
    ground = _glass(scene)
    parts: list[Words | Figure] = [
        Words(scene.on_screen, style.label, _quick, p.accent, 46, 20, 0.26),
        _typed(scene, facts.price, 240, gap=34, delay=6, on=ground),
    ]
    if facts.old_price:
        parts.append(Words(facts.old_price, style.body, _struck, p.muted, 80, 22, 0.36, 34, 12))
    column(scene, panel.inset(min(60 * u, h * 0.12)), parts)


def cta(scene: Scene) -> None:
    """The end card: the product on its mark, name, price, a lit button, the address."""
    _status(scene)
    facts, p, style = scene.facts, scene.palette, scene.style
    hero, text = rooms(scene, 0.52, gap=20)
    _hero(scene, hero, zoom=(0.96, 1.0))
    parts: list[Words | Figure] = [_typed(scene, facts.name, 88, delay=3)]
    if facts.price is not None:
        parts.append(Figure(60, _prices, gap=26, delay=8))
    parts.append(Figure(124, _button, gap=34, delay=10))
    if facts.url is not None:
        plain = replace(style.label, upper=False)
        parts.append(Words(facts.url, plain, _quick, p.muted, 34, 15, 0.3, 28, 16))
    column(scene, text, parts, at=0.5 if scene.zones.wide else 0.4)


def _status(scene: Scene) -> None:
    """Draw the line at the body's foot: which scene of how many. The body is what it leaves."""
    body, u, p = scene.zones.body, scene.u, scene.palette
    h = _STATUS * u
    line = body.bottom - h
    count = scene.fit(
        f"{scene.index + 1:02}/{scene.scenes:02}", scene.style.label, Box(0, 0, 150 * u, h), 27, 10
    )
    y = line + (h - count.ink.h) / 2 - count.ink.y
    scene.text(count, body.x, y, p.accent, kind="none")
    name = replace(scene.style.label, align="right")
    room = Box(0, 0, body.w * 0.55, h)
    block = scene.fit(scene.facts.name, name, room, 27, 10)
    top = line + (h - block.ink.h) / 2 - block.ink.y
    if len(block.lines) == 1:
        flush = replace(block, offsets=(room.w - block.lines[0].width,))
        scene.text(flush, body.right - room.w, top, p.muted, kind="none")
    gap, seg = 8 * u, (body.w - 8 * u * (scene.scenes - 1)) / scene.scenes
    low = line - 12 * u
    for n in range(scene.scenes):
        x = body.x + n * (seg + gap)
        lit = n < scene.index
        bar = rect(0, 0, seg, max(2.0, 3 * u))
        tone = p.accent if lit else mix(p.paper, p.ink, 0.22)
        scene.shape(bar, x, low, tone, layer=2)
        if n == scene.index:
            length = max(12, scene.end_f - scene.start_f - 2)
            fill = Move("wipe", min(length, 45), 2, 0, easing.linear)
            scene.shape(bar, x, low, p.accent, layer=3, enter=fill)
    used = h + _STATUS_GAP * u
    rest = Box(body.x, body.y, body.w, body.h - used)
    scene.zones = replace(scene.zones, body=rest)


def _hero(scene: Scene, hero: Box, zoom: tuple[float, float], focus: float | None = None) -> None:
    """The product between corner brackets that snap onto it."""
    u, p = scene.u, scene.palette
    scene.hero = HeroUse(hero, zoom=zoom, enter=14, rise=36 * u, focus=focus)
    if focus is not None:
        return
    spot = scene.subject(hero)
    pad = 34 * u
    w = min(hero.w, spot.w + 2 * pad)
    h = min(hero.h, spot.h + 2 * pad)
    cy = min(max(spot.cy, hero.y + h / 2), hero.bottom - h / 2)
    snap = Move("pop", 14, 4, 1.25, _SNAP)
    for mark in corners(w, h, 54 * u, max(2.0, 5 * u)):
        scene.shape(mark, spot.cx, cy, p.accent, layer=3, enter=snap)


def _typed(
    scene: Scene, text: str, largest: float, *, gap: float = 0, delay: int = 0,
    on: str | None = None,
) -> Words:  # fmt: skip
    write = _type if on is None else _type_on_glass
    return Words(text, scene.style.display, write, scene.palette.ink, largest, 30, 1.0, gap, delay)


def _line(scene: Scene, text: str, *, gap: float = 0, delay: int = 0) -> Words:
    return Words(text, scene.style.body, _quick, scene.palette.muted, 48, 20, 0.5, gap, delay)


def _type(scene: Scene, block: TextBlock, x: float, y: float, color: str, delay: int) -> Box:
    return _keys(scene, block, x, y, color, delay, None)


def _type_on_glass(
    scene: Scene, block: TextBlock, x: float, y: float, color: str, delay: int
) -> Box:
    return _keys(scene, block, x, y, color, delay, _glass(scene))


def _keys(
    scene: Scene, block: TextBlock, x: float, y: float, color: str, delay: int, on: str | None
) -> Box:
    """Letter after letter, without any easing; a cursor waits behind the last."""
    ends = [0]

    def entrance(n: int, count: int) -> Move:
        ends.append(delay + round(n * min(1.0, 24 / count)))
        return Move("none", 0, ends[-1])

    covered = spelt(scene, block, (x, y), color, entrance, on=on)
    last = block.line_path(len(block.lines) - 1).bounds().moved(x, y)
    w, h = block.size * 0.10, block.size * 0.72
    base = y + block.first_baseline + (len(block.lines) - 1) * block.leading
    left = last.x - 2.2 * w if block.rtl else last.right + 1.2 * w
    if scene.zones.safe.contains(Box(left, base - h, w, h)):
        cursor = rect(0, -h, w, h)
        tone = scene.palette.accent
        for beat in range(3):  # it blinks a few times, then stays
            start = max(ends) + 1 + 14 * beat
            life = Move("none", 0, start)
            if scene.start_f + start + 8 >= scene.end_f:
                break
            scene.shape(cursor, left, base, tone, layer=6, enter=life)
            if beat < 2:
                shown = scene.elements[-1]
                scene.elements[-1] = replace(
                    shown, end_f=min(shown.end_f, scene.start_f + start + 8)
                )
    return covered


def _quick(scene: Scene, block: TextBlock, x: float, y: float, color: str, delay: int) -> Box:
    return scene.text(block, x, y, color, delay=delay, kind="slide", reach=-40 * scene.u)


def _struck(scene: Scene, block: TextBlock, x: float, y: float, color: str, delay: int) -> Box:
    covered = scene.text(
        block, x, y, color, delay=delay, kind="slide", reach=-40 * scene.u, on=_glass(scene)
    )
    scene.strike(covered, scene.palette.accent, delay=delay + 8, thick=5)
    return covered


def _glass(scene: Scene) -> str:
    return mix(scene.palette.paper, scene.palette.accent, 0.10)


def _panel(scene: Scene, box: Box) -> None:
    """A cut pane with a thin lit edge."""
    u, p = scene.u, scene.palette
    cut, line = 44 * u, max(2.0, 2.5 * u)
    enter = Move("rise", 12, 0, 40 * u, _SNAP)
    pane = chamfered(box.w, box.h, cut)
    points = [(values[0], values[1]) for _, values in pane.segments]
    scene.shape(pane, box.cx, box.cy, _glass(scene), layer=3, enter=enter)
    edge = mix(p.paper, p.accent, 0.7)
    for side in strokes(points, line):
        scene.shape(side, box.cx, box.cy, edge, layer=4, enter=enter)


def _gauge(scene: Scene, box: Box, delay: int) -> None:
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


def _stars(scene: Scene, box: Box, delay: int) -> None:
    p = scene.palette
    scene.texts.append(stars(scene, box.x, box.y, box.h / scene.u, p.accent, p.ink, delay))


def _prices(scene: Scene, box: Box, delay: int) -> None:
    p, style = scene.palette, scene.style
    styles = (replace(style.display, align="left"), replace(style.body, align="left"))
    prices(scene, box, styles, (p.accent, p.muted, p.accent), delay, centered=False)


def _button(scene: Scene, box: Box, delay: int) -> None:
    p, u = scene.palette, scene.u
    button(
        scene, scene.facts.cta, scene.style.label, (box.x, box.cy), min(box.w, 760 * u),
        fill=p.accent, ink=p.on_accent, height=box.h / u, delay=delay, from_left=True,
        largest=46, cut=26, pulse=0.02,
    )  # fmt: skip


def _specs(scene: Scene, box: Box, delay: int) -> None:
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
            Words(number, scene.style.label, _quick, p.accent, 26, 12, 0.25, 0, delay + 4 * n),
            Words(text, scene.style.body, _quick, p.ink, 38, 15, 1.0, 12, delay + 2 + 4 * n),
        ], at=0.0)  # fmt: skip


def _table(scene: Scene, room: Box) -> None:
    """A headline and a numbered row for each benefit."""
    u, p = scene.u, scene.palette
    items = scene.facts.benefits[:3]
    head_h = room.h * 0.26
    head = scene.fit(scene.on_screen, scene.style.display, Box(0, 0, room.w, head_h), 112, 32)
    used = _type(scene, head, room.x, room.y, p.ink, 2)
    gap = 18 * u
    top = used.bottom + 44 * u
    h = min(210 * u, (room.bottom - top - gap * (len(items) - 1)) / len(items))
    number_w = min(110 * u, room.w * 0.2)
    for n, item in enumerate(items):
        box = Box(room.x, top + n * (h + gap), room.w, h)
        enter = Move("slide", 12, 6 + 6 * n, 90 * u, _SNAP)
        scene.shape(
            chamfered(box.w, box.h, 24 * u), box.cx, box.cy, _glass(scene), layer=3, enter=enter
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
                part, x, y, tone, delay=8 + 6 * n, kind="slide", reach=60 * u, on=_glass(scene)
            )
