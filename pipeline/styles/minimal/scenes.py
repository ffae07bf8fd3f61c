"""The scenes of the minimal family: left-aligned type, hairlines, one quiet figure each."""

from __future__ import annotations

from dataclasses import replace

from pipeline.media import easing
from pipeline.media.elements import Drift, Move
from pipeline.media.paths import Box
from pipeline.media.shapes import circle, rect, ring, rounded, tick
from pipeline.media.text import TextBlock
from pipeline.styles.parts import button, centred_block, proof_line, slow, stars
from pipeline.styles.scene import HeroUse, Scene


def hook(scene: Scene) -> None:
    """A name in small type, a short bar, and the promise as large as the frame allows."""
    if scene.pictured and scene.zones.wide:
        _beside_picture(scene)
    body, u = scene.zones.body, scene.u
    _orbit(scene)
    label = scene.fit(scene.facts.name, scene.style.label, Box(0, 0, body.w * 0.8, 44 * u), 34, 24)
    head = scene.fit(
        scene.on_screen, scene.style.display, Box(0, 0, body.w, body.h * 0.74), 184, 46
    )
    total = label.height + 96 * u + head.height
    y = body.y + (body.h - total) * 0.46
    _bar(scene, body, y, head.rtl)
    scene.text(
        label, body.x + (0 if label.rtl else 96 * u) - (96 * u if label.rtl else 0)
        + (body.w - label.width if label.rtl else 0),
        y, scene.palette.muted, delay=6, kind="slide", reach=30 * u,
    )  # fmt: skip
    y += label.height + 72 * u
    scene.text(head, body.x, y, scene.palette.ink, delay=4, drift=slow(scene))


def product(scene: Scene) -> None:
    """The product at rest, its name below."""
    u = scene.u
    hero, text = scene.zones.split(0.68)
    scene.hero = HeroUse(hero, zoom=(0.93, 1.0), enter=24, rise=70 * u)
    name = scene.fit(
        scene.facts.name, scene.style.display, Box(0, 0, text.w, text.h * 0.62), 104, 34
    )
    same = scene.on_screen.casefold() == scene.facts.name.casefold()
    line = None
    if not same:
        room = Box(0, 0, text.w, max(40 * u, text.h - name.height - 44 * u))
        line = scene.fit(scene.on_screen, scene.style.body, room, 46, 22)
    total = name.height + (line.height + 40 * u if line else 0)
    y = text.y + ((text.h - total) * 0.5 if scene.zones.wide else min(16 * u, text.h - total))
    scene.text(name, text.x, y, scene.palette.ink, delay=8)
    if line is not None:
        y += name.height + 40 * u
        scene.text(line, text.x, y, scene.palette.muted, delay=14, kind="rise", reach=30 * u)


def benefit(scene: Scene) -> None:
    """One benefit: three ways to show it, so that two in a row differ."""
    if scene.more_to_show or (scene.pictured and scene.zones.wide):
        _beside_picture(scene)
    if scene.visual == "list" and len(scene.facts.benefits) >= 2:
        _list(scene)
    elif scene.index % 2 and scene.hero is None:
        _card(scene)
    else:
        _statement(scene)


def _beside_picture(scene: Scene) -> None:
    """Show the scene's own picture; what follows is composed in the rest of the body."""
    hero, text = scene.zones.split(0.50)
    scene.hero = HeroUse(hero, zoom=(0.94, 1.0), enter=22, rise=50 * scene.u)
    scene.zones = replace(scene.zones, body=text)


def proof(scene: Scene) -> None:
    """The rating, large, with its stars; a quotation mark where there is no rating."""
    body, u, p = scene.zones.body, scene.u, scene.palette
    figure = f"{scene.facts.rating:.1f}" if scene.facts.rating is not None else "“"
    huge = replace(scene.style.display, tracking=-0.05)
    line = scene.fit(
        proof_line(scene), scene.style.display, Box(0, 0, body.w, body.h * 0.36), 84, 32
    )
    huge = replace(huge, align="right" if line.rtl else "left")
    number = scene.fit(figure, huge, Box(0, 0, body.w, body.h * 0.34), 340, 120)
    row = 66 * u if scene.facts.rating is not None else 0.0
    ink = number.ink
    total = ink.h + row + line.height + 110 * u
    y = body.y + (body.h - total) * 0.42
    scene.text(number, body.x, y - ink.y, p.accent, kind="mask", drift=slow(scene, 1.4))
    y += ink.h + 52 * u
    if row:
        x = body.right - (5 * 66 + 4 * 66 * 0.16) * u if line.rtl else body.x
        scene.texts.append(stars(scene, x, y, 66, p.accent, p.ink, 8))
        y += row + 58 * u
    scene.text(line, body.x, y, p.ink, delay=12, drift=slow(scene))


