"""The scenes of luxury: everything on the middle axis, gold hairlines, the product in a niche."""

from __future__ import annotations

from pipeline.media import easing
from pipeline.media.colors import mix
from pipeline.media.elements import Move
from pipeline.media.paths import Box, Path
from pipeline.media.shapes import arc, polygon, rect, strokes
from pipeline.media.text import TextBlock
from pipeline.styles.column import Figure, Words, column, rooms
from pipeline.styles.parts import button, prices, proof_line, stars
from pipeline.styles.scene import HeroUse, Scene

_SLOW = easing.ease_in_out


def hook(scene: Scene) -> None:
    """The promise in large serifs; the product below it, in a thin ring of light."""
    hero, text = rooms(scene, 0.68, first=False, gap=30)
    scene.hero = HeroUse(hero, zoom=(0.92, 1.0), enter=34, rise=26 * scene.u)
    _halo(scene, hero)
    column(scene, text, [
        _label(scene, scene.facts.name, scene.palette.accent),
        Figure(14, _ornament, gap=30, delay=6),
        _title(scene, scene.on_screen, 150, gap=34, delay=8),
    ])  # fmt: skip


def product(scene: Scene) -> None:
    """The product in its niche, its name set like a title below."""
    hero, text = rooms(scene, 0.70, gap=20)
    scene.hero = HeroUse(hero, zoom=(0.94, 1.0), enter=34, rise=40 * scene.u)
    _niche(scene, hero)
    same = scene.on_screen.casefold() == scene.facts.name.casefold()
    parts: list[Words | Figure] = [_title(scene, scene.facts.name, 104, delay=8)]
    if not same:
        parts.append(Figure(14, _ornament, gap=30, delay=14))
        parts.append(_aside(scene, scene.on_screen, gap=30, delay=18))
    column(scene, text, parts, at=0.5 if scene.zones.wide else 0.3)


def benefit(scene: Scene) -> None:
    """One thought between ornaments, or up to three, parted by hairlines."""
    text = scene.zones.body
    if scene.pictured:
        hero, text = rooms(scene, 0.50, first=bool(scene.index % 2), gap=36)
        scene.hero = HeroUse(
            hero, zoom=(0.95, 1.0), enter=30, rise=24 * scene.u, focus=scene.closer
        )
    if scene.visual == "list" and len(scene.facts.benefits) >= 2:
        _list(scene, text)
        return
    column(scene, text.inset(0, 0 if scene.hero else text.h * 0.08), [
        Figure(14, _ornament),
        _title(scene, scene.on_screen, 132, gap=56, delay=6),
        Figure(14, _ornament, gap=56, delay=12),
    ])  # fmt: skip


def proof(scene: Scene) -> None:
    """The rating as a numeral, its stars in gold, and who says so."""
    p, rating = scene.palette, scene.facts.rating
    if rating is None:
        benefit(scene)
        return
    column(scene, scene.zones.body, [
        Figure(46, _stars),
        Words(f"{rating:.1f}", scene.style.display, _soft, p.accent, 380, 90, 1.0, 54, 6),
        Figure(14, _ornament, gap=54, delay=12),
        _aside(scene, proof_line(scene), gap=44, delay=16, largest=72),
    ])  # fmt: skip


def offer(scene: Scene) -> None:
    """The price, as on a card beside the piece."""
    facts, p, style = scene.facts, scene.palette, scene.style
    if facts.price is None:
        benefit(scene)
        return
    text = scene.zones.body
    if scene.pictured:
        hero, text = rooms(scene, 0.56, first=False, gap=30)
        scene.hero = HeroUse(hero, zoom=(0.96, 1.0), enter=30, rise=24 * scene.u)
        _halo(scene, hero)
    parts: list[Words | Figure] = [
        _label(scene, scene.on_screen, p.accent),
        Figure(14, _ornament, gap=30, delay=4),
        Words(facts.price, style.display, _soft, p.ink, 220, 44, 1.0, 36, 8),
    ]
    if facts.old_price:
        parts.append(Words(facts.old_price, style.body, _struck, p.muted, 72, 22, 0.36, 30, 14))
    column(scene, text, parts)


def cta(scene: Scene) -> None:
    """The end card: the niche once more, name, price, an invitation in gold."""
    facts, p, style = scene.facts, scene.palette, scene.style
    hero, text = rooms(scene, 0.54, gap=14)
    scene.hero = HeroUse(hero, zoom=(0.96, 1.0), enter=28, rise=30 * scene.u)
    _niche(scene, hero)
    parts: list[Words | Figure] = [_title(scene, facts.name, 96, delay=4)]
    if facts.price is not None:
        parts.append(Figure(68, _prices, gap=30, delay=10))
    parts.append(Figure(108, _button, gap=40, delay=14))
    if facts.url is not None:
        plain = style.label
        parts.append(Words(facts.url, plain, _soft, p.muted, 27, 15, 0.3, 34, 20))
    column(scene, text, parts, at=0.5 if scene.zones.wide else 0.4)


def _label(scene: Scene, text: str, color: str, gap: float = 0.0) -> Words:
    return Words(text, scene.style.label, _soft, color, 33, 17, 0.28, gap)


