"""Every scene of every style in every frame: text inside the safe zone, nothing overlapping."""

from __future__ import annotations

import itertools
import string
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.payload import FRAMES, PLATFORMS, STYLES
from pipeline.media.draw_scenes import compose
from pipeline.providers.motion import drawing_order
from pipeline.providers.script_ports import Script, VoiceData
from pipeline.styles.scene import Scene
from tests.pipeline.visual import samples

LONG = "The Extraordinarily Long-Named Professional Gooseneck Pour-Over Kettle Series XL"
ODD = '100% "Real": {Braces} \\ back\'slash'


def scenes(shown: str | None = None, **fields: object) -> list[Scene]:
    words = [
        (role, spoken, shown or on_screen, visual)
        for role, spoken, on_screen, visual in [
            *samples.SCENES[:5],
            ("offer", "Now for less.", "Launch price", "price"),
            samples.SCENES[5],
        ]
    ]
    script = samples.script(words)
    job = samples.job(**fields)
    order = drawing_order(job, cast(Script, script), cast(VoiceData, samples.voice(script)), 3)
    return compose(order)


def check(scene: Scene) -> None:
    for box in scene.texts:
        assert scene.zones.safe.contains(box, slack=4), (scene.role, box, scene.zones.safe)
        assert not box.overlaps(scene.zones.captions), (scene.role, box)
    for a, b in itertools.combinations(scene.texts, 2):
        assert not a.inset(2).overlaps(b.inset(2)), (scene.role, a, b)


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("frame", FRAMES)
def test_scenes_keep_to_the_safe_zone(style: str, frame: str) -> None:
    for scene in scenes(style=style, frames=[frame]):
        check(scene)


@pytest.mark.parametrize("platform", [name for name in PLATFORMS if name != "broadcast"])
@pytest.mark.parametrize("style", ["minimal", "bold"])
def test_scenes_keep_to_each_platforms_zone(style: str, platform: str) -> None:
    for scene in scenes(style=style, platform=platform):
        check(scene)


@pytest.mark.parametrize("style", ["minimal", "bold"])
@pytest.mark.parametrize("name", [LONG, ODD, "X", "W" * 80, "غلاية أورورا Pro", "☕️🔥"])
def test_hard_names_fit(style: str, name: str) -> None:
    fields = {"product_name": name, "cta_text": name[:40], "benefits": [name, name + name[:40]]}
    for scene in scenes(shown=name, style=style, **fields):
        check(scene)


@settings(max_examples=25, deadline=None)
@given(
    st.text(string.ascii_letters + " .-", min_size=1, max_size=80).filter(
        lambda t: bool(t.strip())
    ),
    st.text(string.ascii_letters + " ", min_size=1, max_size=40).filter(lambda t: bool(t.strip())),
    st.sampled_from(FRAMES),
    st.sampled_from(["minimal", "bold"]),
)
def test_any_lengths_fit(name: str, cta: str, frame: str, style: str) -> None:
    for scene in scenes(
        shown=name, product_name=name, cta_text=cta, frames=[frame], style=style,
        price="1.234.567,89 CHF", old_price="9.999.999,99 CHF",
    ):  # fmt: skip
        check(scene)


def test_the_same_seed_composes_the_same_scenes() -> None:
    assert [s.elements for s in scenes()] == [s.elements for s in scenes()]


def test_a_brand_colour_that_cannot_be_seen_is_corrected() -> None:
    pale = scenes(style="minimal", brand={"colors": ["#fefefe"]})
    assert pale[0].palette.accent != "#fefefe"