def offer(scene: Scene) -> None:
    """The price as the figure; what it was, struck through, above it."""
    if scene.pictured and scene.facts.price is not None:
        _beside_picture(scene)
    facts, body, u, p = scene.facts, scene.zones.body, scene.u, scene.palette
    if facts.price is None:
        _statement(scene)
        return
    label = scene.fit(scene.on_screen, scene.style.label, Box(0, 0, body.w, body.h * 0.26), 60, 28)
    side = "right" if label.rtl else "left"
    huge = replace(scene.style.display, tracking=-0.05, align=side)
    price = scene.fit(facts.price, huge, Box(0, 0, body.w, body.h * 0.34), 300, 60)
    old = None
    if facts.old_price:
        plain = replace(scene.style.body, align=side)
        old = scene.fit(facts.old_price, plain, Box(0, 0, body.w, 110 * u), 84, 30)
    total = label.height + price.height + (old.height + 56 * u if old else 0) + 60 * u
    y = body.y + (body.h - total) * 0.44
    scene.text(label, body.x, y, p.ink, drift=slow(scene))
    y += label.height + 60 * u
    if old is not None:
        box = scene.text(old, body.x, y, p.muted, delay=6, kind="rise", reach=24 * u)
        scene.strike(box, p.accent, delay=20, thick=7)
        y += old.height + 56 * u
    scene.text(price, body.x, y, p.accent, delay=14, drift=slow(scene, 1.4))


def cta(scene: Scene) -> None:
    """The end card: product, name, price, button, address."""
    facts, u, p = scene.facts, scene.u, scene.palette
    hero, text = scene.zones.split(0.50)
    scene.hero = HeroUse(hero, zoom=(0.95, 1.0), enter=20, rise=50 * u)
    center = replace(scene.style.display, align="left" if scene.zones.wide else "center")
    plain = replace(scene.style.body, align=center.align)
    has_price, has_url = facts.price is not None, facts.url is not None
    spare = 132 * u + (86 * u if has_price else 0) + (74 * u if has_url else 0) + 44 * u
    name = scene.fit(facts.name, center, Box(0, 0, text.w, max(60 * u, text.h - spare)), 92, 24)
    total = name.height + spare
    y = text.y + max(0.0, (text.h - total) * (0.5 if scene.zones.wide else 0.3))
    scene.text(name, text.x, y, p.ink, delay=4)
    y += name.height + 44 * u
    if facts.price is not None:
        _prices(scene, text, y, center.align)
        y += 86 * u
    bw = min(text.w, 760 * u)
    wide = scene.zones.wide
    button(
        scene, facts.cta, scene.style.label, (text.x if wide else text.cx, y + 66 * u), bw,
        fill=p.accent, ink=p.on_accent, height=126, delay=14, from_left=wide,
    )  # fmt: skip
    y += 132 * u
    if facts.url is not None:
        url = scene.fit(facts.url, plain, Box(0, 0, text.w, 44 * u), 36, 18)
        scene.text(url, text.x, y + 30 * u, p.muted, delay=22, kind="fade")


def _prices(scene: Scene, text: Box, y: float, align: str) -> None:
    facts, u, p = scene.facts, scene.u, scene.palette
    assert facts.price is not None
    now = scene.fit(facts.price, scene.style.label, Box(0, 0, text.w * 0.55, 60 * u), 56, 24)
    was = None
    if facts.old_price:
        was = scene.fit(facts.old_price, scene.style.body, Box(0, 0, text.w * 0.4, 52 * u), 42, 20)
    gap = 28 * u
    width = now.lines[0].width + (was.lines[0].width + gap if was else 0)
    x = text.x if align == "left" else text.cx - width / 2
    rise = 20 * u
    scene.text(_tight(now), x, y, p.ink, delay=10, kind="rise", reach=rise)
    if was is not None:
        lift = (now.height - was.height) / 2
        x += now.lines[0].width + gap
        box = scene.text(_tight(was), x, y + lift, p.muted, delay=10, kind="rise", reach=rise)
        scene.strike(box, p.accent, delay=24, thick=5)


def _tight(block: TextBlock) -> TextBlock:
    """The block with its lines at its left edge, whatever its alignment."""
    return replace(block, offsets=tuple(0.0 for _ in block.offsets))


def _statement(scene: Scene) -> None:
    body, u = scene.zones.body, scene.u
    head = scene.fit(scene.on_screen, scene.style.display, Box(0, 0, body.w, body.h * 0.7), 156, 44)
    y = body.y + (body.h - head.height - 70 * u) * 0.44
    _orbit(scene)
    _bar(scene, body, y, head.rtl)
    scene.text(head, body.x, y + 70 * u, scene.palette.ink, delay=4, drift=slow(scene))