def _title(scene: Scene, text: str, largest: float, *, gap: float = 0.0, delay: int = 0) -> Words:
    return Words(text, scene.style.display, _soft, scene.palette.ink, largest, 30, 1.0, gap, delay)


def _aside(
    scene: Scene, text: str, *, gap: float = 0.0, delay: int = 0, largest: float = 50
) -> Words:
    return Words(text, scene.style.body, _soft, scene.palette.muted, largest, 20, 0.5, gap, delay)


def _soft(scene: Scene, block: TextBlock, x: float, y: float, color: str, delay: int) -> Box:
    """Lines surface one after the other, hardly moving."""
    return scene.text(block, x, y, color, delay=delay, kind="rise", reach=16 * scene.u)


def _struck(scene: Scene, block: TextBlock, x: float, y: float, color: str, delay: int) -> Box:
    covered = _soft(scene, block, x, y, color, delay)
    scene.strike(covered, scene.palette.accent, delay=delay + 16, thick=3)
    return covered


def _ornament(scene: Scene, box: Box, delay: int) -> None:
    """A lozenge between two hairlines that grow from it."""
    u, p = scene.u, scene.palette
    d, arm, gap = 7 * u, 120 * u, 22 * u
    pop = Move("pop", 18, delay, 0.0, easing.ease_out)
    lozenge = polygon([(0, -d), (d, 0), (0, d), (-d, 0)])
    scene.shape(lozenge, box.cx, box.cy, p.accent, enter=pop)
    grow = Move("grow_x", 30, delay + 4, 0, _SLOW)
    line = max(1.5, 2 * u)
    for side in (-1, 1):
        path = rect(0 if side > 0 else -arm, -line / 2, arm, line)
        scene.shape(path, box.cx + side * gap, box.cy, p.accent, enter=grow)


def _rule(scene: Scene, box: Box, delay: int) -> None:
    u = scene.u
    w = min(box.w, 420 * u)
    line = max(1.5, 1.6 * u)
    grow = Move("grow_x", 30, delay, 0, _SLOW)
    path = rect(-w / 2, -line / 2, w, line)
    scene.shape(path, box.cx, box.cy, scene.palette.accent, opacity=0.55, enter=grow)


def _stars(scene: Scene, box: Box, delay: int) -> None:
    p, size = scene.palette, box.h / scene.u
    width = (5 * size + 4 * size * 0.16) * scene.u
    scene.texts.append(stars(scene, box.cx - width / 2, box.y, size, p.accent, p.ink, delay))


def _prices(scene: Scene, box: Box, delay: int) -> None:
    p, style = scene.palette, scene.style
    prices(
        scene, box, (style.display, style.body), (p.accent, p.muted, p.accent), delay,
        centered=True,
    )  # fmt: skip


def _button(scene: Scene, box: Box, delay: int) -> None:
    p, u = scene.palette, scene.u
    button(
        scene, scene.facts.cta, scene.style.label, (box.cx, box.cy), min(box.w, 640 * u),
        fill=p.accent, ink=p.on_accent, height=box.h / u, delay=delay, radius=2,
        with_arrow=False, largest=34, pulse=0.018,
    )  # fmt: skip


def _list(scene: Scene, text: Box) -> None:
    items = scene.facts.benefits[:3]
    parts: list[Words | Figure] = [_label(scene, scene.on_screen, scene.palette.accent)]
    for n, item in enumerate(items):
        figure = _ornament if n == 0 else _rule
        parts.append(Figure(14, figure, gap=34, delay=4 + 10 * n))
        parts.append(_title(scene, item, 76, gap=34, delay=8 + 10 * n))
    column(scene, text, parts)


def _halo(scene: Scene, hero: Box) -> None:
    """A hairline circle behind the product."""
    if not scene.pictured:
        return
    u = scene.u
    spot = scene.subject(hero)
    radius = min(max(spot.w, spot.h) * 0.56, hero.w * 0.5, hero.h * 0.56)
    points = arc(radius, 0, 360, 96)
    for piece in strokes(points, max(1.5, 2 * u), each=4, closed=False):
        _engraved(scene, piece, spot.cx, spot.cy, 0.55)


def _engraved(scene: Scene, piece: Path, x: float, y: float, share: float) -> None:
    """A part of a gold line on the wall behind the product."""
    p = scene.palette
    fade = Move("fade", 16, 2, 0, easing.ease_out)
    scene.shape(piece, x, y, mix(p.paper, p.accent, share), layer=1, enter=fade)


def _niche(scene: Scene, hero: Box) -> None:
    """A gold line in the shape of an arch around the product."""
    u = scene.u
    if not scene.pictured:
        return
    spot = scene.subject(hero)
    foot = spot.bottom + 6 * u
    top = max(hero.y + 6 * u, spot.y - spot.w * 0.34)
    w = min(hero.w * 0.84, max(spot.w * 1.26, (foot - top) * 0.62))
    gap, radius = 14 * u, w / 2 + 14 * u
    spring = min(0.0, top - gap + radius - foot)
    points = [(-radius, 0.0), *((x, y + spring) for x, y in arc(radius, 180, 360, 64))]
    points.append((radius, 0.0))
    for piece in strokes(points, max(2.0, 2.4 * u), each=3, closed=False):
        _engraved(scene, piece, hero.cx, foot, 0.85)
