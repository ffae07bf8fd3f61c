"""A steel travel mug on a transparent ground.

Shaded column by column as a tapered cylinder lit from the left, at twice the size, then reduced.
"""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

SIZE = 1200
SCALE = 2
BODY = np.array([32, 62, 74])
STEEL = np.array([186, 192, 198])
LID = np.array([24, 26, 29])
BAND = np.array([226, 120, 72])

Array = np.ndarray


def shade(width: int, *, gloss: float) -> Array:
    """Light across a cylinder of `width` pixels: 1.0 is the colour itself."""
    x = np.linspace(-1, 1, width)
    normal = np.sqrt(np.clip(1 - x**2, 0, 1))
    diffuse = 0.30 + 0.72 * np.clip(0.78 * normal - 0.42 * x, 0, 1)
    streak = gloss * np.exp(-(((x + 0.46) / 0.075) ** 2))
    soft = 0.5 * gloss * np.exp(-(((x + 0.30) / 0.22) ** 2))
    rim = 0.35 * gloss * np.exp(-(((x - 0.93) / 0.045) ** 2))
    return diffuse + streak + soft + rim


def slab(
    canvas: Array, colour: Array, *, top: tuple[float, float], bottom: tuple[float, float],
    gloss: float = 0.5, bow: float = 0.085,
) -> None:  # fmt: skip
    """Paint a tapered cylinder between (y, half width) pairs; `bow` is the ellipse's flatness."""
    (y0, w0), (y1, w1) = top, bottom
    centre = SIZE * SCALE / 2
    height, width = canvas.shape[:2]
    ys, xs = np.mgrid[0:height, 0:width]
    offset = (xs - centre) / max(w0, w1)
    # The rim of a cylinder seen from slightly above curves downwards in the middle.
    lift = bow * max(w0, w1) * np.sqrt(np.clip(1 - offset**2, 0, 1))
    t = np.clip((ys - lift - y0) / (y1 - y0), 0, 1)
    half = w0 + (w1 - w0) * t
    inside = (np.abs(xs - centre) <= half) & (ys >= y0 + lift) & (ys <= y1 + lift)
    light = shade(2001, gloss=gloss)
    where = np.clip(((xs - centre) / half + 1) * 1000, 0, 2000).astype(int)
    grain = 1 + np.random.default_rng(7).normal(0, 0.006, (height, 1))
    painted = np.clip(colour * light[where][..., None] * grain[..., None], 0, 255)
    canvas[inside, :3] = painted[inside]
    canvas[inside, 3] = 255


def ellipse(canvas: Array, colour: Array, y: float, half: float, bow: float) -> None:
    """Paint a flat top: an ellipse lit evenly, a little brighter to the left."""
    centre = SIZE * SCALE / 2
    ys, xs = np.mgrid[0 : canvas.shape[0], 0 : canvas.shape[1]]
    inside = ((xs - centre) / half) ** 2 + ((ys - y) / (bow * half)) ** 2 <= 1
    light = 1.25 - 0.35 * (xs - centre + half) / (2 * half)
    painted = np.clip(colour * light[..., None], 0, 255)
    canvas[inside, :3] = painted[inside]
    canvas[inside, 3] = 255


def draw() -> Image.Image:
    """The picture, 1200 x 1200 RGBA."""
    side = SIZE * SCALE
    canvas = np.zeros((side, side, 4))
    u = side / 1200
    slab(canvas, BODY, top=(330 * u, 262 * u), bottom=(1040 * u, 196 * u), gloss=0.55)
    slab(canvas, STEEL, top=(1010 * u, 199 * u), bottom=(1062 * u, 194 * u), gloss=0.8)
    slab(canvas, BAND, top=(560 * u, 241 * u), bottom=(590 * u, 238 * u), gloss=0.35)
    slab(canvas, STEEL, top=(282 * u, 268 * u), bottom=(336 * u, 264 * u), gloss=0.9)
    slab(canvas, LID, top=(190 * u, 250 * u), bottom=(286 * u, 262 * u), gloss=0.5)
    ellipse(canvas, LID * 1.7, 190 * u, 250 * u, 0.085)
    ellipse(canvas, LID * 1.1, 188 * u, 216 * u, 0.075)
    slab(canvas, LID * 1.5, top=(140 * u, 74 * u), bottom=(184 * u, 84 * u), gloss=0.5, bow=0.1)
    ellipse(canvas, LID * 2.4, 140 * u, 74 * u, 0.1)
    image = Image.fromarray(canvas.astype(np.uint8), "RGBA")
    mark = Image.new("RGBA", image.size, (0, 0, 0, 0))
    pen = ImageDraw.Draw(mark)
    turn = np.linspace(0, 2 * np.pi, 200)
    drop_x = 600 * u + 62 * u * np.sin(turn) * np.sin(turn / 2) ** 1.6
    drop_y = 795 * u - 72 * u * np.cos(turn)
    pen.polygon(list(zip(drop_x, drop_y, strict=True)), fill=(240, 232, 220, 235))
    image = Image.alpha_composite(image, mark.filter(ImageFilter.GaussianBlur(u)))
    return image.resize((SIZE, SIZE), Image.Resampling.LANCZOS)
