"""Several videos of one job: what they are called, what they share, and that sharing shows not."""

from __future__ import annotations

import json
import math
import struct
import subprocess
import wave
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from jobs.payload import VideoJob
from pipeline.cuts import Cut, cuts_of, job_of, script_of, voice_of, whole_script
from pipeline.media.timeline import scene_spans
from pipeline.providers.ffmpeg_compositor import FfmpegCompositor
from pipeline.providers.motion import MotionProvider
from pipeline.providers.script_ports import Script, VoiceData
from pipeline.providers.template_script import TemplateScript
from pipeline.stage import Json, StageInputs, StageOutput
from pipeline.stages.compositing import Compositing
from pipeline.stages.script_gen import ScriptGen
from pipeline.stages.video_gen import VideoGen
from tests.pipeline.context import FakeContext
from tests.pipeline.visual import samples

SCALE = 0.2
VARIANTS = {"hooks": 2, "ctas": ["Try it free"]}


def scripted(job: VideoJob, folder: Path) -> Json:
    return ScriptGen(TemplateScript()).run(FakeContext(folder), StageInputs(job, {})).data


def test_a_job_for_one_video_has_one_cut_without_a_name() -> None:
    [cut] = cuts_of(samples.job())
    assert cut == Cut("", "9:16", 0, 0)
    assert cut.file("video", ".mp4") == "video.mp4"


def test_cuts_are_named_by_what_differs() -> None:
    frames = cuts_of(samples.job(frames=["9:16", "16:9"]))
    assert [cut.name for cut in frames] == ["9x16", "16x9"]
    assert [job_of(samples.job(), cut).platform for cut in frames] == ["youtube_shorts", "youtube"]
    many = cuts_of(samples.job(variants=VARIANTS))
    assert [cut.name for cut in many] == ["hook1-cta1", "hook1-cta2", "hook2-cta1", "hook2-cta2"]
    assert job_of(samples.job(variants=VARIANTS), many[1]).cta_text == "Try it free"


@pytest.mark.parametrize("style", ["minimal", "bold"])
def test_each_variant_has_words_of_its_own(style: str, tmp_path: Path) -> None:
    calls = ["Try it free", "See how"]
    job = samples.job(style=style, variants={"hooks": 5, "ctas": calls})
    script = cast(Script, scripted(job, tmp_path))
    whole = whole_script(script)["scenes"]
    hooks = [whole[0], *script["alternatives"]["hooks"]]
    assert len({scene["spoken"] for scene in hooks}) == 5
    assert all(scene["on_screen"] not in scene["spoken"] for scene in hooks[1:])
    ends = [script_of(script, cut)["scenes"][-1]["on_screen"] for cut in cuts_of(job)[:3]]
    assert ends == ["Shop the kettle", *calls]


def recording(folder: Path, script: Script) -> tuple[VoiceData, Path]:
    """Everything spoken, each scene a tone of its own pitch, none beginning on a frame."""
    data = samples.voice(cast(Json, whole_script(script)), word_s=0.317, pause_s=0.191)
    path = folder / "voice.wav"
    rate = data["sample_rate"]
    sound = [0] * round(data["duration_s"] * rate)
    for number, scene in enumerate(data["scenes"]):
        for at in range(round(scene["start_s"] * rate), round(scene["end_s"] * rate)):
            sound[at] = int(8000 * math.sin(2 * math.pi * (200 + 50 * number) * at / rate))
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(struct.pack(f"<{len(sound)}h", *sound))
    return cast(VoiceData, data), path


def test_a_cuts_voice_holds_its_scenes_each_from_a_frame_on(tmp_path: Path) -> None:
    job = samples.job(variants=VARIANTS)
    script = cast(Script, scripted(job, tmp_path))
    data, wav = recording(tmp_path, script)
    cut = cuts_of(job)[-1]
    spoken = voice_of(job, script, data, cut, 30)
    starts = [scene["start_s"] * 30 for scene in spoken.data["scenes"]]
    assert starts == pytest.approx([round(start) for start in starts], abs=1e-4)
    words = [[w["text"] for w in scene["words"]] for scene in spoken.data["scenes"]]
    assert words == [scene["spoken"].split() for scene in script_of(script, cut)["scenes"]]
    out = tmp_path / "cut.wav"
    spoken.write(wav, out)
    with wave.open(str(out)) as file:
        rate = file.getframerate()
        sound = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    assert len(sound) == pytest.approx(spoken.data["duration_s"] * rate, abs=1)
    # The last scene's pitch says that it is the other call to action: the last one recorded.
    last = spoken.data["scenes"][-1]
    piece = sound[round((last["start_s"] + 0.05) * rate) : round((last["end_s"] - 0.05) * rate)]
    pitch = np.abs(np.fft.rfft(piece)).argmax() * rate / len(piece)
    assert pitch == pytest.approx(200 + 50 * (len(data["scenes"]) - 1), abs=8)