def _card(scene: Scene) -> None:
    """A white card with a tick, tall enough for its text."""
    body, u, p = scene.zones.body, scene.u, scene.palette
    pad = 72 * u
    room = Box(0, 0, body.w - 2 * pad, body.h - 2 * pad - 190 * u)
    head = scene.fit(scene.on_screen, scene.style.display, room, 100, 36)
    height = max(head.height + 2 * pad + 190 * u, min(body.h, 640 * u))
    top = body.y + (body.h - height) * 0.45
    card = rounded(-body.w / 2, -height / 2, body.w, height, scene.style.radius * u)
    enter = Move("rise", 22, 0, 90 * u, easing.ease_out_expo)
    for grow, opacity in ((26, 0.025), (16, 0.03), (8, 0.035)):  # a soft shadow in three steps
        g = grow * u
        halo = rounded(
            -body.w / 2 - g, -height / 2 - g * 0.4, body.w + 2 * g, height + 2.2 * g, 60 * u
        )
        scene.shape(halo, body.cx, top + height / 2, p.ink, layer=2, opacity=opacity, enter=enter)
    scene.shape(card, body.cx, top + height / 2, "#ffffff", layer=3, enter=enter)
    x = body.right - pad - 112 * u if head.rtl else body.x + pad
    pop = Move("pop", 16, 8, 0.3, easing.overshoot)
    dot = circle(0, 0, 56 * u)
    scene.shape(dot, x + 56 * u, top + pad + 56 * u, p.accent, layer=5, enter=pop)
    mark = Move("wipe", 12, 16, 0, easing.ease_in_out)
    scene.shape(
        tick(0, 0, 58 * u, 13 * u), x + 27 * u, top + pad + 27 * u, p.on_accent, layer=6, enter=mark
    )
    y = top + height - pad - head.height
    scene.text(head, body.x + pad, y, p.ink, delay=8, on="#ffffff")


def _list(scene: Scene) -> None:
    """Up to three benefits under a headline, ticked off one after the other."""
    body, u, p = scene.zones.body, scene.u, scene.palette
    items = scene.facts.benefits[:3]
    head = scene.fit(scene.on_screen, scene.style.display, Box(0, 0, body.w, body.h * 0.3), 112, 36)
    room = (body.h - head.height - 90 * u) / len(items)
    blocks = [
        scene.fit(
            item,
            scene.style.label,
            Box(0, 0, body.w - 116 * u, min(room - 50 * u, 190 * u)),
            54,
            22,
        )
        for item in items
    ]
    rows = [max(block.height, 64 * u) + 62 * u for block in blocks]
    y = body.y + (body.h - head.height - 90 * u - sum(rows)) * 0.4
    scene.text(head, body.x, y, p.ink)
    y += head.height + 90 * u
    for i, (block, height) in enumerate(zip(blocks, rows, strict=True)):
        delay = 10 + i * 9
        line = Move("grow_x", 24, delay, 0, easing.ease_out_expo)
        scene.shape(
            rect(0, 0, body.w, 2 * u), body.x, y - 32 * u, p.ink, layer=3, opacity=0.16, enter=line
        )
        cy = y + (height - 62 * u) / 2
        x = body.right - 64 * u if block.rtl else body.x
        pop = Move("pop", 14, delay + 3, 0.3, easing.overshoot)
        scene.shape(circle(0, 0, 32 * u), x + 32 * u, cy, p.accent, layer=4, enter=pop)
        mark = Move("wipe", 10, delay + 8, 0, easing.ease_in_out)
        scene.shape(
            tick(0, 0, 34 * u, 8 * u), x + 15 * u, cy - 17 * u, p.on_accent, layer=5, enter=mark
        )
        left = body.x if block.rtl else body.x + 104 * u
        scene.text(
            block,
            left,
            centred_block(block, Box(0, cy, 0, 0)),
            p.ink,
            delay=delay + 2,
            kind="rise",
            reach=26 * u,
        )
        y += height


def _bar(scene: Scene, body: Box, y: float, rtl: bool) -> None:
    u = scene.u
    w = 64 * u
    x = body.right - w if rtl else body.x
    enter = Move("grow_x", 18, 0, 0, easing.ease_out_expo)
    scene.shape(rect(0, -4 * u, w, 8 * u), x, y + 16 * u, scene.palette.accent, enter=enter)


def _orbit(scene: Scene) -> None:
    """A large pale ring leaving the frame, with a small disc that travels along it."""
    z, u, p = scene.zones, scene.u, scene.palette
    if not z.tall:
        return
    right = scene.rng.random() < 0.5
    radius = 430 * u
    x = z.width * (0.98 if right else 0.02)
    # Below the captions: its top stays under their zone.
    y = z.height * scene.rng.choice([1.0, 1.04])
    fade = Move("fade", 20, 0)
    way = Drift(dy=-10 * u)
    scene.shape(
        ring(0, 0, radius, 3 * u), x, y, p.accent, layer=1, opacity=0.5, enter=fade, drift=way
    )
    dot = circle(radius - 1.5 * u, 0, 20 * u)
    start = 205.0 if right else -25.0
    turn = replace(way, spin=14 if right else -14)
    scene.shape(dot, x, y, p.accent, layer=1, angle=start, enter=fade, drift=turn)
