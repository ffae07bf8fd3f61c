"""The scenes of playful: speech bubbles, blobs, letters that hop; nothing stands quite straight."""

from __future__ import annotations

from dataclasses import replace

from pipeline.media import easing
from pipeline.media.colors import contrast, ink_on, mix, readable
from pipeline.media.elements import Drift, Move
from pipeline.media.paths import Box, joined
from pipeline.media.shapes import blob, circle, five_stars, polygon, ring, rounded, scalloped, star
from pipeline.media.text import TextBlock, TextStyle
from pipeline.styles.column import Figure, Words, column, rooms
from pipeline.styles.letters import spelt
from pipeline.styles.parts import button, centred_block, prices, proof_line
from pipeline.styles.scene import HeroUse, Scene

_HOP = easing.overshoot


def hook(scene: Scene) -> None:
    """The product speaks: the promise stands in a bubble that it holds."""
    hero, text = rooms(scene, 0.66, first=False, gap=52)
    _hero(scene, hero, sway=(-3.5, 3.5))
    if scene.zones.wide:  # a bubble hugs its words
        h = min(text.h, text.w * 0.74)
        text = Box(text.x, text.cy - h / 2, text.w, h)
    _bubble(scene, text, (hero.cx, hero.cy))
    pad = min(52 * scene.u, text.h * 0.16)
    _headline(scene, text.inset(pad, pad), scene.on_screen, 170, on="#ffffff", delay=5)


def product(scene: Scene) -> None:
    """The product on its blob, its name hopping in below."""
    hero, text = rooms(scene, 0.66, gap=20)
    _hero(scene, hero, sway=(3.0, -3.0))
    same = scene.on_screen.casefold() == scene.facts.name.casefold()
    parts: list[Words | Figure] = [_hopping(scene, scene.facts.name, 128, delay=5)]
    if not same:
        parts.append(_line(scene, scene.on_screen, 54, gap=26, delay=16))
    column(scene, text, parts, at=0.5 if scene.zones.wide else 0.3)


def benefit(scene: Scene) -> None:
    """A thought in a big soft bubble, or up to three on pills of their own."""
    room = scene.zones.body
    listed = scene.visual == "list" and len(scene.facts.benefits) >= 2
    if scene.pictured:
        share = 0.42 if listed else 0.54
        hero, room = rooms(scene, share, first=bool(scene.index % 2), gap=30)
        _hero(scene, hero, sway=(-3.0, 3.0))
    if listed:
        _pills(scene, room)
        return
    p = scene.palette
    if scene.hero is None:
        shape = min(room.w, room.h) / 2
        pop = Move("pop", 16, 0, 0.3, _HOP)
        cloud = scalloped(0, 0, shape, 12, 0.09)
        scene.shape(cloud, room.cx, room.cy, p.accent, layer=3, enter=pop)
        inner = Box(room.cx - shape * 0.70, room.cy - shape * 0.56, shape * 1.4, shape * 1.12)
        _headline(scene, inner, scene.on_screen, 132, on=p.accent, delay=6)
        return
    _headline(scene, room, scene.on_screen, 132, delay=5)


def proof(scene: Scene) -> None:
    """Stars that pop one after the other over a big round number."""
    p, rating = scene.palette, scene.facts.rating
    if rating is None:
        benefit(scene)
        return
    column(scene, scene.zones.body, [
        Figure(126, _stars, delay=4),
        _hopping(scene, f"{rating:.1f}", 400, gap=40, delay=8),
        Words(proof_line(scene), scene.style.label, _risen, p.ink, 72, 24, 0.4, 40, 18),
    ])  # fmt: skip


