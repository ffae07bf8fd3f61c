"""The drawing child: JSON on stdin, stills and titles into the working folder, a plan on stdout.

It runs in a process of its own, so that hostile pictures are decoded outside the worker and
numpy's memory leaves with it. Input: see `pipeline/providers/motion.py`. Output, one line:
`{"plan": ...}`, or `{"invalid": {"field": ..., "reason": ...}}` for an input that cannot be used.
"""

from __future__ import annotations

import json
import random
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from errors import InvalidInput
from pipeline.media import backdrops
from pipeline.media.ass import AssFile
from pipeline.media.elements import UNDER_HERO
from pipeline.media.fonts import clusters
from pipeline.media.hero import HeroArt, draw
from pipeline.media.images import load_image
from pipeline.media.layout import Zones, zones
from pipeline.media.paths import Box
from pipeline.media.timeline import scene_spans
from pipeline.media.yuv import write_yuv, write_yuva
from pipeline.stage import Json
from pipeline.styles import branded, load_style, palettes_for
from pipeline.styles.scene import Facts, Scene
from pipeline.styles.transitions import panels


def main() -> None:
    order = json.load(sys.stdin)
    try:
        answer = {"plan": draw_all(order, Path.cwd())}
    except InvalidInput as error:
        answer = {"invalid": {"field": error.field, "reason": error.reason}}
    sys.stdout.write(json.dumps(answer) + "\n")


def draw_all(order: Json, folder: Path) -> Json:
    """Compose every scene, write its stills and `titles.ass` to `folder`, return the plan."""
    scenes = compose(order)
    z = scenes[0].zones
    fps = order["fps"]
    under, ass = (AssFile(z.width, z.height, fps) for _ in range(2))
    for scene in scenes:
        for element in scene.elements:
            element.bake(under if element.layer <= UNDER_HERO else ass, fps)
    style = scenes[0].style
    if style.transition == "panels":
        for before, after in pairwise(scenes):
            way = 1 if after.index % 2 else -1
            panels(ass, z, after.start_f, before.palette, after.palette, way)
    under.write(folder / "under.ass")
    ass.write(folder / "titles.ass")
    image = load_image(Path(order["images"][0])) if order["images"] else None

    def stills(scene: Scene) -> Json:
        rng = np.random.default_rng([order["seed"], scene.index])
        return {
            "start_f": scene.start_f,
            "end_f": scene.end_f,
            "role": scene.role,
            "backdrop": _backdrop(scene, folder, rng),
            "hero": _hero(scene, folder, image),
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
        "scenes": plan_scenes,
    }


def compose(order: Json) -> list[Scene]:
    """Lay out every scene of an order; draws nothing."""
    style = branded(
        load_style(order["style"]), tuple(order["brand"]["colors"]), order["brand"]["font"]
    )
    rng = random.Random(f"{order['seed']}/{style.name}")
    facts = Facts(**{**order["facts"], "benefits": tuple(order["facts"]["benefits"])})
    room = zones(
        order["frame"], order["platform"],
        captions=order["captions"], scale=order["scale"],
    )  # fmt: skip
    spans = scene_spans(order["voice"], order["fps"])
    script = order["script"]["scenes"][: len(spans)]
    palettes = palettes_for(style, len(script), rng)
    scenes = []
    for index, (words, span, palette) in enumerate(zip(script, spans, palettes, strict=True)):
        last = index == len(script) - 1
        scene = Scene(
            index=index, role="cta" if last else words["role"],
            on_screen=words["on_screen"].strip() or facts.name, visual=words["visual"],
            start_f=span[0], end_f=span[1], last=last, facts=facts, style=style,
            palette=palette, zones=room, pictured=bool(order["images"]),
            rng=random.Random(f"{order['seed']}/{index}"),
        )  # fmt: skip
        style.scenes[scene.role](scene)
        scenes.append(scene)
    return scenes


def _backdrop(scene: Scene, folder: Path, rng: np.random.Generator) -> Json:
    z, name = scene.zones, scene.style.backdrop
    if scene.index and not scene.style.palette_per_scene:
        return _backdrop_part("backdrop-0.yuv", z)  # the first scene's stands throughout
    file = f"backdrop-{scene.index}.yuv"
    picture = backdrops.paint(name, scene.palette, z.width, z.height, rng)
    write_yuv(picture, folder / file, rng if name in backdrops.SOFT else None)
    return _backdrop_part(file, z)


def _backdrop_part(file: str, z: Zones) -> Json:
    return {"file": file, "width": z.width, "height": z.height}


def _hero(scene: Scene, folder: Path, image: Any) -> Json | None:
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
    write_yuva(draw(scene.style.hero, art, image), folder / file, None)
    return {
        "file": file, "x": x, "y": y, "width": width, "height": height,
        "zoom": use.zoom, "sway": use.sway, "enter": use.enter, "delay": use.delay,
        "rise": use.rise,
    }  # fmt: skip


def _even(value: float) -> int:
    return max(2, round(value / 2) * 2)


def _rounded(box: Box) -> list[float]:
    return [round(value, 1) for value in (box.x, box.y, box.w, box.h)]


if __name__ == "__main__":
    main()
