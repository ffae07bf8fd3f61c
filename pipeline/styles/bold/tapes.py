"""Tapes: each line of a text on a strip of its own that shoots in from alternating sides."""

from __future__ import annotations

from pipeline.media import easing
from pipeline.media.colors import contrast, readable
from pipeline.media.elements import Drift, Move
from pipeline.media.paths import Box
from pipeline.media.shapes import polygon
from pipeline.media.text import TextBlock
from pipeline.styles.scene import Scene

_SLAM = easing.ease_out_expo


def tapes(
    scene: Scene, text: str, box: Box, *, delay: int, largest: float, middle: bool = False
) -> Box:
    """Each line on a strip of its own that shoots in from alternating sides."""
    u, p = scene.u, scene.palette
    pad_x, pad_y, gap = 34 * u, 26 * u, 16 * u
    style = scene.style.display
    # A strip needs more height than its line: the block is fitted to what is left for letters.
    share = 1 / 1.42
    block = scene.fit(text, style, Box(0, 0, box.w - 2 * pad_x, box.h * share), largest, 34)
    cap = block.first_baseline
    strips = [_strip_height(scene, block, i, pad_y) for i in range(len(block.lines))]
    total = sum(strips) + gap * (len(strips) - 1)
    y = box.y + max(0.0, (box.h - total) / 2) if middle else box.y
    plates = [(p.ink, p.paper), (p.accent, p.on_accent)]
    covered: Box | None = None
    for i, (line, height) in enumerate(zip(block.lines, strips, strict=True)):
        fill, ink = plates[i % 2] if contrast(p.accent, p.paper) > 1.4 else plates[0]
        w = line.width + 2 * pad_x
        side = -1 if i % 2 == 0 else 1
        enter = Move(
            "fly", 12, delay + i * scene.style.pace.stagger, side * scene.zones.width, _SLAM
        )
        drift = Drift(dx=-side * scene.style.pace.drift * u)
        lean = 10 * u
        plate = polygon(
            [
                (-w / 2 + lean, -height / 2),
                (w / 2 + lean, -height / 2),
                (w / 2 - lean, height / 2),
                (-w / 2 - lean, height / 2),
            ]
        )
        bounds = line.path.bounds()
        top = -cap if bounds.y > -cap else bounds.y
        letters = line.path.moved(-line.width / 2, -(top + max(0.0, bounds.bottom)) / 2)
        scene.shape(plate, box.cx, y + height / 2, fill, layer=5, enter=enter, drift=drift)
        scene.shape(
            letters, box.cx, y + height / 2, readable(ink, fill), layer=6, enter=enter, drift=drift
        )
        strip = Box(box.cx - w / 2, y, w, height)
        covered = covered.union(strip) if covered else strip
        y += height + gap
    assert covered is not None
    scene.texts.append(covered)
    return covered


def _strip_height(scene: Scene, block: TextBlock, i: int, pad: float) -> float:
    bounds = block.lines[i].path.bounds()
    cap = block.size * 0.73
    return max(cap, -bounds.y) + max(0.0, bounds.bottom) + 2 * min(pad, block.size * 0.22)
