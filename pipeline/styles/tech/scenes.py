"""The scenes of tech: a status line, typed headlines flush left, brackets and spec tables."""

from __future__ import annotations

from dataclasses import replace

from pipeline.media import easing
from pipeline.media.colors import mix
from pipeline.media.elements import Move
from pipeline.media.paths import Box
from pipeline.media.shapes import corners, rect
from pipeline.styles.column import Figure, Words, column, rooms
from pipeline.styles.parts import proof_line
from pipeline.styles.scene import HeroUse, Scene
from pipeline.styles.tech.figures import (
    button_box,
    gauge,
    glass_pane,
    price_row,
    specs_row,
    star_row,
    table,
)
from pipeline.styles.tech.writing import glass, key_in, line_of, quick, struck, typed

_SNAP = easing.ease_out_expo
#: Height of the status line and the gap below it, in design units.
_STATUS, _STATUS_GAP = 34.0, 44.0


def hook(scene: Scene) -> None:
    """A typed headline with its cursor; the product on its mark below."""
    _status(scene)
    hero, text = rooms(scene, 0.68, first=False, gap=24)
    _hero(scene, hero, zoom=(0.94, 1.0))
    column(scene, text, [typed(scene, scene.on_screen, 148, delay=3)], at=0.5)


def product(scene: Scene) -> None:
    """The product in brackets, its name, and what it can do as a row of specs."""
    _status(scene)
    hero, text = rooms(scene, 0.68, gap=26)
    _hero(scene, hero, zoom=(0.96, 1.0))
    same = scene.on_screen.casefold() == scene.facts.name.casefold()
    parts: list[Words | Figure] = [typed(scene, scene.facts.name, 104, delay=4)]
    specs = [text for text in scene.facts.benefits if len(text) <= 28][:3]
    if not same:
        parts.append(line_of(scene, scene.on_screen, gap=26, delay=12))
    elif len(specs) > 1 and not scene.zones.wide:
        parts.append(Figure(128, specs_row, gap=36, delay=14))
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
        table(scene, room)
        return
    pad = 56 * scene.u
    h = room.h if scene.hero else room.h * 0.72
    panel = Box(room.x, room.y + (room.h - h) * 0.4, room.w, h)
    glass_pane(scene, panel)
    number = f"{scene.index + 1:02}"
    column(scene, panel.inset(pad, pad), [
        Words(number, scene.style.label, quick, scene.palette.accent, 44, 20, 0.2),
        typed(scene, scene.on_screen, 150, gap=30, delay=5, on=glass(scene)),
    ])  # fmt: skip


def proof(scene: Scene) -> None:
    """The rating as a reading: figure, segmented gauge, stars."""
    _status(scene)
    p, rating = scene.palette, scene.facts.rating
    if rating is None:
        _statement(scene)
        return
    column(scene, scene.zones.body, [
        Words(f"{rating:.1f}", scene.style.display, quick, p.accent, 420, 90, 1.0, 0, 3),
        Figure(46, gauge, gap=50, delay=8),
        Figure(62, star_row, gap=44, delay=14),
        Words(proof_line(scene), scene.style.display, key_in, p.ink, 84, 26, 0.5, 44, 16),
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
    glass_pane(scene, panel)
    ground = glass(scene)
    parts: list[Words | Figure] = [
        Words(scene.on_screen, style.label, quick, p.accent, 46, 20, 0.26),
        typed(scene, facts.price, 240, gap=34, delay=6, on=ground),
    ]
    if facts.old_price:
        parts.append(Words(facts.old_price, style.body, struck, p.muted, 80, 22, 0.36, 34, 12))
    column(scene, panel.inset(min(60 * u, h * 0.12)), parts)


def cta(scene: Scene) -> None:
    """The end card: the product on its mark, name, price, a lit button, the address."""
    _status(scene)
    facts, p, style = scene.facts, scene.palette, scene.style
    hero, text = rooms(scene, 0.52, gap=20)
    _hero(scene, hero, zoom=(0.96, 1.0))
    parts: list[Words | Figure] = [typed(scene, facts.name, 88, delay=3)]
    if facts.price is not None:
        parts.append(Figure(60, price_row, gap=26, delay=8))
    parts.append(Figure(124, button_box, gap=34, delay=10))
    if facts.url is not None:
        plain = replace(style.label, upper=False)
        parts.append(Words(facts.url, plain, quick, p.muted, 34, 15, 0.3, 28, 16))
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
