"""A child process: the posters of all cuts on one sheet, each above its name.

JSON on stdin, `{"posters": {name: path}}`; writes contact-sheet.jpg into the working folder.
"""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from pipeline.media.fonts import font_file

_HEIGHT, _GAP, _LABEL = 480, 28, 44
_PAPER, _INK = "#f4f3f0", "#22201d"


def main() -> None:
    posters = json.load(sys.stdin)["posters"]
    cells = []
    for name, path in posters.items():
        with Image.open(path, formats=["JPEG"]) as image:
            width = round(image.width * _HEIGHT / image.height)
            cells.append((name, image.convert("RGB").resize((width, _HEIGHT))))
    columns = min(len(cells), max(2, math.ceil(math.sqrt(len(cells) * 1.6))))
    rows = [cells[at : at + columns] for at in range(0, len(cells), columns)]
    width = max(sum(cell.width + _GAP for _, cell in row) for row in rows) + _GAP
    height = len(rows) * (_HEIGHT + _LABEL + _GAP) + _GAP
    sheet = Image.new("RGB", (width, height), _PAPER)
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


if __name__ == "__main__":
    main()
