"""The drawing child: JSON on stdin, stills and titles into the working folder, a plan on stdout.

It runs in a process of its own, so that hostile pictures are decoded outside the worker and
numpy's memory leaves with it. Input: see `pipeline/providers/motion.py`. Output, one line:
`{"plan": ...}`, or `{"invalid": {"field": ..., "reason": ...}}` for an input that cannot be used.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path

import numpy as np
from PIL import Image

from errors import InvalidInput
from pipeline.media import backdrops
from pipeline.media.ass import AssFile
from pipeline.media.elements import UNDER_HERO
from pipeline.media.fonts import clusters
from pipeline.media.hero import draw
from pipeline.media.hero.parts import HeroArt, cropped, is_cut_out
from pipeline.media.images import load_image
from pipeline.media.layout import Zones, zones
from pipeline.media.logo import CORNER, END_CARD, lay_logo
from pipeline.media.paths import Box
from pipeline.media.timeline import scene_spans
from pipeline.media.yuv import Floats, write_yuv, write_yuva
from pipeline.stage import Json
from pipeline.styles import load_style, palettes_for
from pipeline.styles.branding import branded, corrections
from pipeline.styles.scene import Facts, HeroUse, Picture, Scene
from pipeline.styles.transitions import TRANSITIONS, Cut

#: Roles that show the job's first image; the others take turns in the rest.
_FIRST_PICTURE = frozenset({"hook", "product", "cta"})


#: Alpha (of 255) up to which the last of a glow or shadow cannot be seen.
_FAINT = 2


def main() -> None:
    order = json.load(sys.stdin)
    try:
        answer = {"plan": draw_all(order, Path.cwd())}
    except InvalidInput as error:
        answer = {"invalid": {"field": error.field, "reason": error.reason}}
    sys.stdout.write(json.dumps(answer) + "\n")


def draw_all(order: Json, folder: Path) -> Json:
    """Compose every scene, write its stills and `titles.ass` to `folder`, return the plan."""
    images, scenes = loaded(order)
    logo = load_image(Path(order["logo"]), field="logo") if order["logo"] else None
    z = scenes[0].zones
    changed = corrections([scene.palette for scene in scenes], tuple(order["brand"]["colors"]))
    fps = order["fps"]
    under, ass = (AssFile(z.width, z.height, fps) for _ in range(2))
    for scene in scenes:
        for element in scene.elements:
            element.bake(under if element.layer <= UNDER_HERO else ass, fps)
    style = scenes[0].style
    if cover := TRANSITIONS.get(style.transition):
        for before, after in pairwise(scenes):
            cut = Cut(
                after.start_f, before.palette, after.palette, 1 if after.index % 2 else -1,
                after.start_f - before.start_f, after.end_f - after.start_f,
            )  # fmt: skip
            cover(ass, z, cut)
    under.write(folder / "under.ass")
    ass.write(folder / "titles.ass")

    def stills(scene: Scene) -> Json:
        return {
            "start_f": scene.start_f,
            "end_f": scene.end_f,
            "role": scene.role,
            "backdrop": _backdrop(scene, order["seed"], folder, logo, changed),
            "hero": _hero(scene, folder, images[scene.picture.index] if scene.picture else None),
            "colors": asdict(scene.palette),
            "texts": [_rounded(box) for box in scene.texts],
        }

    with ThreadPoolExecutor(2) as pool:
        plan_scenes = list(pool.map(stills, scenes))
    return {
        "kind": "layers",
        "width": z.width,
        "height": z.height,
        "fps": fps,
        "frames": scenes[-1].end_f,
        "style": style.name,
        "transition": style.transition,
        "under": "under.ass",
        "titles": "titles.ass",
        "caption_zone": _rounded(z.captions),
        "safe": _rounded(z.safe),
        "corrections": changed,
        "scenes": plan_scenes,
    }


def loaded(order: Json) -> tuple[list[Image.Image], list[Scene]]:
    """The order's images, and its scenes laid out with them. Raises InvalidInput."""
    images = [
        load_image(Path(path), field=f"images.{index}")
        for index, path in enumerate(order["images"])
    ]
    return images, compose(order, [_measured(index, image) for index, image in enumerate(images)])


