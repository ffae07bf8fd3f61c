"""The gate at the end of a real, small film: what a platform asks for is what comes out."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.providers.script_ports import Script, Voice
from pipeline.stage import StageOutput
from tests.pipeline.sound.film import film
from tests.pipeline.visual import samples


def _earlier(script: Script, voice: Voice) -> dict[str, StageOutput]:
    return {
        "script_gen": StageOutput({**script}),
        "voice_gen": StageOutput({**voice.data}, {"voice.wav": voice.wav}),
    }


def test_an_ad_for_broadcast_meets_r128_at_25_frames(
    voice: Voice, script: Script, tmp_path: Path
) -> None:
    job = samples.job(frames=["16:9"], platform="broadcast", style="bold")

    report = film(tmp_path, job, _earlier(script, voice), scale=0.2).data["report"]

    assert report["passed"]
    assert report["frame"] == "16:9"
    measured = report["measured"]
    assert measured["fps"] == 25
    assert (measured["width"], measured["height"]) == (384, 216)
    assert measured["lufs"] == pytest.approx(-23, abs=0.5)
    assert measured["max_short_term_lufs"] <= -18
    expected = {check["name"]: check["expected"] for check in report["checks"]}
    assert expected["frame rate"] == "constant, 25"
    assert expected["short-term loudness"] == "at most -18 LUFS"
    assert report["captions"]["burnt_in"] <= 1000 / 25 / 2 + 0.1
    assert report["captions"]["srt"] <= 1
    assert report["captions"]["vtt"] <= 1
