"""The scenes of the bold family: centred stacks of capitals, tapes, bursts and stripes."""

from __future__ import annotations

from dataclasses import replace

from pipeline.media import easing
from pipeline.media.colors import contrast, ink_on, readable
from pipeline.media.elements import Drift, Move
from pipeline.media.paths import Box, Path
from pipeline.media.shapes import rect, star, stripes
from pipeline.media.text import TextBlock
from pipeline.styles.bold.poster import poster
from pipeline.styles.bold.tapes import tapes
from pipeline.styles.parts import button, centred_block, proof_line, stars
from pipeline.styles.scene import HeroUse, Scene

_SLAM = easing.ease_out_expo


def hook(scene: Scene) -> None:
    """The promise as a poster, on a slowly turning burst."""
    body, u, p = scene.zones.body, scene.u, scene.palette
    _burst(scene, body.right - 40 * u, body.y + 60 * u, 250 * u, color=p.accent)
    _edge_stripes(scene)
    poster(scene, scene.on_screen, body.inset(0, body.h * 0.08), p.ink)


def product(scene: Scene) -> None:
    """The product as a sticker on a disc of the accent, its name on a tape over it."""
    u, p = scene.u, scene.palette
    hero, text = scene.zones.split(0.58, gap=6)
    scene.hero = HeroUse(hero, zoom=(0.97, 1.0), sway=(-2.6, 2.6), enter=12, rise=130 * u)
    _burst(scene, hero.cx, hero.cy, min(hero.w, hero.h) * 0.52, color=p.accent, opacity=1.0)
    _edge_stripes(scene)
    same = scene.on_screen.casefold() == scene.facts.name.casefold()
    share = 0.62 if not same else 0.9
    name_box = Box(text.x, text.y, text.w, text.h * share)
    used = tapes(scene, scene.facts.name, name_box, delay=4, largest=150)
    if not same:
        room = Box(text.x, used.bottom + 28 * u, text.w, text.bottom - used.bottom - 28 * u)
        line = scene.fit(scene.on_screen, scene.style.label, room, 46, 20)
        scene.text(line, room.x, room.y, p.ink, delay=12, kind="pop", reach=0.7, on=p.paper_low)


def benefit(scene: Scene) -> None:
    """One benefit: tapes from both sides, or a poster with a side bar; a list where asked."""
    if scene.more_to_show:
        _beside_picture(scene)
    if scene.visual == "list" and len(scene.facts.benefits) >= 2:
        _list(scene)
        return
    body, u, p = scene.zones.body, scene.u, scene.palette
    if scene.index % 2:
        _edge_stripes(scene)
        tapes(
            scene, scene.on_screen, body.inset(0, body.h * 0.1), delay=2, largest=210, middle=True
        )
    else:
        _burst(scene, body.right, body.y + body.h * 0.1, 260 * u, color=p.accent, opacity=1.0)
        poster(scene, scene.on_screen, body.inset(0, body.h * 0.12), p.ink, on=p.paper)


def _beside_picture(scene: Scene) -> None:
    """Show the scene's own picture; what follows is composed in the rest of the body."""
    hero, text = scene.zones.split(0.48, gap=26)
    scene.hero = HeroUse(hero, zoom=(0.97, 1.0), sway=(2.2, -2.2), enter=12)
    scene.zones = replace(scene.zones, body=text)


def proof(scene: Scene) -> None:
    """Stars and a number that fills the frame."""
    body, u, p = scene.zones.body, scene.u, scene.palette
    _edge_stripes(scene)
    if scene.facts.rating is None:
        tapes(
            scene, scene.on_screen, body.inset(0, body.h * 0.14), delay=2, largest=190, middle=True
        )
        return
    size = 118.0 if body.w > 700 * u else 92.0
    width = (5 * size + 4 * size * 0.16) * u
    figure = scene.fit(
        f"{scene.facts.rating:.1f}", scene.style.display, Box(0, 0, body.w, body.h * 0.42), 470, 120
    )
    line = scene.fit(proof_line(scene), scene.style.label, Box(0, 0, body.w, body.h * 0.26), 76, 26)
    ink = figure.ink
    y = body.y + (body.h - ink.h - size * u - line.height - 110 * u) / 2
    scene.text(figure, body.x, y - ink.y, p.ink, kind="slam", reach=1.7)
    y += ink.h + 50 * u
    gold = readable(p.accent, p.paper, 1.8)
    scene.texts.append(stars(scene, body.cx - width / 2, y, size, gold, p.ink, 6))
    y += size * u + 60 * u
    scene.text(line, body.x, y, p.ink, delay=14, kind="rise", reach=60 * u, on=p.paper_low)


