"""Caption files and drawn captions are read back and held against the voice's own times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.media.ass import AssFile, Pose
from pipeline.media.caption_times import caption_times
from pipeline.media.captions import Cue, group_words, write_srt, write_vtt
from pipeline.providers.script_ports import SpokenScene
from tests.pipeline.visual import samples


def _scenes() -> list[SpokenScene]:
    scenes: list[SpokenScene] = samples.voice(samples.script(), word_s=0.31)["scenes"]
    return scenes


def _written(folder: Path, cues: Sequence[Cue], *, fps: int = 30, drawn_late_f: int = 0) -> None:
    write_srt(cues, folder / "captions.srt")
    write_vtt(cues, folder / "captions.vtt")
    ass = AssFile(270, 480, fps)
    for cue in cues:
        start, end = (round(at_s * fps) + drawn_late_f for at_s in (cue.start_s, cue.end_s))
        ass.still("m 0 0 l 8 0 l 8 8", "#ffffff", 5, start, end, Pose(9, 9))
    ass.write(folder / "captions.ass")


@pytest.mark.parametrize("fps", [24, 25, 30, 60])
def test_captions_that_fit_are_off_by_less_than_half_a_frame(tmp_path: Path, fps: int) -> None:
    cues = group_words(_scenes())
    _written(tmp_path, cues, fps=fps)

    found = caption_times(_scenes(), cues, tmp_path, burnt_fps=fps)

    assert found["cues"] == len(cues)
    assert found["burnt_in"] <= 500 / fps + 0.1
    assert found["srt"] <= 1
    assert found["vtt"] <= 1


@pytest.mark.parametrize("late_f", [-30, -3, 3, 4, 30])
def test_captions_drawn_early_or_late_are_found(tmp_path: Path, late_f: int) -> None:
    cues = group_words(_scenes())
    _written(tmp_path, cues, drawn_late_f=late_f)

    assert caption_times(_scenes(), cues, tmp_path, burnt_fps=30)["burnt_in"] > 60


def test_one_cue_that_slips_is_found_in_the_files(tmp_path: Path) -> None:
    cues = group_words(_scenes())
    cues[0] = replace(cues[0], start_s=cues[0].start_s - 0.1)
    _written(tmp_path, cues)

    found = caption_times(_scenes(), cues, tmp_path, burnt_fps=30)

    assert [found[place] for place in ("srt", "vtt")] == [100, 100]
    assert found["burnt_in"] == pytest.approx(100, abs=17)


def test_a_word_that_is_missing_is_found(tmp_path: Path) -> None:
    cues = group_words(_scenes())
    _written(tmp_path, cues[:-1])

    found = caption_times(_scenes(), cues, tmp_path, burnt_fps=30)

    assert (found["srt"], found["vtt"]) == (None, None)
    assert found["burnt_in"] > 60


def test_an_ad_that_says_nothing_is_in_step(tmp_path: Path) -> None:
    _written(tmp_path, [])

    found = caption_times([], [], tmp_path, burnt_fps=30)

    assert (found["burnt_in"], found["srt"], found["vtt"]) == (0.0, 0.0, 0.0)
