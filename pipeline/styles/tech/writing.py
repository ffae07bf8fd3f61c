"""How tech's texts arrive: typed key by key with a cursor, or slid in at once."""

from __future__ import annotations

from dataclasses import replace

from pipeline.media.colors import mix
from pipeline.media.elements import Move
from pipeline.media.paths import Box
from pipeline.media.shapes import rect
from pipeline.media.text import TextBlock
from pipeline.styles.column import Words
from pipeline.styles.letters import spelt
from pipeline.styles.scene import Scene


def typed(
    scene: Scene, text: str, largest: float, *, gap: float = 0, delay: int = 0,
    on: str | None = None,
) -> Words:  # fmt: skip
    write = key_in if on is None else _type_on_glass
    return Words(text, scene.style.display, write, scene.palette.ink, largest, 30, 1.0, gap, delay)


def line_of(scene: Scene, text: str, *, gap: float = 0, delay: int = 0) -> Words:
    return Words(text, scene.style.body, quick, scene.palette.muted, 48, 20, 0.5, gap, delay)


def key_in(scene: Scene, block: TextBlock, x: float, y: float, color: str, delay: int) -> Box:
    return _keys(scene, block, x, y, color, delay, None)


def _type_on_glass(
    scene: Scene, block: TextBlock, x: float, y: float, color: str, delay: int
) -> Box:
    return _keys(scene, block, x, y, color, delay, glass(scene))


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


def quick(scene: Scene, block: TextBlock, x: float, y: float, color: str, delay: int) -> Box:
    return scene.text(block, x, y, color, delay=delay, kind="slide", reach=-40 * scene.u)


def struck(scene: Scene, block: TextBlock, x: float, y: float, color: str, delay: int) -> Box:
    covered = scene.text(
        block, x, y, color, delay=delay, kind="slide", reach=-40 * scene.u, on=glass(scene)
    )
    scene.strike(covered, scene.palette.accent, delay=delay + 8, thick=5)
    return covered


def glass(scene: Scene) -> str:
    return mix(scene.palette.paper, scene.palette.accent, 0.10)
