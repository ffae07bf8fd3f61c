"""A child process: makes a small JPEG of a picture, to be sent along with a request.

Reads {"image", "side", "max_bytes"} from stdin, writes hero.jpg into the working folder, and
prints {} or {"invalid": {"field", "reason"}}.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from errors import InvalidInput
from pipeline.media.images import load_image

_QUALITIES = (90, 80, 70, 55, 40)


def main() -> None:
    order = json.load(sys.stdin)
    try:
        shrink(Path(order["image"]), Path("hero.jpg"), order["side"], order["max_bytes"])
        answer: dict[str, dict[str, str]] = {}
    except InvalidInput as error:
        answer = {"invalid": {"field": error.field, "reason": error.reason}}
    sys.stdout.write(json.dumps(answer))


def shrink(source: Path, target: Path, side: int, max_bytes: int) -> None:
    """Write `source` on white as a JPEG of at most `side` and `max_bytes`."""
    from PIL import Image

    picture = load_image(source)
    flat = Image.new("RGB", picture.size, "white")
    flat.paste(picture, mask=picture.getchannel("A"))
    while True:
        flat.thumbnail((side, side))
        for quality in _QUALITIES:
            flat.save(target, "JPEG", quality=quality)
            if target.stat().st_size <= max_bytes:
                return
        side = side * 3 // 4


if __name__ == "__main__":
    main()
