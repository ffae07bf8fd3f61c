"""Every scene of every style in every frame: text inside the safe zone, nothing overlapping."""

from __future__ import annotations

import itertools
import string
from collections.abc import Sequence
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.payload import FRAMES, PLATFORMS, STYLES
from pipeline.media.draw_scenes import compose
from pipeline.providers.motion import drawing_order
from pipeline.providers.script_ports import Script, VoiceData
from pipeline.styles.scene import Picture, Scene
from tests.pipeline.visual import samples

LONG = "The Extraordinarily Long-Named Professional Gooseneck Pour-Over Kettle Series XL"
ODD = '100% "Real": {Braces} \\ back\'slash'


PICTURES = (Picture(0, 0.6, True), Picture(1, 1.6, False), Picture(2, 0.3, True))


def scenes(
    shown: str | None = None, pictures: Sequence[Picture] = (), **fields: object
) -> list[Scene]:
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
    return compose(order, pictures)


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


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize("count", [1, 3])
def test_scenes_with_pictures_and_a_logo_keep_to_the_safe_zone(
    style: str, frame: str, count: int
) -> None:
    for scene in scenes(
        style=style, frames=[frame], pictures=PICTURES[:count], logo="logo.png",
        product_name=LONG[:40],
    ):  # fmt: skip
        check(scene)
        assert scene.zones.logo is not None
        assert scene.zones.safe.contains(scene.zones.logo)
        for box in scene.texts:
            assert not box.overlaps(scene.zones.logo.inset(2)), (scene.role, box)
        if scene.hero is not None:
            assert scene.subject(scene.hero.box).y >= scene.zones.logo.bottom


@pytest.mark.parametrize("style", STYLES)
def test_scenes_take_turns_in_the_pictures(style: str) -> None:
    made = scenes(style=style, pictures=PICTURES)
    shown = [scene.picture.index for scene in made if scene.picture]
    assert shown == [0, 0, 1, 2, 1, 2, 0]
    benefits = [scene for scene in made if scene.role == "benefit"]
    assert all(scene.hero is not None and scene.hero.focus is None for scene in benefits)


@pytest.mark.parametrize("style", STYLES)
def test_wide_frames_set_the_text_beside_the_picture(style: str) -> None:
    for scene in scenes(style=style, frames=["16:9"], pictures=PICTURES):
        if scene.hero is None or scene.role not in ("product", "cta"):
            continue
        subject = scene.subject(scene.hero.box)
        assert subject.h > scene.zones.body.h * 0.4, scene.role
        for box in scene.texts:
            beside = box.x >= subject.right - 4 or box.right <= subject.x + 4
            # A style's own line along the foot may pass below the picture.
            assert beside or box.y >= subject.bottom - 4, (scene.role, box, subject)


@pytest.mark.parametrize("platform", [name for name in PLATFORMS if name != "broadcast"])
@pytest.mark.parametrize("style", STYLES)
def test_scenes_keep_to_each_platforms_zone(style: str, platform: str) -> None:
    for scene in scenes(style=style, platform=platform):
        check(scene)


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize(
    "name",
    [LONG, ODD, "X", "W" * 80, "غلاية أورورا Pro", "קומקום", "曙光手冲壶，恒温一整天", "☕️🔥"],
)
def test_hard_names_fit(style: str, name: str) -> None:
    fields: dict[str, Any] = {
        "product_name": name,
        "cta_text": name[:40],
        "benefits": [name, name + name[:40]],
    }
    for scene in scenes(shown=name, style=style, **fields):
        check(scene)


@settings(max_examples=25, deadline=None)
@given(
    st.text(string.ascii_letters + " .-", min_size=1, max_size=80).filter(
        lambda t: bool(t.strip())
    ),
    st.text(string.ascii_letters + " ", min_size=1, max_size=40).filter(lambda t: bool(t.strip())),
    st.sampled_from(FRAMES),
    st.sampled_from(STYLES),
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
