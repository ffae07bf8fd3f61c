"""What playful draws besides plain text: bubbles, stars, prices, keys and pills."""

from __future__ import annotations

from dataclasses import replace

from pipeline.media import easing
from pipeline.media.colors import contrast, ink_on, mix, readable
from pipeline.media.elements import Move
from pipeline.media.paths import Box, joined
from pipeline.media.shapes import circle, five_stars, polygon, rounded, scalloped, star
from pipeline.media.text import TextStyle
from pipeline.styles.parts import button, prices
from pipeline.styles.playful.writing import headline
from pipeline.styles.scene import Scene

_HOP = easing.overshoot


def bubble(scene: Scene, box: Box, toward: tuple[float, float]) -> None:
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


def star_row(scene: Scene, box: Box, delay: int) -> None:
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


def price_row(scene: Scene, box: Box, delay: int) -> None:
    p, style = scene.palette, scene.style
    prices(
        scene, box, (style.display, style.body), (p.ink, p.muted, p.accent), delay,
        centered=True, kind="pop",
    )  # fmt: skip


def button_box(scene: Scene, box: Box, delay: int) -> None:
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


def pills(scene: Scene, room: Box) -> None:
    """A headline and a pill for each benefit, pushed in from alternating sides."""
    u, p = scene.u, scene.palette
    items = scene.facts.benefits[:3]
    head_h = room.h * (0.26 if scene.hero is None else 0.2)
    headline(scene, Box(room.x, room.y, room.w, head_h), scene.on_screen, 112, delay=2)
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
