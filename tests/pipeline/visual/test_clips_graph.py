"""Filmed clips in the compositor's graph: where a scene starts in its clip."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from pipeline.media.filtergraph import build
from pipeline.stage import Json
from tests.pipeline.context import FakeContext


@pytest.mark.parametrize("from_f", [0, 1, 29, 30, 31, 44])
def test_a_scene_starts_at_its_own_frame_of_a_shared_clip(tmp_path: Path, from_f: int) -> None:
    """The clip turns from black to white at frame 30; the scene shows what is left of black."""
    ctx = FakeContext(tmp_path)
    turn = "color=black:s=64x64:r=30:d=1[a];color=white:s=64x64:r=30:d=1[b];[a][b]concat"
    argv = [ctx.ffmpeg, "-loglevel", "error", "-filter_complex", turn, "-bf", "2", "-g", "15"]
    subprocess.run([*argv, str(tmp_path / "motion.mp4")], check=True)
    scene = {"start_f": 0, "end_f": 20, "clip": "motion.mp4", "from_f": from_f}
    after = {"start_f": 20, "end_f": 35, "clip": "motion.mp4", "from_f": from_f + 20}
    plan: Json = {"kind": "clips", "width": 64, "height": 64, "fps": 30, "frames": 35, "scenes": []}
    plan["scenes"] = [scene, after]
    graph = build(plan, captions=False)
    assert graph.count == 1
    shown = ctx.run(
        [
            *(ctx.ffmpeg, "-loglevel", "error", *graph.inputs, "-filter_complex", graph.text),
            *("-map", "[video]", "-f", "rawvideo", "-pix_fmt", "gray", "-"),
        ],
        timeout_s=30,
    ).stdout
    frames = [shown[at] for at in range(0, len(shown), 64 * 64)]
    assert len(frames) == 35
    black = sum(frame < 128 for frame in frames)
    assert black == max(0, 30 - from_f)
    assert all(frame < 128 for frame in frames[:black])
