"""Draws the sample pictures anew.

.venv/bin/python -m examples.products.drawing [--out examples/products]
"""

from __future__ import annotations

import argparse
from pathlib import Path

from examples.products.drawing import headphones, mug, serum

_FOLDER = Path(__file__).resolve().parents[1]
_SIDE = 1000


def main() -> None:
    """Write every picture into one folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=_FOLDER)
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    mug.draw().save(out / "ember-mug.png", optimize=True)
    cut_outs = {
        "halo-headphones.png": headphones.front(),
        "halo-headphones-cup.png": headphones.cup(),
        "lumen-serum.png": serum.draw(),
        "lumen-logo.png": serum.logo(),
    }
    for name, picture in cut_outs.items():
        picture.thumbnail((_SIDE, _SIDE))
        picture.save(out / name, optimize=True)
    headphones.photograph().save(out / "halo-headphones-desk.jpg", quality=88, optimize=True)


if __name__ == "__main__":
    main()
