"""What the treatments share: the order for a sprite, fitting a picture in, shadows, the initial."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from pipeline.media.colors import mix, rgb
from pipeline.media.fonts import FontSpec, face_for, faces
from pipeline.media.hero.place import MARGIN, standing
from pipeline.styles.base import Palette

#: Masks are drawn this much larger and reduced: smooth edges.
FINE = 2


@dataclass(frozen=True)
class HeroArt:
    """What to draw: a sprite of `width` by `height` px in the colours of `palette`."""

    width: int
    height: int
    palette: Palette
    font: FontSpec
    letter: str
    radius: float

    @property
    def margin(self) -> int:
        return round(min(self.width, self.height) * MARGIN)


def contained(image: Image.Image, art: HeroArt, spare: int = 0) -> Image.Image:
    """Scaled to fit inside the margins, never stretched; cut-outs lose their empty border."""
    picture = cropped(image)
    room_w, room_h = (side - 2 * art.margin - spare for side in (art.width, art.height))
    scale = min(room_w / picture.width, room_h / picture.height)
    size = (max(2, round(picture.width * scale)), max(2, round(picture.height * scale)))
    return picture.resize(size, Image.Resampling.LANCZOS)


def cropped(image: Image.Image) -> Image.Image:
    """What of a picture is shown: a cut-out without its empty border, a photograph whole."""
    box = image.getchannel("A").getbbox() if is_cut_out(image) else None
    return image.crop(box) if box else image


def stood(
    image: Image.Image, art: HeroArt, treatment: str, *, floor: bool = False
) -> tuple[Image.Image, tuple[int, int]]:
    """The picture as the treatment places it, and its top left."""
    picture = cropped(image)
    box = standing(treatment, art.width, art.height, picture.width / picture.height, floor=floor)
    size = (max(2, round(box.w)), max(2, round(box.h)))
    return picture.resize(size, Image.Resampling.LANCZOS), (round(box.x), round(box.y))


def glow(canvas: Image.Image, shape: Image.Image, color: str, blur: float, strength: float) -> None:
    """Light of `color` around `shape` (an "L" mask of the canvas's size)."""
    # Blurred small and enlarged: a wide blur at full size takes longer than all the rest.
    small = shape.resize((max(2, shape.width // 4), max(2, shape.height // 4)))
    soft = small.filter(ImageFilter.GaussianBlur(blur / 4)).resize(
        shape.size, Image.Resampling.BICUBIC
    )
    light = Image.new("RGBA", canvas.size, (*rgb(color), 0))
    light.putalpha(soft.point(lambda v: min(255, int(v * strength))))
    canvas.alpha_composite(light)


def on_canvas(art: HeroArt, mask: Image.Image, at: tuple[int, int]) -> Image.Image:
    """`mask` at its place on an empty mask of the sprite's size."""
    whole = Image.new("L", (art.width, art.height))
    whole.paste(mask, at)
    return whole


def is_cut_out(image: Image.Image) -> bool:
    return bool(np.asarray(image.getchannel("A")).min() < 128)


def rounded_mask(size: tuple[int, int], radius: float) -> Image.Image:
    mask = Image.new("L", (size[0] * FINE, size[1] * FINE))
    box = (0, 0, mask.width - 1, mask.height - 1)
    ImageDraw.Draw(mask).rounded_rectangle(box, radius * FINE, fill=255)
    return mask.resize(size, Image.Resampling.LANCZOS)


def soft_shadow(canvas: Image.Image, shape: Image.Image, at: tuple[int, int], depth: int) -> None:
    """Two blurs, a wide pale one and a close darker one, as from a large soft light above."""
    for blur, drop, strength in ((0.34, 0.34, 0.26), (0.10, 0.10, 0.20)):
        mask = Image.new("L", canvas.size)
        mask.paste(shape, (at[0], at[1] + round(depth * drop)))
        mask = mask.filter(ImageFilter.GaussianBlur(depth * blur))
        shade = Image.new("RGBA", canvas.size, (18, 16, 28, 0))
        shade.putalpha(mask.point(lambda v, s=strength: int(v * s)))
        canvas.alpha_composite(shade)


def hard_shadow(sprite: Image.Image, art: HeroArt, offset: int) -> Image.Image:
    canvas = Image.new("RGBA", sprite.size)
    shade = Image.new("RGBA", sprite.size, (*rgb(mix(art.palette.paper, "#000000", 0.62)), 255))
    canvas.paste(shade, (offset, offset), sprite.getchannel("A"))
    canvas.alpha_composite(sprite)
    return canvas


def letter(
    canvas: Image.Image, art: HeroArt, cx: float, cy: float, height: float, color: str
) -> None:
    """The initial, centred by its ink, `height` px tall as capitals go."""
    chain = faces(art.font)
    lazy = chain[face_for(art.letter, chain)]
    font = ImageFont.truetype(str(lazy.file), round(height / lazy.face.cap_height), lazy.index)
    if lazy.face.axes:
        font.set_variation_by_axes(list(lazy.face.axes.values()))
    left, top, right, bottom = font.getbbox(art.letter)
    at = (cx - (left + right) / 2, cy - (top + bottom) / 2)
    ImageDraw.Draw(canvas).text(at, art.letter, font=font, fill=(*rgb(color), 255))