def test_a_scene_is_as_long_in_every_cut(tmp_path: Path) -> None:
    job = samples.job(variants=VARIANTS)
    script = cast(Script, scripted(job, tmp_path))
    data, _ = recording(tmp_path, script)
    lengths = []
    for cut in cuts_of(job):
        spans = scene_spans(voice_of(job, script, data, cut, 30).data, 30)
        lengths.append([end - start for start, end in spans][1:-1])
    assert len({tuple(middle) for middle in lengths}) == 1


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[StageOutput, dict[str, Any]]:
    """All four variants of an ad, small; and the earlier stages' outputs."""
    folder = tmp_path_factory.mktemp("variants")
    for name in ("film", "join"):
        (folder / name).mkdir()
    job = samples.job(variants=VARIANTS, benefits=["Boils fast"], duration_s=6, style="bold")
    script = scripted(job, folder)
    data, wav = recording(folder, cast(Script, script))
    earlier = {
        "script_gen": StageOutput(script),
        "voice_gen": StageOutput({**data}, {"voice.wav": wav}),
    }
    inputs = StageInputs(job, earlier)
    earlier["video_gen"] = VideoGen(MotionProvider(scale=SCALE)).run(
        FakeContext(folder / "film"), inputs
    )
    stage = Compositing(FfmpegCompositor(mix=samples.mix_stub, report=samples.report_stub))
    return stage.run(FakeContext(folder / "join"), inputs), earlier


def test_a_further_hook_or_call_encodes_only_the_scenes_that_differ(
    made: tuple[StageOutput, dict[str, Any]],
) -> None:
    output, earlier = made
    scenes = len(earlier["script_gen"].data["scenes"])
    encoded = [cut["scenes_encoded"] for cut in output.data["cuts"]]
    assert encoded == [scenes, 1, 1, 0]
    names = [cut["files"]["video.mp4"] for cut in output.data["cuts"]]
    assert names == [
        "video.mp4",
        "video-hook1-cta2.mp4",
        "video-hook2-cta1.mp4",
        "video-hook2-cta2.mp4",
    ]
    assert "contact-sheet.jpg" in output.files


def frames_of(video: Path) -> np.ndarray:
    ffmpeg = FakeContext(video.parent).ffmpeg
    argv = [ffmpeg, "-loglevel", "error", "-i", str(video), "-vf", "scale=54:96"]
    raw = subprocess.run(
        [*argv, "-f", "rawvideo", "-pix_fmt", "gray", "-"], capture_output=True, check=True
    ).stdout
    return np.frombuffer(raw, np.uint8).reshape(-1, 96, 54).astype(int)


def test_joined_scenes_look_like_an_ad_rendered_whole(
    made: tuple[StageOutput, dict[str, Any]], tmp_path: Path
) -> None:
    output, earlier = made
    plan = earlier["video_gen"].data["cuts"]["hook2-cta2"]
    joined = frames_of(output.files["video-hook2-cta2.mp4"])
    assert len(joined) == plan["frames"]
    files = {
        name.removeprefix("hook2-cta2/"): path
        for name, path in earlier["video_gen"].files.items()
        if name.startswith("hook2-cta2/")
    }
    script = cast(Script, earlier["script_gen"].data)
    job = samples.job(variants=VARIANTS, benefits=["Boils fast"], duration_s=6, style="bold")
    cut = cuts_of(job)[-1]
    times = voice_of(job, script, earlier["voice_gen"].data, cut, 30).data
    alone = Compositing(FfmpegCompositor(mix=samples.mix_stub, report=samples.report_stub)).run(
        FakeContext(tmp_path),
        StageInputs(
            job_of(job, cut),
            {
                "script_gen": StageOutput({**script_of(script, cut)}),
                "voice_gen": StageOutput({**times}, earlier["voice_gen"].files),
                "video_gen": StageOutput(plan, files),
            },
        ),
    )
    whole = frames_of(alone.files["video.mp4"])
    assert len(whole) == len(joined)
    # A sub-pixel step of a glide at most: no frame is missing, doubled or another's.
    assert np.abs(whole - joined).mean(axis=(1, 2)).max() < 3


def test_data_survives_a_checkpoint(made: tuple[StageOutput, dict[str, Any]]) -> None:
    output, earlier = made
    for data in (output.data, earlier["video_gen"].data):
        assert json.loads(json.dumps(data)) == data
