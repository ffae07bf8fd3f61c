"""A brand's colours, font and logo: led by, corrected where they could not be seen, and said so."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import numpy as np
import pytest
from PIL import Image

from errors import InvalidInput
from jobs.payload import FONTS, STYLES
from pipeline.media.colors import contrast
from pipeline.media.draw_scenes import compose, draw_all
from pipeline.media.fonts import families
from pipeline.media.logo import lay_logo
from pipeline.media.paths import Box
from pipeline.providers.motion import drawing_order
from pipeline.providers.script_ports import Script, VoiceData
from pipeline.stage import Json
from pipeline.styles import load_style
from pipeline.styles.branding import branded
from tests.pipeline.visual import samples


def order(scale: float = 0.2, **fields: object) -> Json:
    script = samples.script()
    voice = samples.voice(script)
    job = samples.job(**fields)
    return drawing_order(job, cast(Script, script), cast(VoiceData, voice), 3, scale=scale)


def test_jobs_know_the_bundled_fonts() -> None:
    assert list(FONTS) == families()


@pytest.mark.parametrize("style", STYLES)
def test_a_brand_font_sets_the_titles(style: str) -> None:
    made = compose(order(style=style, brand={"font": "Anton"}))
    assert made[0].style.display.font.family == "Anton"


def test_a_font_that_is_not_there_is_named_with_those_that_are() -> None:
    with pytest.raises(InvalidInput, match=r"brand\.font: .*Space Grotesk"):
        branded(load_style("minimal"), (), "Comic Sans")


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("colors", [["#1f6b57"], ["#fefefe", "#101010"], ["#ff0055", "#ffd400"]])
def test_brand_colours_lead_and_can_be_seen(style: str, colors: list[str]) -> None:
    for scene in compose(order(style=style, brand={"colors": colors})):
        p = scene.palette
        assert contrast(p.ink, p.paper) >= 4.5
        assert contrast(p.accent, p.paper) >= 1.39
        assert contrast(p.on_accent, p.accent) >= 3.0


def test_a_corrected_colour_is_told_in_the_plan(tmp_path: Path) -> None:
    plan = draw_all(order(brand={"colors": ["#fefefe"]}), tmp_path)
    (told,) = plan["corrections"]
    assert (told["what"], told["asked"]) == ("brand.colors.0", "#fefefe")
    assert told["used"] == plan["scenes"][0]["colors"]["accent"]


def test_a_colour_that_is_used_as_it_is_needs_no_telling(tmp_path: Path) -> None:
    plan = draw_all(order(brand={"colors": ["#0B3D91"]}), tmp_path)
    assert plan["corrections"] == []


def test_a_logo_keeps_its_shape_and_its_row() -> None:
    ground = np.full((200, 600, 3), 240, np.float32)
    logo = Image.new("RGBA", (400, 100), (20, 30, 90, 255))
    row = Box(40, 30, 500, 60)
    assert lay_logo(ground, logo, row, centered=False, size=1.0) is None
    ys, xs = np.nonzero(np.abs(ground - 240).max(axis=2) > 60)
    assert (xs.min(), ys.min()) == (40, 30)
    assert (np.ptp(xs) + 1) / (np.ptp(ys) + 1) == pytest.approx(4, rel=0.05)
    assert xs.max() < 540 and ys.max() < 90


@pytest.mark.parametrize("tone", [18, 245])
def test_a_logo_that_would_not_be_seen_gets_a_plate(tone: int) -> None:
    ground = np.full((200, 600, 3), tone, np.float32)
    logo = Image.new("RGBA", (300, 100), (tone, tone, tone, 255))
    row = Box(40, 30, 500, 60)
    plate = lay_logo(ground, logo, row, centered=True, size=1.0)
    assert plate == ("#ffffff" if tone < 128 else "#16161a")
    ys, xs = np.nonzero(np.abs(ground - tone).max(axis=2) > 60)
    assert ys.min() >= 30 and ys.max() < 90
    assert abs((xs.min() + xs.max()) / 2 - row.cx) <= 1.5


def test_a_logo_stands_on_every_scene_and_larger_on_the_end_card(tmp_path: Path) -> None:
    Image.new("RGBA", (300, 100), (200, 0, 0, 255)).save(tmp_path / "logo.png")
    plan = draw_all(order(logo=str(tmp_path / "logo.png")), tmp_path)
    files = [scene["backdrop"]["file"] for scene in plan["scenes"]]
    assert len(set(files[:-1])) == 1 and files[-1] != files[0]

    def red(file: str) -> int:
        size = (plan["height"], plan["width"])
        raw = np.frombuffer((tmp_path / file).read_bytes(), np.uint8)
        luma = raw[: size[0] * size[1]].reshape(size)
        return int((luma[: size[0] // 4] < 100).sum())

    assert 0 < red(files[0]) < red(files[-1])


def test_a_logo_that_is_no_picture_is_named(tmp_path: Path) -> None:
    (tmp_path / "logo.png").write_text("no picture")
    with pytest.raises(InvalidInput, match="logo: is not a PNG"):
        draw_all(order(logo=str(tmp_path / "logo.png")), tmp_path)
