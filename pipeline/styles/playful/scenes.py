"""The scenes of playful: speech bubbles, blobs, letters that hop; nothing stands quite straight."""

from __future__ import annotations

from pipeline.media import easing
from pipeline.media.colors import mix, readable
from pipeline.media.elements import Drift, Move
from pipeline.media.paths import Box, joined
from pipeline.media.shapes import blob, circle, ring, scalloped, star
from pipeline.styles.column import Figure, Words, column, rooms
from pipeline.styles.parts import proof_line
from pipeline.styles.playful.figures import bubble, button_box, pills, price_row, star_row
from pipeline.styles.playful.writing import headline, hop_on_accent, hopping, line_of, risen, struck
from pipeline.styles.scene import HeroUse, Scene

_HOP = easing.overshoot


def hook(scene: Scene) -> None:
    """The product speaks: the promise stands in a bubble that it holds."""
    hero, text = rooms(scene, 0.66, first=False, gap=52)
    _hero(scene, hero, sway=(-3.5, 3.5))
    if scene.zones.wide:  # a bubble hugs its words
        h = min(text.h, text.w * 0.74)
        text = Box(text.x, text.cy - h / 2, text.w, h)
    bubble(scene, text, (hero.cx, hero.cy))
    pad = min(52 * scene.u, text.h * 0.16)
    headline(scene, text.inset(pad, pad), scene.on_screen, 170, on="#ffffff", delay=5)


def product(scene: Scene) -> None:
    """The product on its blob, its name hopping in below."""
    hero, text = rooms(scene, 0.66, gap=20)
    _hero(scene, hero, sway=(3.0, -3.0))
    same = scene.on_screen.casefold() == scene.facts.name.casefold()
    parts: list[Words | Figure] = [hopping(scene, scene.facts.name, 128, delay=5)]
    if not same:
        parts.append(line_of(scene, scene.on_screen, 54, gap=26, delay=16))
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
        pills(scene, room)
        return
    p = scene.palette
    if scene.hero is None:
        shape = min(room.w, room.h) / 2
        pop = Move("pop", 16, 0, 0.3, _HOP)
        cloud = scalloped(0, 0, shape, 12, 0.09)
        scene.shape(cloud, room.cx, room.cy, p.accent, layer=3, enter=pop)
        inner = Box(room.cx - shape * 0.70, room.cy - shape * 0.56, shape * 1.4, shape * 1.12)
        headline(scene, inner, scene.on_screen, 132, on=p.accent, delay=6)
        return
    headline(scene, room, scene.on_screen, 132, delay=5)


def proof(scene: Scene) -> None:
    """Stars that pop one after the other over a big round number."""
    p, rating = scene.palette, scene.facts.rating
    if rating is None:
        benefit(scene)
        return
    column(scene, scene.zones.body, [
        Figure(126, star_row, delay=4),
        hopping(scene, f"{rating:.1f}", 400, gap=40, delay=8),
        Words(proof_line(scene), scene.style.label, risen, p.ink, 72, 24, 0.4, 40, 18),
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
    headline(scene, title, scene.on_screen, 92, delay=3)
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
        parts.append(Words(facts.old_price, scene.style.body, struck, ink, 76, 18, 0.42, 0, 10))
    parts.append(Words(facts.price, scene.style.display, hop_on_accent, ink, 240, 30, 1, 22, 12))
    column(scene, inner, parts)


def cta(scene: Scene) -> None:
    """The end card: the product, its name, and a fat button that wants to be pressed."""
    facts, p, style = scene.facts, scene.palette, scene.style
    hero, text = rooms(scene, 0.50, gap=10)
    _hero(scene, hero, sway=(3.0, -3.0))
    parts: list[Words | Figure] = [hopping(scene, facts.name, 108, delay=4)]
    if facts.price is not None:
        parts.append(Figure(66, price_row, gap=24, delay=10))
    parts.append(Figure(150, button_box, gap=32, delay=12))
    if facts.url is not None:
        parts.append(Words(facts.url, style.body, risen, p.ink, 42, 17, 0.3, 24, 18))
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