def offer(scene: Scene) -> None:
    """The price on a burst; what it was, struck through, above."""
    facts, u, p = scene.facts, scene.u, scene.palette
    if facts.price is None:
        benefit(scene)
        return
    if scene.pictured and scene.zones.wide:
        _beside_picture(scene)
    body = scene.zones.body
    _edge_stripes(scene)
    head = scene.fit(
        scene.on_screen, scene.style.display, Box(0, 0, body.w, body.h * 0.24), 150, 40
    )
    top = scene.text(head, body.x, body.y + 10 * u, p.ink, kind="slam", reach=1.5)
    low = body.bottom
    room = Box(body.x, top.bottom + 40 * u, body.w, low - top.bottom - 40 * u)
    radius = min(room.w, room.h) / 2
    knock = Move("pop", 16, 6, 0.2, easing.overshoot)
    shape = star(0, 0, radius, radius * 0.86, 18)
    scene.shape(
        shape.moved(10 * u, 12 * u),
        room.cx,
        room.cy,
        "#111111",
        layer=3,
        enter=knock,
        drift=Drift(spin=7),
    )
    scene.shape(shape, room.cx, room.cy, p.accent, layer=4, enter=knock)
    inner = Box(room.cx - radius * 0.66, room.cy - radius * 0.5, radius * 1.32, radius)
    ink = readable(ink_on(p.accent), p.accent)
    price = scene.fit(facts.price, scene.style.display, Box(0, 0, inner.w, inner.h * 0.7), 330, 40)
    y = centred_block(price, inner)
    if facts.old_price:
        old = scene.fit(facts.old_price, scene.style.body, Box(0, 0, inner.w * 0.7, 84 * u), 76, 24)
        y = centred_block(price, inner.moved(0, 44 * u))
        above = y + price.ink.y - old.height - 34 * u
        box = scene.text(
            old, room.cx - inner.w * 0.35, above, ink, delay=10, kind="pop", reach=0.6, on=p.accent
        )
        scene.strike(box, ink, delay=20, thick=8)
    scene.text(price, inner.x, y, ink, delay=12, kind="slam", reach=1.6, on=p.accent)


def cta(scene: Scene) -> None:
    """The end card: sticker, name, price tag, a button that beats."""
    facts, u, p = scene.facts, scene.u, scene.palette
    hero, text = scene.zones.split(0.47, gap=16)
    scene.hero = HeroUse(hero, zoom=(0.97, 1.0), sway=(2.4, -2.4), enter=12, rise=110 * u)
    _burst(scene, hero.cx, hero.cy, min(hero.w, hero.h) * 0.54)
    _edge_stripes(scene)
    tail = 150 * u + (66 * u if facts.url else 0) + (94 * u if facts.price else 0)
    room = Box(text.x, text.y, text.w, max(90 * u, text.h - tail - 30 * u))
    if scene.zones.wide:
        room = Box(text.x, text.y + text.h * 0.08, text.w, text.h * 0.84 - tail - 30 * u)
    used = poster(scene, facts.name, room, p.ink, largest=190, on=p.paper)
    y = min(used.bottom + 40 * u, text.bottom - tail)
    if facts.price:
        block = scene.fit(facts.price, scene.style.label, Box(0, 0, text.w * 0.5, 70 * u), 64, 24)
        _price_row(scene, block, text, y)
        y += 94 * u
    fill = p.accent if contrast(p.accent, p.paper_low) > 1.5 else p.ink
    button(
        scene, facts.cta.upper(), scene.style.label, (text.cx, y + 70 * u), min(text.w, 840 * u),
        fill=fill, ink=readable(ink_on(fill), fill), height=140, delay=8, radius=26, largest=60,
    )  # fmt: skip
    y += 150 * u
    if facts.url:
        url = scene.fit(facts.url, scene.style.body, Box(0, 0, text.w, 44 * u), 40, 18)
        scene.text(
            url, text.x, y + 18 * u, p.ink, delay=14, kind="rise", reach=30 * u, on=p.paper_low
        )


