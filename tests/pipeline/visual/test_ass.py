"""Outlines, poses and times become ASS events that cover exactly their frames."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest

from pipeline.media import easing
from pipeline.media.ass import AssFile, Pose, drawing
from pipeline.media.elements import Drift, Element, Move
from pipeline.media.paths import Box
from pipeline.media.shapes import rect, ring, star
from pipeline.media.timeline import scene_spans
from tests.pipeline.visual import samples


def frames_covered(path: Path, fps: int = 30) -> list[int]:
    """How many events show each frame."""
    counts = [0] * 200
    for start, end in re.findall(r"Dialogue: \d+,0:00:([\d.]+),0:00:([\d.]+),", path.read_text()):
        for frame in range(200):
            counts[frame] += float(start) * 1000 <= frame * 1000 // fps < float(end) * 1000
    return counts


@pytest.mark.parametrize("pulse", [0.0, 0.04])
def test_an_element_is_drawn_once_in_each_of_its_frames(tmp_path: Path, pulse: float) -> None:
    ass = AssFile(1080, 1920, 30)
    Element(
        rect(0, 0, 10, 10), 5, 5, "#102030", 7, 100, enter=Move("rise", 12, 3, 40),
        leave=Move("fade", 6), drift=Drift(dy=-5), pulse=pulse,
    ).bake(ass, 30)  # fmt: skip
    ass.write(tmp_path / "a.ass")
    counts = frames_covered(tmp_path / "a.ass")
    assert counts[10:100] == [1] * 90
    assert sum(counts) == 90


def test_colours_are_written_blue_first(tmp_path: Path) -> None:
    ass = AssFile(100, 100, 30)
    ass.still(drawing(rect(0, 0, 1, 1)), "#102030", 1, 0, 3, Pose(0, 0))
    ass.write(tmp_path / "a.ass")
    assert "\\1c&H302010&" in (tmp_path / "a.ass").read_text()


def test_curves_begin_at_nothing_and_end_at_their_goal() -> None:
    for curve in (easing.ease_out, easing.ease_out_expo, easing.overshoot, easing.ease_in_out):
        assert curve(0.0) == pytest.approx(0, abs=0.01)
        assert curve(1.0) == pytest.approx(1)


def test_reversed_outlines_keep_their_bounds() -> None:
    assert ring(0, 0, 50, 5).bounds() == Box(-50, -50, 100, 100)
    assert star(0, 0, 50, 20, 5).reversed().bounds() == star(0, 0, 50, 20, 5).bounds()


def test_scenes_meet_open_before_their_first_word_and_end_on_a_card() -> None:
    voice = samples.voice(samples.script())
    spans = scene_spans(voice, 30)
    assert spans[0][0] == 0
    for (_, end), (start, _) in pairwise(spans):
        assert end == start
    for (start, _), scene in zip(spans[1:], voice["scenes"][1:], strict=True):
        assert 0 <= scene["words"][0]["start_s"] - start / 30 <= 0.14
    last = voice["scenes"][-1]
    assert spans[-1][1] / 30 - last["words"][-1]["end_s"] >= 2.0
