"""The two stages with real ffmpeg: what comes out, what is on screen, what is refused."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from errors import InvalidInput, JobCancelled
from jobs.payload import STYLES, VideoJob
from pipeline.providers.ffmpeg_compositor import FfmpegCompositor
from pipeline.providers.motion import MotionProvider
from pipeline.stage import StageInputs, StageOutput
from pipeline.stages.compositing import Compositing
from pipeline.stages.video_gen import VideoGen
from tests.pipeline.context import FakeContext
from tests.pipeline.visual import samples

SCALE = 0.25
SHORT = [
    ("hook", "Wake up.", "Wake up", "hero"),
    ("product", "Meet the kettle.", "The kettle", "hero"),
    ("benefit", "It boils fast.", "Boils fast", "list"),
    ("cta", "Order today.", "Order", "card"),
]


def film(folder: Path, job: VideoJob, seed: int = 7) -> tuple[dict[str, StageOutput], StageOutput]:
    for name in ("film", "join"):
        (folder / name).mkdir(parents=True)
    earlier = samples.earlier(folder, samples.script(SHORT), word_s=0.22)
    drawn = VideoGen(MotionProvider(scale=SCALE)).run(
        FakeContext(folder / "film", seed=seed), StageInputs(job, earlier)
    )
    earlier["video_gen"] = drawn
    stage = Compositing(FfmpegCompositor(mix=samples.mix_stub, report=samples.report_stub))
    return earlier, stage.run(FakeContext(folder / "join", seed=seed), StageInputs(job, earlier))


def probe(ctx: FakeContext, video: Path) -> str:
    argv = [ctx.ffmpeg, "-hide_banner", "-i", str(video), "-f", "null", "-"]
    return subprocess.run(argv, capture_output=True, text=True, check=True).stderr


def frame(ctx: FakeContext, video: Path, at_s: float) -> np.ndarray:
    argv = [ctx.ffmpeg, "-loglevel", "error", "-ss", str(at_s), "-i", str(video), "-frames:v", "1"]
    out = video.parent / "frame.png"
    subprocess.run([*argv, "-update", "1", "-y", str(out)], check=True)
    with Image.open(out) as picture:
        return np.asarray(picture.convert("RGB")).astype(int)


@pytest.fixture(scope="module", params=STYLES)
def made(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[dict[str, StageOutput], StageOutput]:
    folder = tmp_path_factory.mktemp(request.param)
    return film(folder, samples.job(style=request.param))


def test_the_file_is_what_platforms_ask_for(
    made: tuple[dict[str, StageOutput], StageOutput], tmp_path: Path
) -> None:
    _, out = made
    log = probe(FakeContext(tmp_path), out.files["video.mp4"])
    assert re.search(r"Video: h264 \(High\).*yuv420p\(tv, bt709, progressive\)", log)
    assert "30 fps" in log
    assert re.search(r"Audio: aac \(LC\).*48000 Hz, stereo", log)
    head = out.files["video.mp4"].read_bytes()
    assert head.index(b"moov") < head.index(b"mdat")
    assert b"elst" not in head


def pictures(ctx: FakeContext, video: Path) -> list[tuple[float, float]]:
    """(time in seconds, mean brightness) of each frame, as a player that knows no edit list."""
    argv = [ctx.ffmpeg, "-ignore_editlist", "1", "-i", str(video), "-an", "-vf", "showinfo"]
    done = subprocess.run([*argv, "-f", "null", "-"], capture_output=True, text=True, check=True)
    found = re.findall(r"pts_time:([\d.]+).*?mean:\[(\d+)", done.stderr)
    return [(float(at_s), float(mean)) for at_s, mean in found]


def sound(ctx: FakeContext, video: Path) -> np.ndarray:
    argv = [ctx.ffmpeg, "-loglevel", "error", "-ignore_editlist", "1", "-i", str(video), "-vn"]
    done = subprocess.run([*argv, "-f", "s16le", "-ac", "1", "-"], capture_output=True, check=True)
    return np.frombuffer(done.stdout, np.int16).astype(int)


def test_sound_and_pictures_begin_and_end_together(
    made: tuple[dict[str, StageOutput], StageOutput], tmp_path: Path
) -> None:
    earlier, out = made
    ctx, video = FakeContext(tmp_path), out.files["video.mp4"]
    shown = pictures(ctx, video)
    assert len(shown) == earlier["video_gen"].data["frames"]
    assert shown[0][0] == 0.0
    assert np.allclose(np.diff([at_s for at_s, _ in shown]), 1 / 30, atol=0.001)
    assert abs(len(sound(ctx, video)) / 48000 - len(shown) / 30) <= 1 / 30


def test_sound_is_in_step_with_the_pictures(tmp_path: Path) -> None:
    """A click in the sound and a cut in the pictures at one time come out at one time."""
    cut_f = 45

    def click(ctx: FakeContext, *, duration_s: float, **_: object) -> SimpleNamespace:
        path = samples.tone(ctx.workdir / "mixed.wav", duration_s, 48000, 2)
        raw = bytearray(path.read_bytes())
        at = 44 + round(cut_f / 30 * 48000) * 4
        raw[44:] = bytes(len(raw) - 44)
        raw[at : at + 4000] = b"\xff\x5f" * 2000
        path.write_bytes(raw)
        return SimpleNamespace(path=path)

    ctx = FakeContext(tmp_path / "join")
    ctx.workdir.mkdir()
    for n, color in enumerate(("black", "white")):
        source = f"color={color}:s=270x480:r=30:d=2"
        argv = [ctx.ffmpeg, "-loglevel", "error", "-f", "lavfi", "-i", source]
        subprocess.run([*argv, str(tmp_path / f"scene-{n}.mp4")], check=True)
    plan = {
        "kind": "clips", "width": 270, "height": 480, "fps": 30, "frames": 90,
        "scenes": [
            {"start_f": 0, "end_f": cut_f, "clip": "scene-0.mp4"},
            {"start_f": cut_f, "end_f": 90, "clip": "scene-1.mp4"},
        ],
    }  # fmt: skip
    earlier = samples.earlier(tmp_path, samples.script(SHORT))
    clips = {f"scene-{n}.mp4": tmp_path / f"scene-{n}.mp4" for n in range(2)}
    earlier["video_gen"] = StageOutput(plan, clips)
    compositor = FfmpegCompositor(mix=click, report=samples.report_stub)
    video = compositor.compose(samples.job(), earlier, ctx).files["video.mp4"]
    seen_s = next(at_s for at_s, mean in pictures(ctx, video) if mean > 120)
    heard_s = int(np.argmax(np.abs(sound(ctx, video)) > 8000)) / 48000
    assert seen_s == pytest.approx(cut_f / 30, abs=0.001)
    assert heard_s == pytest.approx(seen_s, abs=0.005)


def test_everything_promised_is_there(
    made: tuple[dict[str, StageOutput], StageOutput],
) -> None:
    _, out = made
    expected = {"video.mp4", "captions.srt", "captions.vtt", "poster.jpg", "report.json"}
    assert set(out.files) == expected
    assert all(path.stat().st_size for path in out.files.values())
    with Image.open(out.files["poster.jpg"]) as poster:
        assert poster.size == (out.data["width"], out.data["height"])
    assert out.data["report"]["extra"]["safe_zone"]["outside"] == []
    assert out.data["report"]["extra"]["corrections"] == []


def test_titles_captions_and_colours_are_on_screen(
    made: tuple[dict[str, StageOutput], StageOutput], tmp_path: Path
) -> None:
    earlier, out = made
    plan = earlier["video_gen"].data
    ctx = FakeContext(tmp_path)
    scene = plan["scenes"][-1]
    shown = frame(ctx, out.files["video.mp4"], (scene["start_f"] + 14) / 30)
    x, y, w, h = (round(v) for v in plan["caption_zone"])
    assert shown[y : y + h, x : x + w].std() > 12  # letters, not an even ground
    shown = frame(ctx, out.files["video.mp4"], (scene["end_f"] - 5) / 30)
    paper = np.array([int(scene["colors"]["paper"][i : i + 2], 16) for i in (1, 3, 5)])
    if plan["style"] == "bold":  # its paper is flat: the colour must survive the conversion
        assert np.abs(np.median(shown[:8], axis=(0, 1)) - paper).max() <= 16
    x, y, w, h = (round(v) for v in scene["texts"][0])
    assert shown[y : y + h, x : x + w].std() > 20


def test_motion_never_stops_while_the_hero_stands(
    made: tuple[dict[str, StageOutput], StageOutput], tmp_path: Path
) -> None:
    earlier, out = made
    scene = earlier["video_gen"].data["scenes"][-1]
    middle = (scene["start_f"] + scene["end_f"]) / 60
    ctx = FakeContext(tmp_path)
    one, two = (frame(ctx, out.files["video.mp4"], middle + shift) for shift in (0, 0.4))
    assert np.abs(one - two).max() > 8


def test_the_slow_zoom_does_not_shake(tmp_path: Path) -> None:
    """The product card's left edge moves by the same fraction of a pixel in every frame."""
    photo = tmp_path / "photo.png"
    Image.new("RGB", (400, 500), "black").save(photo)
    _, out = film(tmp_path, samples.job(style="minimal", images=[str(photo)]))
    ctx = FakeContext(tmp_path)
    argv = [ctx.ffmpeg, "-loglevel", "error", "-i", str(out.files["video.mp4"]), "-f", "rawvideo"]
    raw = subprocess.run([*argv, "-pix_fmt", "gray", "-"], capture_output=True, check=True).stdout
    width, height = out.data["width"], out.data["height"]
    frames = np.frombuffer(raw, np.uint8).reshape(-1, height, width)
    row = frames[-40:, round(height * 0.22), : width // 2].astype(float)
    # Where the dark card begins, to a fraction of a pixel: the row's mean against its extremes.
    edges = (row - row.min(axis=1, keepdims=True)).sum(axis=1) / np.ptp(row, axis=1)
    steps = np.diff(edges)
    assert edges[0] - edges[-1] > 0.5  # it does move
    assert np.abs(steps - steps.mean()).max() < 0.25


def test_equal_job_and_seed_give_equal_pictures(tmp_path: Path) -> None:
    files = []
    for run in ("a", "b"):
        folder = tmp_path / run
        folder.mkdir()
        earlier = samples.earlier(folder, samples.script(SHORT))
        inputs = StageInputs(samples.job(style="bold"), earlier)
        out = VideoGen(MotionProvider(scale=SCALE)).run(FakeContext(folder), inputs)
        files.append({name: path.read_bytes() for name, path in out.files.items()})
    assert files[0] == files[1]


def test_no_text_of_the_user_reaches_a_script_or_an_argument(tmp_path: Path) -> None:
    name = '100% "Real": {Braces} \\ back\'slash'
    seen: list[str] = []

    class Watched(FakeContext):
        def run(self, argv, **details):  # type: ignore[no-untyped-def]  # as FakeContext.run
            seen.extend(argv)
            return super().run(argv, **details)

    folder = tmp_path
    earlier = samples.earlier(folder, samples.script([(*SHORT[0][:2], name, "hero"), *SHORT[1:]]))
    job = samples.job(product_name=name)
    (folder / "a").mkdir()
    earlier["video_gen"] = MotionProvider(scale=SCALE).film(
        job, earlier["script_gen"].data, earlier["voice_gen"].data, {}, Watched(folder / "a"),  # type: ignore[arg-type]
    )  # fmt: skip
    (folder / "b").mkdir()
    FfmpegCompositor(mix=samples.mix_stub, report=samples.report_stub).compose(
        job, earlier, Watched(folder / "b")
    )
    drawn = (folder / "b" / "titles.ass").read_text() + (folder / "b" / "captions.ass").read_text()
    for text in ("Braces", "Real", "kettle"):
        assert text not in drawn
        assert text not in " ".join(seen)


def test_a_picture_that_is_none_fails_the_job_with_its_field(tmp_path: Path) -> None:
    bad = tmp_path / "bad.png"
    bad.write_text("nothing to see")
    earlier = samples.earlier(tmp_path, samples.script(SHORT))
    inputs = StageInputs(samples.job(images=[str(bad)]), earlier)
    with pytest.raises(InvalidInput, match=r"images\.0: is not a PNG"):
        VideoGen(MotionProvider(scale=SCALE)).run(FakeContext(tmp_path), inputs)


def test_a_cancelled_encode_leaves_no_process(tmp_path: Path) -> None:
    class Cancelled(FakeContext):
        def progress(self, fraction: float, note: str = "") -> None:
            if fraction > 0.3:
                raise JobCancelled
            super().progress(fraction, note)

    earlier = samples.earlier(tmp_path, samples.script(SHORT))
    (tmp_path / "film").mkdir()
    job = samples.job()
    earlier["video_gen"] = VideoGen(MotionProvider(scale=SCALE)).run(
        FakeContext(tmp_path / "film"), StageInputs(job, earlier)
    )
    (tmp_path / "join").mkdir()
    stage = Compositing(FfmpegCompositor(mix=samples.mix_stub, report=samples.report_stub))
    with pytest.raises(JobCancelled):
        stage.run(Cancelled(tmp_path / "join"), StageInputs(job, earlier))
    for process in Path("/proc").glob("[0-9]*"):
        try:
            folder = (process / "cwd").readlink()
        except OSError:
            continue
        assert folder != tmp_path / "join"


def test_filmed_clips_are_joined_and_captioned(tmp_path: Path) -> None:
    earlier = samples.earlier(tmp_path, samples.script(SHORT))
    ctx = FakeContext(tmp_path / "join")
    ctx.workdir.mkdir()
    clip = tmp_path / "scene-0.mp4"
    source = "testsrc2=size=320x240:rate=24:duration=1"
    subprocess.run(
        [
            ctx.ffmpeg,
            "-loglevel",
            "error",
            "-f",
            "lavfi",
            "-i",
            source,
            "-pix_fmt",
            "yuv420p",
            clip,
        ],
        check=True,
    )
    plan = {
        "kind": "clips", "width": 270, "height": 480, "fps": 30, "frames": 90,
        "scenes": [
            {"start_f": 0, "end_f": 40, "clip": "scene-0.mp4"},
            {"start_f": 40, "end_f": 90, "clip": "scene-0.mp4"},
        ],
    }  # fmt: skip
    earlier["video_gen"] = StageOutput(plan, {"scene-0.mp4": clip})
    compositor = FfmpegCompositor(mix=samples.mix_stub, report=samples.report_stub)
    out = compositor.compose(samples.job(), earlier, ctx)
    assert re.search(r"frame=\s*90 ", probe(ctx, out.files["video.mp4"]))