def _price_row(scene: Scene, now: TextBlock, text: Box, y: float) -> None:
    facts, u, p = scene.facts, scene.u, scene.palette
    if not facts.old_price:
        scene.text(
            now, text.cx - now.width / 2, y, p.ink, delay=6, kind="pop", reach=0.6, on=p.paper_low
        )
        return
    was = scene.fit(facts.old_price, scene.style.body, Box(0, 0, text.w * 0.4, 56 * u), 46, 20)
    gap = 30 * u
    # Lines are centred in their block: each block's room here is that of its widest.
    now_w, was_w = (max(line.width for line in block.lines) for block in (now, was))
    left = text.cx - (now_w + gap + was_w) / 2
    x = left + now_w / 2 - now.width / 2
    scene.text(now, x, y, p.ink, delay=6, kind="pop", reach=0.6, on=p.paper_low)
    x = left + now_w + gap + was_w / 2 - was.width / 2
    lift = now.ink.cy - was.ink.cy
    box = scene.text(was, x, y + lift, p.ink, delay=6, kind="pop", reach=0.6, on=p.paper_low)
    scene.strike(box, p.ink, delay=18, thick=6)


def _list(scene: Scene) -> None:
    """A headline and up to three benefits, each stamped with a star."""
    body, u, p = scene.zones.body, scene.u, scene.palette
    items = scene.facts.benefits[:3]
    head = scene.fit(scene.on_screen, scene.style.display, Box(0, 0, body.w, body.h * 0.3), 150, 40)
    top = scene.text(head, body.x, body.y + 20 * u, p.ink, kind="slam", reach=1.5)
    room = (body.bottom - top.bottom - 50 * u) / len(items)
    y = top.bottom + 50 * u
    for i, item in enumerate(items):
        box = Box(body.x, y, body.w, min(room - 22 * u, 210 * u))
        side = -1 if i % 2 == 0 else 1
        enter = Move("fly", 12, 6 + i * 6, side * scene.zones.width, _SLAM)
        plate = rect(-box.w / 2, -box.h / 2, box.w, box.h)
        scene.shape(plate, box.cx, box.cy, p.ink, layer=4, enter=enter)
        inner = Box(0, 0, box.w - 190 * u, box.h - 44 * u)
        block = scene.fit(item, scene.style.label, inner, 58, 22)
        left = -box.w / 2 + 150 * u
        letters = Path(
            tuple(
                s
                for n in range(len(block.lines))
                for s in block.lines[n]
                .path.moved(
                    0 if not block.rtl else inner.w - block.lines[n].width,
                    block.first_baseline + n * block.leading,
                )
                .segments
            )
        )
        letters = letters.moved(left, -block.ink.cy)
        scene.shape(letters, box.cx, box.cy, readable(p.paper, p.ink), layer=5, enter=enter)
        mark = Move("pop", 12, 14 + i * 6, 0.2, easing.overshoot)
        scene.shape(
            star(0, 0, 46 * u, 24 * u, 8),
            box.x + 78 * u,
            box.cy,
            p.accent if contrast(p.accent, p.ink) > 2 else p.paper,
            layer=5,
            enter=mark,
            drift=Drift(spin=20),
        )
        scene.texts.append(box)
        y += box.h + 22 * u


def _burst(
    scene: Scene,
    x: float,
    y: float,
    radius: float,
    *,
    color: str | None = None,
    opacity: float = 1.0,
) -> None:
    """A many-pointed star that turns slowly behind everything."""
    p = scene.palette
    # Type may cross it: a burst that the ink could not be read on stays a tone of the paper;
    # so does one behind a monogram, which has teeth of its own.
    shade = p.paper_low
    if color and (scene.pictured if scene.hero else contrast(color, p.ink) > 3):
        shade = color
    enter = Move("pop", 14, 0, 0.4, _SLAM)
    shape = star(0, 0, radius, radius * 0.84, 24)
    # 15 degrees a second: after one second a burst of 24 points stands as it began.
    # The end card's stands, as the card does (and each angle is a picture that libass keeps).
    spin = Drift() if scene.last else Drift(spin=15)
    scene.shape(
        shape, x, y, shade, layer=1, opacity=opacity, enter=enter, drift=spin, symmetry=24
    )  # fmt: skip


def _edge_stripes(scene: Scene) -> None:
    """A running band of slanted stripes along the frame's foot."""
    z, u = scene.zones, scene.u
    pitch, h = 84 * u, 58 * u
    band = stripes(-pitch * 8, 0, z.width + pitch * 16, h, pitch, h * 0.8)
    y = z.height - h - 70 * u if z.tall else z.height - h * 0.4
    way = Drift(dx=(64 if scene.index % 2 else -64) * u)
    scene.shape(band, 0, y, scene.palette.ink, layer=2, drift=way)