def offer(scene: Scene) -> None:
    """The price on a biscuit, stuck to the product."""
    facts, u, p = scene.facts, scene.u, scene.palette
    if facts.price is None:
        benefit(scene)
        return
    room = scene.zones.body
    if scene.pictured:
        hero, room = rooms(scene, 0.44, first=True, gap=10)
        _hero(scene, hero, sway=(-3.0, 3.0))
    title_h = room.h * 0.24
    title = Box(room.x, room.y, room.w, title_h)
    _headline(scene, title, scene.on_screen, 92, delay=3)
    low = Box(room.x, title.bottom + 22 * u, room.w, room.bottom - title.bottom - 22 * u)
    radius = min(low.w, low.h) / 2
    pop = Move("pop", 16, 6, 0.2, _HOP)
    biscuit = scalloped(0, 0, radius, 16, 0.08)
    shade = mix(p.paper, p.ink, 0.30)
    scene.shape(biscuit, low.cx + 8 * u, low.cy + 10 * u, shade, layer=3, enter=pop)
    scene.shape(biscuit, low.cx, low.cy, p.accent, layer=4, enter=pop)
    dashes = joined(circle(radius * 0.82, 0, 5 * u).rotated(n * 12) for n in range(30))
    scene.shape(dashes, low.cx, low.cy, p.on_accent, layer=5, opacity=0.5, enter=pop)
    inner = Box(low.cx - radius * 0.68, low.cy - radius * 0.5, radius * 1.36, radius)
    parts: list[Words | Figure] = []
    ink = readable(p.on_accent, p.accent, 3.0)
    if facts.old_price:
        parts.append(Words(facts.old_price, scene.style.body, _struck, ink, 76, 18, 0.42, 0, 10))
    parts.append(Words(facts.price, scene.style.display, _hop_on_accent, ink, 240, 30, 1, 22, 12))
    column(scene, inner, parts)


def cta(scene: Scene) -> None:
    """The end card: the product, its name, and a fat button that wants to be pressed."""
    facts, p, style = scene.facts, scene.palette, scene.style
    hero, text = rooms(scene, 0.50, gap=10)
    _hero(scene, hero, sway=(3.0, -3.0))
    parts: list[Words | Figure] = [_hopping(scene, facts.name, 108, delay=4)]
    if facts.price is not None:
        parts.append(Figure(66, _prices, gap=24, delay=10))
    parts.append(Figure(150, _button, gap=32, delay=12))
    if facts.url is not None:
        parts.append(Words(facts.url, style.body, _risen, p.ink, 42, 17, 0.3, 24, 18))
    column(scene, text, parts, at=0.5 if scene.zones.wide else 0.35)


def _hero(scene: Scene, hero: Box, sway: tuple[float, float]) -> None:
    """The product swaying on a blob, with a few sparks about it."""
    u, p = scene.u, scene.palette
    focus = scene.closer if scene.role in ("benefit", "proof") else None
    scene.hero = HeroUse(hero, zoom=(0.96, 1.0), sway=sway, enter=12, rise=120 * u, focus=focus)
    if not scene.pictured or focus is not None:
        return
    radius = min(hero.w, hero.h) * 0.47
    # Stretched a little towards the longer side of its room.
    wide, high = (min(1.22, side * 0.47 / radius) for side in (hero.w, hero.h))
    pop = Move("pop", 14, 0, 0.2, _HOP)
    turn = scene.rng.uniform(0, 6.28)
    under = blob(0, 0, radius, turn).scaled(wide, high)
    scene.shape(under, hero.cx, hero.cy, p.accent, layer=1, enter=pop)
    pale = mix(p.accent, "#ffffff", 0.30)
    scene.shape(
        blob(0, 0, radius * 0.80, turn + 1.3).scaled(wide, high),
        hero.cx,
        hero.cy,
        pale,
        layer=1,
        enter=pop,
    )
    spot = scene.subject(hero)
    for n, (dx, dy) in enumerate(((-0.92, -0.62), (0.98, -0.46), (1.10, 0.34))):
        spark = Move("pop", 12, 8 + 4 * n, 0.0, _HOP)
        x = hero.cx + dx * radius * wide * 1.1
        x = min(max(x, hero.x + 24 * u), hero.right - 24 * u)
        y = hero.cy + dy * radius * high
        if spot.overlaps(Box(x - 20 * u, y - 20 * u, 40 * u, 40 * u)):
            continue
        shape = (star(0, 0, 36 * u, 13 * u, 4), circle(0, 0, 17 * u), ring(0, 0, 22 * u, 8 * u))[n]
        tone = "#ffffff" if n == 0 else p.ink
        drift = Drift(dy=(-9, 7, -6)[n] * u)
        scene.shape(shape, x, y, tone, layer=3, enter=spark, drift=drift)


