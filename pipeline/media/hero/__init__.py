"""The hero: the product's picture as a style treats it, or a monogram where there is none.

Each treatment is a module with `framed(art, image)` and `monogram(art)`; both return
straight-alpha RGBA with a margin for its shadow and its motion.
"""

from __future__ import annotations

import numpy as np
from PIL import Image

from pipeline.media.hero import blob, card, holo, plinth, sticker
from pipeline.media.hero.closeup import close_up
from pipeline.media.hero.parts import HeroArt
from pipeline.media.yuv import Floats

_TREATMENTS = {"card": card, "sticker": sticker, "plinth": plinth, "blob": blob, "holo": holo}


def draw(
    treatment: str, art: HeroArt, image: Image.Image | None, focus: float | None = None
) -> Floats:
    """Draw `image` (RGBA), or a monogram for None, by a treatment of `_TREATMENTS`.

    With `focus`, a close-up around that share of the picture's height.
    """
    module = _TREATMENTS[treatment]
    if image is None:
        sprite = module.monogram(art)
    elif focus is not None:
        sprite = close_up(treatment, art, image, focus)
    else:
        sprite = module.framed(art, image)
    return np.asarray(sprite, dtype=np.float32)
