"""The delivery gate passes a good file, and names what is wrong with a bad one."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import pytest

from errors import DeliveryRejected
from pipeline.media.loudness import LoudnessTarget
from pipeline.media.probe import probe
from pipeline.media.profiles import FRAME_SIZES, profile
from pipeline.media.report import write_report
from pipeline.process import run_child
from pipeline.providers.script_ports import SpokenScene
from tests.pipeline.context import FakeContext

_SIZE = (216, 384)  # a small file measures the same; only its size is expected otherwise
_SPEECH: list[SpokenScene] = [{"start_s": 0.2, "end_s": 4.8, "words": []}]
_GOOD: dict[str, str] = {
    "picture": f"testsrc2=s={_SIZE[0]}x{_SIZE[1]}:r=30",
    # Noise at about -14 LUFS with peaks below -1 dBTP.
    "sound": (
        "anoisesrc=r=48000:a=0.8:c=pink:seed=1,alimiter=level=disabled:limit=0.7,"
        "pan=stereo|c0=c0|c1=c0"
    ),
    "pix_fmt": "yuv420p",
    "profile": "high",
    "transform": "8x8dct=1",
    "colors": "bt709",
    "gop": "+cgop",
    "movflags": "+faststart",
    "channels": "2",
    "rate": "48000",
    "sound_s": "5",
    "group": "15",
    "brand": "isom",
}


def _make(folder: Path, **changes: str) -> Path:
    o = {**_GOOD, **changes}
    path = folder / "video.mp4"
    color = o["colors"]
    run_child(
        [
            *(imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y"),
            *("-f", "lavfi", "-t", "5", "-i", o["picture"]),
            *("-f", "lavfi", "-t", o["sound_s"], "-i", o["sound"]),
            *("-c:v", "libx264", "-preset", "ultrafast", "-profile:v", o["profile"]),
            *("-pix_fmt", o["pix_fmt"], "-g", o["group"], "-bf", "2", "-flags", o["gop"]),
            *(
                "-x264-params",
                f"cabac=1:{o['transform']}:colorprim={color}:transfer={color}:colormatrix={color}",
            ),
            *("-color_primaries", color, "-color_trc", color, "-colorspace", color),
            *("-color_range", "tv", "-c:a", "aac", "-b:a", "192k", "-ar", o["rate"]),
            *(
                "-ac",
                o["channels"],
                "-movflags",
                o["movflags"],
                "-use_editlist",
                "0",
                "-brand",
                o["brand"],
            ),
            path.name,
        ],
        cwd=folder,
        timeout_s=60,
        memory_mb=1024,
    )
    return path


def _report(
    ctx: FakeContext, video: Path, profile: str = "youtube_shorts", **extra: Any
) -> dict[str, Any]:
    return write_report(
        ctx,
        video,
        ctx.workdir / "report.json",
        profile=profile,
        voice_scenes=_SPEECH,
        job_id="job-1",
        extra={"size": _SIZE, **extra},
    )


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _make(tmp_path_factory.mktemp("good"))


@pytest.fixture
def ctx(tmp_path: Path) -> FakeContext:
    return FakeContext(tmp_path)


def test_a_good_file_passes_and_is_described_in_full(good: Path, ctx: FakeContext) -> None:
    report = _report(ctx, good, style="bold")

    assert report["passed"]
    assert report["style"] == "bold"
    assert report == json.loads((ctx.workdir / "report.json").read_text())
    measured = report["measured"]
    assert measured["fps"] == 30
    assert measured["frames"] == 150
    assert measured["longest_gop"] == 15
    assert measured["video_s"] == 5.0
    assert measured["audio_s"] == pytest.approx(5.0, abs=0.022)
    assert abs(measured["av_offset_s"]) < 0.034
    assert measured["lufs"] == pytest.approx(-14, abs=1)
    assert {check["name"] for check in report["checks"]} >= {"loudness", "true peak", "closed GOP"}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"movflags": "+write_colr"}, "header lies behind"),
        ({"channels": "1"}, "1 channels"),
        ({"rate": "44100"}, "44100 Hz"),
        ({"pix_fmt": "yuv444p", "profile": "high444"}, "yuv444p"),
        ({"profile": "main", "transform": "8x8dct=0"}, "not High"),
        ({"colors": "bt470bg"}, "not BT.709"),
        ({"picture": "testsrc2=s=200x384:r=30"}, "200x384"),
        ({"picture": f"testsrc2=s={_SIZE[0]}x{_SIZE[1]}:r=15"}, "15.0 frames"),
        ({"picture": f"color=black:s={_SIZE[0]}x{_SIZE[1]}:r=30"}, "it is black for"),
        ({"picture": f"color=red:s={_SIZE[0]}x{_SIZE[1]}:r=30"}, "it is frozen for"),
        ({"sound": "anullsrc=r=48000"}, "silent for 4.6 s"),
        ({"sound": _GOOD["sound"] + ",volume=-9dB"}, "loudness"),
        ({"sound": _GOOD["sound"] + ",volume=6dB"}, "true peak"),
        ({"sound_s": "4.5"}, "differ by 0.5"),
        ({"group": "45"}, "key frames lie 1.50 s apart"),
        ({"brand": "qt  "}, "not an MP4"),
    ],
)
def test_a_bad_file_is_refused_with_the_reason(
    ctx: FakeContext, changes: dict[str, str], words: str
) -> None:
    video = _make(ctx.workdir, **changes)

    with pytest.raises(DeliveryRejected, match=words):
        _report(ctx, video)

    assert json.loads((ctx.workdir / "report.json").read_text())["passed"] is False


def test_texts_outside_the_safe_zone_are_a_miss(good: Path, ctx: FakeContext) -> None:
    with pytest.raises(DeliveryRejected, match="safe zone"):
        _report(ctx, good, safe_zone={"texts": 3, "outside": [[0, 0, 9, 9]]})


@pytest.mark.parametrize(
    ("captions", "words"),
    [
        ({"srt": 0.4, "vtt": 0.4, "burnt_in": 75.0}, r"captions \(burnt_in\) start up to 75.0 ms"),
        ({"srt": None, "vtt": 0.4}, r"captions \(srt\) do not hold the words"),
    ],
)
def test_captions_out_of_step_are_a_miss(
    good: Path, ctx: FakeContext, captions: dict[str, Any], words: str
) -> None:
    with pytest.raises(DeliveryRejected, match=words):
        _report(ctx, good, captions={"cues": 3, "limit_ms": 60.0, **captions})


def test_a_file_larger_than_its_platform_takes_is_a_miss(
    good: Path, ctx: FakeContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    strict = replace(profile("tiktok"), max_bytes=100_000)
    monkeypatch.setattr("pipeline.media.report.profile_named", lambda _name: strict)

    with pytest.raises(DeliveryRejected, match=r"tiktok takes at most 0\.1 MB"):
        _report(ctx, good, frame="9:16")


def test_a_loud_passage_is_a_miss_for_broadcast_alone(good: Path, ctx: FakeContext) -> None:
    assert _report(ctx, good)["passed"]
    with pytest.raises(DeliveryRejected, match="loudest three seconds have -1"):
        _report(ctx, good, "broadcast", fps=30)


def test_a_file_that_is_cut_short_or_no_mp4_is_refused(good: Path, ctx: FakeContext) -> None:
    cut = ctx.workdir / "cut.mp4"
    cut.write_bytes(good.read_bytes()[:-4000])
    text = ctx.workdir / "text.mp4"
    text.write_text("no video at all")

    for path in (cut, text, ctx.workdir / "missing.mp4"):
        with pytest.raises(DeliveryRejected, match="cannot be read"):
            probe(ctx, path)


def test_profiles_name_known_frames_and_sane_limits() -> None:
    for name in ("youtube_shorts", "instagram_reels", "tiktok", "linkedin", "youtube", "broadcast"):
        entry = profile(name)
        assert set(entry.frames) <= set(FRAME_SIZES)
        assert entry.fps_allowed[0] <= entry.fps <= entry.fps_allowed[1]
        assert entry.min_length_s < entry.max_length_s
        assert entry.max_bytes is None or entry.max_bytes > 100_000_000
    assert profile("broadcast").loudness == LoudnessTarget(-23.0, -1.0, -18.0)
