"""How playful's texts arrive: letters that hop, lines that pop."""

from __future__ import annotations

from pipeline.media import easing
from pipeline.media.colors import readable
from pipeline.media.elements import Move
from pipeline.media.paths import Box
from pipeline.media.text import TextBlock
from pipeline.styles.column import Words
from pipeline.styles.letters import spelt
from pipeline.styles.parts import centred_block
from pipeline.styles.scene import Scene

_HOP = easing.overshoot


def headline(
    scene: Scene, box: Box, text: str, largest: float, *, on: str | None = None, delay: int = 0
) -> None:
    block = scene.fit(text, scene.style.display, box, largest, 30)
    y = centred_block(block, box)
    ink = readable(scene.palette.ink, on or scene.palette.paper, 4.5)
    _spell(scene, block, box.x, y, ink, delay, on)


def hopping(scene: Scene, text: str, largest: float, *, gap: float = 0, delay: int = 0) -> Words:
    style = scene.style.display
    return Words(text, style, hop, scene.palette.ink, largest, 32, 1.0, gap, delay)


def line_of(scene: Scene, text: str, largest: float, *, gap: float = 0, delay: int = 0) -> Words:
    return Words(text, scene.style.body, risen, scene.palette.muted, largest, 20, 0.5, gap, delay)


def hop(scene: Scene, block: TextBlock, x: float, y: float, color: str, delay: int) -> Box:
    return _spell(scene, block, x, y, color, delay, None)


def hop_on_accent(
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


def risen(scene: Scene, block: TextBlock, x: float, y: float, color: str, delay: int) -> Box:
    return scene.text(block, x, y, color, delay=delay, kind="pop", reach=0.6)


def struck(scene: Scene, block: TextBlock, x: float, y: float, color: str, delay: int) -> Box:
    on = scene.palette.accent
    covered = scene.text(block, x, y, color, delay=delay, kind="pop", reach=0.6, on=on)
    scene.strike(covered, color, delay=delay + 10, thick=6)
    return covered
