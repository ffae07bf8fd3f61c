"""Whatever the payload: a layout that holds, or an error that names a field; and films that pass.

`TEST_LAYOUTS` is how many are laid out, `TEST_RENDERS` how many are drawn and encoded, small.
"""

from __future__ import annotations

import itertools
import os
import tempfile
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import cast

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from errors import InvalidInput
from jobs.payload import parse_job
from pipeline.media.draw_scenes import _measured as measured
from pipeline.media.draw_scenes import compose
from pipeline.media.images import WORKING_SIDE, load_image
from pipeline.providers.motion import drawing_order
from pipeline.providers.script_ports import Script, VoiceData
from pipeline.styles.scene import Picture
from tests.pipeline.sound.film import film
from tests.pipeline.visual import samples
from tests.pipeline.visual.random_ads import (
    FITTING,
    TOO_LARGE,
    TOO_LONG,
    TOO_SMALL,
    Ad,
    ads,
    picture,
)

RENDERS = int(os.environ.get("TEST_RENDERS", "3"))
LAYOUTS = int(os.environ.get("TEST_LAYOUTS", "120"))


@cache
def _measured(size: tuple[int, int]) -> Picture:
    """As the drawing process measures it; its place among the images is set by the caller."""
    return measured(0, load_image(picture(size)))


@settings(
    max_examples=LAYOUTS, derandomize="TEST_LAYOUTS" not in os.environ,
    suppress_health_check=[*HealthCheck],
)  # fmt: skip
@given(ads())
def test_any_payload_has_a_layout_that_holds(ad: Ad) -> None:
    job = parse_job({**ad.payload, "images": [str(picture(size)) for size in ad.pictures]})
    voice = cast(VoiceData, samples.voice(ad.script))
    pictures = [replace(_measured(size), index=index) for index, size in enumerate(ad.pictures)]

    scenes = compose(drawing_order(job, cast(Script, ad.script), voice, job.seed), pictures)

    assert [scene.role for scene in scenes] == [scene["role"] for scene in ad.script["scenes"]]
    for scene in scenes:
        for box in scene.texts:
            assert scene.zones.safe.contains(box, slack=4), (scene.role, box, scene.zones.safe)
            assert not (job.captions and box.overlaps(scene.zones.captions)), (scene.role, box)
        for one, other in itertools.combinations(scene.texts, 2):
            assert not one.inset(2).overlaps(other.inset(2)), (scene.role, one, other)


@pytest.mark.parametrize("size", FITTING)
def test_a_picture_of_any_shape_is_opened(size: tuple[int, int]) -> None:
    assert max(load_image(picture(size)).size) <= WORKING_SIDE


@pytest.mark.parametrize("size", [*TOO_SMALL, *TOO_LARGE, *TOO_LONG])
def test_a_picture_of_no_use_is_refused_by_name(size: tuple[int, int], tmp_path: Path) -> None:
    job = samples.job(images=[str(picture(FITTING[0])), str(picture(size))])

    with pytest.raises(InvalidInput, match=r"is (only|a strip)|has more than") as caught:
        film(tmp_path, job, samples.earlier(tmp_path), scale=0.2)

    assert caught.value.field == "images.1"


@settings(
    max_examples=RENDERS, derandomize=True, phases=[Phase.generate],
    suppress_health_check=[*HealthCheck],
)  # fmt: skip
@given(ads())
def test_random_ads_pass_the_gate(ad: Ad) -> None:
    job = parse_job({**ad.payload, "images": [str(picture(size)) for size in ad.pictures]})
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # Slow enough for the shortest ad that a platform takes, and no slower.
        words = sum(len(scene["spoken"].split()) for scene in ad.script["scenes"])
        earlier = samples.earlier(folder, ad.script, word_s=max(0.12, 4.0 / words))
        assert film(folder, job, earlier, scale=0.2).data["report"]["passed"]
