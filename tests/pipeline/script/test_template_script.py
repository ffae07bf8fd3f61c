"""The embedded writer: fits the time, invents nothing, says only what can be said."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from errors import InvalidInput
from jobs.payload import VideoJob, parse_job
from pipeline.providers.pace import estimate_s, pace_for
from pipeline.providers.say import said
from pipeline.providers.script_ports import END_CARD_S, Script, script_problems
from pipeline.providers.template_script import TemplateScript
from pipeline.stage import StageInputs
from pipeline.stages.script_gen import ScriptGen
from tests.pipeline.context import FakeContext

_STYLES = ("minimal", "bold", "luxury", "playful", "tech")

#: What submitters type: words, all the world's scripts, emoji, and characters that mean
#: something to a template, a subtitle or a filtergraph.
_TEXT = st.text(
    st.one_of(
        st.sampled_from(list("abcdefghij ABC 0123456789 $€%{}\\'\":;,.!?-–&<>[]()")),
        st.characters(codec="utf-8", exclude_categories=("C", "Z")),
    ),
    min_size=1,
    max_size=80,
).filter(lambda text: bool(text.strip()))


@st.composite
def _jobs(draw: st.DrawFn) -> VideoJob:
    data: dict[str, Any] = {
        "id": "job-1",
        "product_name": draw(_TEXT),
        "style": draw(st.sampled_from(_STYLES)),
        "cta_text": draw(st.one_of(st.just("Shop now"), _TEXT.map(lambda text: text[:40].strip()))),
        "description": draw(st.one_of(st.just(""), _TEXT)),
        "benefits": draw(st.lists(_TEXT, max_size=8)),
        "duration_s": draw(st.floats(10, 60)),
        "seed": draw(st.integers(0, 99)),
    }
    if draw(st.booleans()):
        data["price"] = draw(
            st.one_of(st.just("$19.99"), _TEXT.map(lambda text: text[:24].strip()))
        )
    if draw(st.booleans()):
        data["rating"] = draw(st.floats(0, 5))
    return VideoJob.model_validate({key: value for key, value in data.items() if value != ""})


def _write(job: VideoJob, seed: int = 7) -> Script:
    return TemplateScript().write(job, FakeContext(Path("unused"), seed=seed))


def _length_s(script: Script, job: VideoJob) -> float:
    pace = pace_for(job.style, job.duration_s)
    spoken_s = sum(estimate_s(scene["spoken"], pace) for scene in script["scenes"])
    pauses_s = pace.scene_pause_s * (len(script["scenes"]) - 1)
    return spoken_s + pauses_s + pace.head_s + pace.tail_s


@settings(max_examples=200, deadline=None)
@given(job=_jobs())
def test_any_job_gets_a_valid_script_that_fits_and_invents_nothing(job: VideoJob) -> None:
    script = _write(job)

    assert script_problems(script) == []
    assert json.loads(json.dumps(script)) == script
    assert _length_s(script, job) <= job.duration_s - END_CARD_S + 1.5
    given_text = " ".join(
        [job.product_name, job.description, *job.benefits, job.price or "", job.cta_text]
    )
    known = set(re.findall(r"\d+", given_text)) | {"5"}
    if job.rating is not None:
        known |= set(re.findall(r"\d+", f"{job.rating:.2f} {job.rating:.1f} {job.rating:.0f}"))
    for scene in script["scenes"]:
        assert set(re.findall(r"\d+", scene["spoken"])) <= known
        assert scene["role"] != "proof" or job.rating is not None
        assert scene["role"] != "offer" or job.price is not None
        assert any(said(word) for word in scene["spoken"].split())


@pytest.mark.parametrize("style", _STYLES)
@pytest.mark.parametrize("duration_s", [15, 30])
def test_a_usual_job_fills_its_time(style: str, duration_s: int) -> None:
    job = VideoJob(
        id="a",
        product_name="AquaPure Bottle",
        style=style,
        duration_s=duration_s,
        benefits=("Cold for 24 hours", "Fits any cup holder"),
        price="$19.99",
        rating=4.8,
    )

    length_s = _length_s(_write(job), job) + END_CARD_S

    assert duration_s - 2 <= length_s <= duration_s + 1


def test_a_six_second_ad_still_has_a_hook_the_product_and_a_call() -> None:
    job = VideoJob(
        id="a", product_name="AquaPure Bottle", duration_s=6, price="$19.99", rating=4.8,
        benefits=("Cold for 24 hours",),
    )  # fmt: skip

    script = _write(job)

    assert [scene["role"] for scene in script["scenes"]][:2] == ["hook", "product"]
    assert script["scenes"][-1]["role"] == "cta"
    assert _length_s(script, job) + END_CARD_S < 7


def test_the_same_job_and_seed_give_the_same_script_and_another_seed_another() -> None:
    job = VideoJob(id="a", product_name="Trail Runner shoes", style="bold")

    assert _write(job) == _write(job)
    assert len({json.dumps(_write(job, seed)) for seed in range(8)}) > 2


def test_styles_speak_in_different_words() -> None:
    lines = {
        style: [
            scene["spoken"]
            for scene in _write(VideoJob(id="a", product_name="Trail Runner shoes", style=style))[
                "scenes"
            ]
        ]
        for style in ("minimal", "bold")
    }

    assert not set(lines["minimal"]) & set(lines["bold"])


@pytest.mark.parametrize(
    ("name", "spoken"),
    [
        ("🎧 سماعات", None),
        ("水筒", None),
        ("!!!", None),
        ("AquaPure 水", "AquaPure"),
        ("🔥 Blaze Sauce 🔥", "Blaze Sauce"),
        ("iGlow", "iGlow"),
    ],
)
def test_an_unspeakable_name_is_read_and_not_said(name: str, spoken: str | None) -> None:
    script = _write(VideoJob(id="a", product_name=name))

    product = script["scenes"][1]
    assert product["on_screen"] == name
    assert (spoken or "this") in product["spoken"] or spoken is None
    assert all(word.isascii() for word in product["spoken"].split())


def test_the_jobs_own_words_come_first() -> None:
    job = VideoJob(
        id="a",
        product_name="TaskFlow",
        description="Keeps your team's tasks in one place",
        benefits=("Set up in minutes", "Works offline"),
    )

    spoken = " ".join(scene["spoken"] for scene in _write(job)["scenes"])

    assert "It keeps your team's tasks in one place." in spoken
    assert "Set up in minutes." in spoken
    assert "Works offline." in spoken


def test_braces_in_the_products_words_stay_as_they_are() -> None:
    script = _write(VideoJob(id="a", product_name="Set {price} Go", price="$5"))

    assert "{price}" in script["scenes"][1]["spoken"]
    assert script["scenes"][1]["on_screen"] == "Set {price} Go"


def test_a_poor_rating_is_not_advertised() -> None:
    script = _write(VideoJob(id="a", product_name="Lamp", rating=1.9))

    assert "proof" not in [scene["role"] for scene in script["scenes"]]


def test_another_language_is_refused_with_the_providers_that_speak_it() -> None:
    with pytest.raises(InvalidInput, match=r"Claude.*ElevenLabs") as refused:
        _write(parse_job({"id": "a", "product_name": "Lampe", "language": "de"}))

    assert refused.value.field == "language"


def test_the_stage_publishes_what_it_returns(tmp_path: Path) -> None:
    stage = ScriptGen(TemplateScript())
    job = VideoJob(id="a", product_name="Café ☕ Crème")

    output = stage.run(FakeContext(tmp_path), StageInputs(job=job, earlier={}))

    assert stage.provider == "template/1"
    published = json.loads(output.files["script.json"].read_text(encoding="utf-8"))
    assert published == output.data
