"""Text that arrives letter by letter: each piece of a line's outline is an element of its own."""

from __future__ import annotations

from collections.abc import Callable

from pipeline.media.colors import readable
from pipeline.media.elements import Drift, Move
from pipeline.media.paths import Box, Path, clumps
from pipeline.media.text import TextBlock
from pipeline.styles.scene import Scene

#: The entrance of the n-th piece of how many.
Entrance = Callable[[int, int], Move]


def spelt(
    scene: Scene,
    block: TextBlock,
    at: tuple[float, float],
    color: str,
    entrance: Entrance,
    *,
    gap: float = 0.0,
    on: str | None = None,
    drift: Drift | None = None,
    layer: int = 6,
) -> Box:
    """Add `block` with its top left at `at`; pieces are parted at `gap` em of free space."""
    x, y = at
    shown = readable(color, on or scene.palette.paper, 3.0)
    pieces = [
        piece
        for i in range(len(block.lines))
        for piece in _ordered(clumps(block.line_path(i), gap * block.size), rtl=block.rtl)
    ]
    for n, piece in enumerate(pieces):
        box = piece.bounds()
        scene.shape(
            piece.moved(-box.cx, -box.cy), x + box.cx, y + box.cy, shown,
            layer=layer, enter=entrance(n, len(pieces)), drift=drift,
        )  # fmt: skip
    covered = block.ink.moved(x, y)
    scene.texts.append(covered)
    return covered


def _ordered(pieces: list[Path], *, rtl: bool) -> list[Path]:
    return pieces[::-1] if rtl else pieces
