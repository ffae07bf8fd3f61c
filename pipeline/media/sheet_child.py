"""A child process: the cuts of a job on one sheet, a strip of moments for each, with its name.

JSON on stdin, `{"strips": {name: [path, ...]}}`, JPEGs all; writes contact-sheet.jpg into the
working folder.
"""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from pipeline.media.fonts import font_file

_HEIGHT, _GAP, _BETWEEN, _LABEL = 360, 32, 6, 44
_PAPER, _INK = "#f4f3f0", "#22201d"
#: A sheet is about this much wider than high.
_SHAPE = 1.5


def main() -> None:
    strips = json.load(sys.stdin)["strips"]
    cells = [(name, _strip([_opened(path) for path in paths])) for name, paths in strips.items()]
    widest = max(cell.width for _, cell in cells)
    columns = math.ceil(math.sqrt(len(cells) * _SHAPE * (_HEIGHT + _LABEL) / widest))
    rows = [cells[at : at + columns] for at in range(0, len(cells), columns)]
    width = max(sum(cell.width + _GAP for _, cell in row) for row in rows) + _GAP
    sheet = Image.new("RGB", (width, len(rows) * (_HEIGHT + _LABEL + _GAP) + _GAP), _PAPER)
    pen = ImageDraw.Draw(sheet)
    font = ImageFont.truetype(str(font_file("Inter")), 22)
    y = _GAP
    for row in rows:
        x = _GAP
        for name, cell in row:
            sheet.paste(cell, (x, y))
            pen.text((x, y + _HEIGHT + 10), name, fill=_INK, font=font)
            x += cell.width + _GAP
        y += _HEIGHT + _LABEL + _GAP
    sheet.save(Path.cwd() / "contact-sheet.jpg", quality=88)


def _opened(path: str) -> Image.Image:
    with Image.open(path, formats=["JPEG"]) as image:
        width = round(image.width * _HEIGHT / image.height)
        return image.convert("RGB").resize((width, _HEIGHT), Image.Resampling.LANCZOS)


def _strip(stills: list[Image.Image]) -> Image.Image:
    width = sum(still.width + _BETWEEN for still in stills) - _BETWEEN
    strip = Image.new("RGB", (width, _HEIGHT), _PAPER)
    x = 0
    for still in stills:
        strip.paste(still, (x, 0))
        x += still.width + _BETWEEN
    return strip


if __name__ == "__main__":
    main()