def _bubble(scene: Scene, box: Box, toward: tuple[float, float]) -> None:
    """A white speech bubble whose tail points to the product."""
    u = scene.u
    pop = Move("pop", 14, 2, 0.4, _HOP)
    body = rounded(-box.w / 2, -box.h / 2, box.w, box.h, 64 * u)
    if scene.zones.wide:
        way = 1 if toward[0] > box.cx else -1
        edge, reach = way * (box.w / 2 - 4 * u), way * (box.w / 2 + 40 * u)
        points = [(edge, -34 * u), (reach, 26 * u), (edge, 40 * u)]
    else:
        low = box.h / 2 - 4 * u
        points = [(-70 * u, low), (14 * u, low), (-30 * u, box.h / 2 + 52 * u)]
    # Both contours must run the same way, or the tail's overlap would be a hole.
    if _area(points) < 0:
        points.reverse()
    shade = mix(scene.palette.paper, scene.palette.ink, 0.16)
    whole = body + polygon(points)
    scene.shape(whole, box.cx + 6 * u, box.cy + 10 * u, shade, layer=3, enter=pop)
    scene.shape(whole, box.cx, box.cy, "#ffffff", layer=4, enter=pop)


def _area(points: list[tuple[float, float]]) -> float:
    pairs = zip(points, points[1:] + points[:1], strict=True)
    return sum(ax * by - bx * ay for (ax, ay), (bx, by) in pairs)


def _headline(
    scene: Scene, box: Box, text: str, largest: float, *, on: str | None = None, delay: int = 0
) -> None:
    block = scene.fit(text, scene.style.display, box, largest, 30)
    y = centred_block(block, box)
    ink = readable(scene.palette.ink, on or scene.palette.paper, 4.5)
    _spell(scene, block, box.x, y, ink, delay, on)


def _hopping(scene: Scene, text: str, largest: float, *, gap: float = 0, delay: int = 0) -> Words:
    style = scene.style.display
    return Words(text, style, _hop, scene.palette.ink, largest, 32, 1.0, gap, delay)


def _line(scene: Scene, text: str, largest: float, *, gap: float = 0, delay: int = 0) -> Words:
    return Words(text, scene.style.body, _risen, scene.palette.muted, largest, 20, 0.5, gap, delay)


def _hop(scene: Scene, block: TextBlock, x: float, y: float, color: str, delay: int) -> Box:
    return _spell(scene, block, x, y, color, delay, None)


def _hop_on_accent(
    scene: Scene, block: TextBlock, x: float, y: float, color: str, delay: int
) -> Box:
    return _spell(scene, block, x, y, color, delay, scene.palette.accent)


def _spell(
    scene: Scene, block: TextBlock, x: float, y: float, color: str, delay: int, on: str | None
) -> Box:
    def entrance(n: int, count: int) -> Move:
        # However long the text, its last letter comes within a second.
        return Move("pop", 12, delay + round(n * min(1.5, 20 / count)), 0.1, _HOP)

    return spelt(scene, block, (x, y), color, entrance, on=on)


def _risen(scene: Scene, block: TextBlock, x: float, y: float, color: str, delay: int) -> Box:
    return scene.text(block, x, y, color, delay=delay, kind="pop", reach=0.6)


def _struck(scene: Scene, block: TextBlock, x: float, y: float, color: str, delay: int) -> Box:
    on = scene.palette.accent
    covered = scene.text(block, x, y, color, delay=delay, kind="pop", reach=0.6, on=on)
    scene.strike(covered, color, delay=delay + 10, thick=6)
    return covered


def _stars(scene: Scene, box: Box, delay: int) -> None:
    """Five stars on a slight arc; unlit ones stay pale."""
    p, rating = scene.palette, scene.facts.rating or 5.0
    size = min(box.h, box.w / 6.2)
    for n in range(5):
        x = box.cx + (n - 2) * size * 1.16
        y = box.cy + abs(n - 2) ** 1.6 * size * 0.07 - size * 0.1
        pop = Move("pop", 14, delay + 4 * n, 0.0, _HOP)
        whole = star(0, 0, size / 2, size * 0.215, 5)
        pale = mix(p.paper, p.ink, 0.22)
        scene.shape(whole, x, y, pale, layer=5, angle=(n - 2) * 7, enter=pop)
        lit, _ = five_stars(min(1.0, max(0.0, rating - n)), size, 0)
        if lit:
            part = lit.moved(-size / 2, -size / 2)
            scene.shape(part, x, y, p.accent, layer=6, angle=(n - 2) * 7, enter=pop)
    scene.texts.append(Box(box.cx - 2.9 * size, box.y, 5.8 * size, box.h))