def compose(order: Json, pictures: Sequence[Picture] = ()) -> list[Scene]:
    """Lay out every scene of an order; draws nothing. `pictures` are the measured images."""
    style = branded(
        load_style(order["style"]), tuple(order["brand"]["colors"]), order["brand"]["font"]
    )
    rng = random.Random(f"{order['seed']}/{style.name}")
    facts = Facts(**{**order["facts"], "benefits": tuple(order["facts"]["benefits"])})
    room = zones(
        order["frame"], order["platform"],
        captions=order["captions"], logo=bool(order["logo"]), scale=order["scale"],
    )  # fmt: skip
    spans = scene_spans(order["voice"], order["fps"])
    script = order["script"]["scenes"][: len(spans)]
    palettes = palettes_for(style, len(script), rng)
    scenes: list[Scene] = []
    others = 0
    for index, (words, span, palette) in enumerate(zip(script, spans, palettes, strict=True)):
        last = index == len(script) - 1
        role = "cta" if last else words["role"]
        picture = None
        if pictures:
            picture = pictures[0]
            if role not in _FIRST_PICTURE and len(pictures) > 1:
                picture = pictures[1 + others % (len(pictures) - 1)]
                others += 1
        scene = Scene(
            index=index, role=role,
            on_screen=words["on_screen"].strip() or facts.name, visual=words["visual"],
            start_f=span[0], end_f=span[1], last=last, facts=facts, style=style,
            palette=palette, zones=room, picture=picture, pictures=len(pictures),
            scenes=len(script),
            rng=random.Random(f"{order['seed']}/{index}"),
        )  # fmt: skip
        style.scenes[scene.role](scene)
        scenes.append(scene)
    return scenes


def _measured(index: int, image: Image.Image) -> Picture:
    shown = cropped(image)
    return Picture(index, shown.width / shown.height, is_cut_out(image))


def _backdrop(
    scene: Scene, seed: int, folder: Path, logo: Image.Image | None, changed: list[Json]
) -> Json:
    z, name = scene.zones, scene.style.backdrop
    one = not scene.style.palette_per_scene  # the first scene's backdrop stands throughout
    if one and scene.index and not (logo and scene.last):
        return _backdrop_part("backdrop-0.yuv", z)
    file = f"backdrop-{scene.index}.yuv"
    rng = np.random.default_rng([seed, 0 if one else scene.index])
    picture = backdrops.paint(name, scene.palette, z.width, z.height, rng)
    if logo is not None and z.logo is not None:
        plate = lay_logo(
            picture, logo, z.logo, centered=scene.style.logo_at == "center",
            size=END_CARD if scene.last else CORNER,
        )  # fmt: skip
        if plate and scene.last:
            changed.append({"what": "logo", "asked": "on the background", "used": f"on {plate}"})
    write_yuv(picture, folder / file, dithered=name in backdrops.SOFT)
    return _backdrop_part(file, z)


def _backdrop_part(file: str, z: Zones) -> Json:
    return {"file": file, "width": z.width, "height": z.height}


def _hero(scene: Scene, folder: Path, image: Image.Image | None) -> Json | None:
    use = scene.hero
    if use is None:
        return None
    x, y = _even(use.box.x), _even(use.box.y)
    width, height = _even(use.box.w), _even(use.box.h)
    letter = next((c for c in clusters(scene.facts.name.upper()) if c[0].isalnum()), "★")
    art = HeroArt(
        width, height, scene.palette, scene.style.display.font, letter,
        scene.style.radius * scene.u,
    )  # fmt: skip
    file = f"hero-{scene.index}.yuva"
    sprite = draw(scene.style.hero, art, image, use.focus)
    left, top = _spare(sprite, use)
    write_yuva(sprite[top : height - top, left : width - left], folder / file)
    return {
        "file": file, "x": x + left, "y": y + top,
        "width": width - 2 * left, "height": height - 2 * top,
        "zoom": use.zoom, "sway": use.sway, "delay": use.delay, "rise": use.rise,
        "enter": max(2, round(use.enter * scene.brisk)),
    }  # fmt: skip


def _spare(sprite: Floats, use: HeroUse) -> tuple[int, int]:
    """What can be cut from both sides, and from top and bottom: every pixel is moved in each frame.

    The middle stays where it is, as the sprite turns and grows about it.
    """
    height, width = sprite.shape[:2]
    seen = sprite[..., 3] > _FAINT
    columns, rows = np.flatnonzero(seen.any(axis=0)), np.flatnonzero(seen.any(axis=1))
    if not len(columns):
        return 0, 0
    half_w = max(width / 2 - columns[0], columns[-1] + 1 - width / 2)
    half_h = max(height / 2 - rows[0], rows[-1] + 1 - height / 2)
    # A turn carries the corners outwards; an entrance begins a little lower.
    lean = np.sin(np.radians(max(map(abs, use.sway))))
    grown = max(1.0, *use.zoom)
    reach_w = (half_w + half_h * lean) * grown + 4
    reach_h = (half_h + half_w * lean) * grown + 4 + use.rise * 0.6
    left, top = width / 2 - reach_w, height / 2 - reach_h
    return max(0, int(left / 2) * 2), max(0, int(top / 2) * 2)


def _even(value: float) -> int:
    return max(2, round(value / 2) * 2)


def _rounded(box: Box) -> list[float]:
    return [round(value, 1) for value in (box.x, box.y, box.w, box.h)]


if __name__ == "__main__":
    main()