def _prices(scene: Scene, box: Box, delay: int) -> None:
    p, style = scene.palette, scene.style
    prices(
        scene, box, (style.display, style.body), (p.ink, p.muted, p.accent), delay,
        centered=True, kind="pop",
    )  # fmt: skip


def _button(scene: Scene, box: Box, delay: int) -> None:
    """A pill with a thick lower edge, like a key."""
    p, u = scene.palette, scene.u
    drop = 12 * u
    h = box.h - drop
    center = (box.cx, box.y + h / 2)
    fill = p.accent if contrast(p.accent, p.paper) > 1.5 else p.ink
    marks = len(scene.elements)
    covered = button(
        scene, scene.facts.cta, scene.style.label, center, min(box.w, 760 * u),
        fill=fill, ink=readable(p.on_accent, fill, 3.0), height=h / u, delay=delay,
        with_arrow=False, largest=64,
    )  # fmt: skip
    plate = scene.elements[marks]
    under = replace(plate, y=plate.y + drop, color=mix(fill, "#000000", 0.34), layer=4)
    scene.elements.insert(marks, under)
    scene.texts[-1] = Box(covered.x, covered.y, covered.w, box.h)


def _pills(scene: Scene, room: Box) -> None:
    """A headline and a pill for each benefit, pushed in from alternating sides."""
    u, p = scene.u, scene.palette
    items = scene.facts.benefits[:3]
    head_h = room.h * (0.26 if scene.hero is None else 0.2)
    _headline(scene, Box(room.x, room.y, room.w, head_h), scene.on_screen, 112, delay=2)
    gap = 24 * u
    top = room.y + head_h + gap * 1.2
    h = min(190 * u, (room.bottom - top - gap * (len(items) - 1)) / len(items))
    top += max(0.0, (room.bottom - top - h * len(items) - gap * (len(items) - 1)) * 0.25)
    fills = ("#ffffff", p.accent, p.ink)
    for n, item in enumerate(items):
        lean = (0.0 if n % 2 == 0 else 1.0) * room.w * 0.06
        box = Box(room.x + lean, top + n * (h + gap), room.w * 0.94, h)
        _pill(scene, box, item, fills[n % 3], 6 + 7 * n, -1 if n % 2 == 0 else 1)


def _pill(scene: Scene, box: Box, text: str, fill: str, delay: int, side: int) -> None:
    p = scene.palette
    enter = Move("fly", 16, delay, side * scene.zones.width, _HOP)
    plate = rounded(-box.w / 2, -box.h / 2, box.w, box.h, box.h / 2)
    scene.shape(plate, box.cx, box.cy, fill, layer=4, enter=enter)
    label: TextStyle = replace(scene.style.label, align="left")
    inner = Box(0, 0, box.w - box.h * 1.5, box.h * 0.74)
    block = scene.fit(text, label, inner, 62, 20)
    mark = Move("pop", 12, delay + 12, 0.0, _HOP)
    badge = scalloped(0, 0, box.h * 0.32, 8, 0.16)
    tone = p.accent if fill == "#ffffff" else "#ffffff"
    at = box.right - box.h * 0.52 if block.rtl else box.x + box.h * 0.52
    scene.shape(badge, at, box.cy, tone, layer=6, enter=mark)
    core = circle(0, 0, box.h * 0.11)
    scene.shape(core, at, box.cy, fill, layer=7, enter=mark)
    left = box.x + box.h * (0.5 if block.rtl else 1.0)
    letters = joined(block.line_path(i) for i in range(len(block.lines)))
    ink = readable(p.ink if fill == "#ffffff" else ink_on(fill), fill, 4.5)
    path = letters.moved(left - box.cx, -block.ink.cy)
    scene.shape(path, box.cx, box.cy, ink, layer=5, enter=enter)
    scene.texts.append(box)
