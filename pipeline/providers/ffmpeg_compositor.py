"""The embedded compositor: one ffmpeg filtergraph and one encode, then measured.

1. captions are grouped from the voice's times, drawn (if asked) and written as SRT and VTT;
2. pictures, titles and captions are joined and encoded in one run;
3. beside it the sound is mixed to its target and encoded; the two are joined by copying bits;
4. a poster is taken, and the finished file is measured: a miss raises, nothing bad is handed on.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, cast
from xml.sax.saxutils import escape

from jobs.payload import VideoJob
from pipeline.media import codec_peak, encoder, segments, stills
from pipeline.media.ass import PLACEHOLDER_FONT
from pipeline.media.caption_times import caption_times
from pipeline.media.captions import Cue, group_words, write_srt, write_vtt
from pipeline.media.children import child_env, python_child
from pipeline.media.filtergraph import build
from pipeline.media.fonts import font_file
from pipeline.media.loudness import LoudnessTarget
from pipeline.media.profiles import fps_of, profile
from pipeline.providers.script_ports import VoiceData
from pipeline.stage import Json, StageContext, StageOutput

_TIMEOUT_S = 600.0


class FfmpegCompositor:
    """`mix` and `report` are the functions of media/audio.py and media/report.py."""

    name = "ffmpeg"
    version = "2"

    def __init__(
        self,
        *,
        mix: Callable[..., Any] | None = None,
        report: Callable[..., Json] | None = None,
    ) -> None:
        self._mix = mix
        self._report = report

    def compose(
        self,
        job: VideoJob,
        earlier: Mapping[str, StageOutput],
        ctx: StageContext,
        *,
        shared: Path | None = None,
    ) -> StageOutput:
        plan, voice = earlier["video_gen"].data, cast(VoiceData, earlier["voice_gen"].data)
        duration_s = plan["frames"] / plan["fps"]
        _gather(earlier, ctx.workdir)
        cues = group_words(voice["scenes"])
        write_srt(cues, ctx.workdir / "captions.srt")
        write_vtt(cues, ctx.workdir / "captions.vtt")
        burnt = job.captions and bool(cues) and "caption_zone" in plan
        if burnt:
            language = str(earlier["script_gen"].data.get("language", job.language))
            order = caption_order(plan, cues, language)
            python_child(ctx, "pipeline.media.draw_captions", order, timeout_s=60.0)
        ctx.progress(0.08, "encoding")
        scenes_made = None
        if shared is not None and plan["kind"] == "layers":
            track = self._track(job, voice, ctx, duration_s, shared)
            picture, scenes_made = self._segments(plan, shared, ctx, captions=burnt)
        else:
            # The mix keeps one core busy for a quarter of the time that the picture needs.
            with self._encoding(plan, ctx, captions=burnt):
                track = self._track(job, voice, ctx, duration_s, shared)
            picture = ["-protocol_whitelist", "file,pipe", "-f", "mov", "-i", "picture.mp4"]
        self._join(picture, track, ctx)
        ctx.progress(0.95, "measuring")
        times = caption_times(
            voice["scenes"], cues, ctx.workdir, burnt_fps=plan["fps"] if burnt else None
        )
        with self._poster(plan, ctx):
            return self._measured(job, plan, voice, duration_s, ctx, scenes_made, times)

    def _track(
        self,
        job: VideoJob,
        voice: VoiceData,
        ctx: StageContext,
        duration_s: float,
        shared: Path | None,
    ) -> Path:
        """The sound as it will be delivered."""
        sound = self._sound(job, voice, ctx, duration_s, shared)
        return codec_peak.encode_sound(ctx, sound, _target(job).true_peak_dbtp)

    def _sound(
        self,
        job: VideoJob,
        voice: VoiceData,
        ctx: StageContext,
        duration_s: float,
        shared: Path | None,
    ) -> Path:
        """The mix; one that another frame of the same words has made is used again."""
        if shared is None:
            return self.mixed(job, voice, ctx, duration_s)
        about = json.dumps([voice, duration_s, _target(job)], sort_keys=True, default=str)
        kept = shared / f"{hashlib.sha256(about.encode()).hexdigest()[:32]}.wav"
        if not kept.exists():
            self.mixed(job, voice, ctx, duration_s).replace(kept)
        return kept

    def mixed(self, job: VideoJob, voice: VoiceData, ctx: StageContext, duration_s: float) -> Path:
        """Mix `voice.wav` of the stage's folder with the job's music; returns the wav."""
        mix = self._mix
        if mix is None:
            from pipeline.media.audio import mix_audio

            mix = mix_audio
        spans = [(scene["start_s"], scene["end_s"]) for scene in voice["scenes"]]
        mixed = mix(
            ctx, voice=ctx.workdir / "voice.wav", spans=spans, music=job.music, style=job.style,
            duration_s=duration_s, seed=ctx.seed, target=_target(job),
        )  # fmt: skip
        return cast(Path, mixed.path)

    def _encoding(
        self, plan: Json, ctx: StageContext, *, captions: bool
    ) -> AbstractContextManager[None]:
        """Encodes the picture into `picture.mp4` while the body of the `with` runs."""
        graph = build(plan, captions=captions)
        argv = [
            ctx.ffmpeg, "-hide_banner", "-nostdin", "-y", "-loglevel", "error", "-nostats",
            "-progress", "pipe:1", *graph.inputs, "-filter_complex", graph.text,
            "-map", "[video]", "-frames:v", str(plan["frames"]),
            *encoder.video_args(plan["fps"]), *encoder.container_args(), "picture.mp4",
        ]  # fmt: skip

        def on_line(line: bytes) -> None:
            key, _, value = line.partition(b"=")
            if key == b"frame" and value.strip().isdigit():
                share = min(1.0, int(value) / plan["frames"])
                ctx.progress(0.08 + 0.82 * share, "encoding")

        env = child_env(FONTCONFIG_FILE=str(one_font(ctx.workdir)))
        return ctx.beside(argv, timeout_s=_TIMEOUT_S, on_stdout_line=on_line, env=env)

    def _segments(
        self, plan: Json, shared: Path, ctx: StageContext, *, captions: bool
    ) -> tuple[list[str], int]:
        """Scene by scene, those that another cut has encoded used again; how many were not."""
        env = child_env(FONTCONFIG_FILE=str(one_font(ctx.workdir)))
        found, made = segments.render(ctx, plan, shared, captions=captions, env=env)
        return segments.joining(found, shared, f"{ctx.workdir.name}.txt"), made

    def _join(self, picture: list[str], track: Path, ctx: StageContext) -> None:
        """Picture and sound, encoded already, into one file: nothing but bits is copied."""
        argv = [
            ctx.ffmpeg, "-hide_banner", "-nostdin", "-y", "-loglevel", "error", *picture,
            "-protocol_whitelist", "file,pipe", "-f", "mov", "-i", str(track),
            "-map", "0:v", "-map", "1:a", "-c", "copy", *encoder.container_args(), "video.mp4",
        ]  # fmt: skip
        ctx.run(argv, timeout_s=_TIMEOUT_S, env=child_env())

    def _poster(self, plan: Json, ctx: StageContext) -> AbstractContextManager[None]:
        """The frame that shows most: the product scene's last third, else the end card's.

        Taken while the body of the `with` runs.
        """
        shown = [scene for scene in plan["scenes"] if scene.get("hero")] or plan["scenes"]
        at_s = stills.settled_s(shown[0], plan["fps"])
        argv = stills.taking(ctx, ctx.workdir / "video.mp4", at_s, ctx.workdir / "poster.jpg")
        return ctx.beside(argv, timeout_s=stills.TIMEOUT_S)

    def _measured(
        self,
        job: VideoJob,
        plan: Json,
        voice: VoiceData,
        duration_s: float,
        ctx: StageContext,
        scenes_made: int | None,
        captions: Json,
    ) -> StageOutput:
        report = self._report
        if report is None:
            from pipeline.media.report import write_report

            report = write_report
        video = ctx.workdir / "video.mp4"
        platform = job.platform_of(job.frames[0])
        extra = {
            "style": plan.get("style", job.style), "frame": job.frames[0], "fps": fps_of(platform),
            "safe_zone": _safe_zone(plan), "captions": captions,
            "corrections": plan.get("corrections", []),
        }  # fmt: skip
        measured = report(
            ctx, video, ctx.workdir / "report.json", profile=platform,
            voice_scenes=voice["scenes"], job_id=job.id, extra=extra,
        )  # fmt: skip
        names = ("video.mp4", "captions.srt", "captions.vtt", "poster.jpg", "report.json")
        return StageOutput(
            data={
                "duration_s": round(duration_s, 3),
                "width": plan["width"],
                "height": plan["height"],
                "fps": plan["fps"],
                "size_bytes": video.stat().st_size,
                **({"scenes_encoded": scenes_made} if scenes_made is not None else {}),
                "report": measured,
            },
            files={name: ctx.workdir / name for name in names},
        )


def _target(job: VideoJob) -> LoudnessTarget:
    return profile(job.platform_of(job.frames[0])).loudness


def one_font(folder: Path) -> Path:
    """A fontconfig file that knows one bundled font and none of the machine's.

    All text is outlines, but libass draws nothing before it has found some font; left alone it
    scans every font of the machine, and on a bare one finds none.
    """
    fonts = folder / "fonts"
    fonts.mkdir(exist_ok=True)
    _place(font_file(PLACEHOLDER_FONT), fonts / "font.ttf")
    config = folder / "fonts.conf"
    config.write_text(
        f'<?xml version="1.0"?><fontconfig><dir>{escape(str(fonts))}</dir>'
        f"<cachedir>{escape(str(fonts))}</cachedir></fontconfig>"
    )
    return config


def _gather(earlier: Mapping[str, StageOutput], folder: Path) -> None:
    """Bring what the graph names into the stage's own folder, under its own names."""
    for name, path in earlier["video_gen"].files.items():
        _place(path, folder / name)
    _place(earlier["voice_gen"].files["voice.wav"], folder / "voice.wav")


def _place(source: Path, target: Path) -> None:
    if source.resolve() == target.resolve():
        return
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:  # another file system
        shutil.copyfile(source, target)


def caption_order(plan: Json, cues: list[Cue], language: str) -> Json:
    """Everything that the captions' drawing child needs, as JSON."""

    def scene_at(at_s: float) -> Json:
        frame = at_s * plan["fps"]
        return next((s for s in plan["scenes"] if frame < s["end_f"]), plan["scenes"][-1])

    return {
        "width": plan["width"],
        "height": plan["height"],
        "fps": plan["fps"],
        "style": plan["style"],
        "zone": plan["caption_zone"],
        "language": language,
        "cues": [
            {
                "start_s": cue.start_s,
                # A cue goes with its scene, whose colours it has.
                "end_s": min(cue.end_s, scene_at(cue.start_s)["end_f"] / plan["fps"]),
                "words": [
                    {"text": word.text, "start_s": word.start_s, "end_s": word.end_s}
                    for word in cue.words
                ],
                "colors": scene_at(cue.start_s)["colors"],
            }
            for cue in cues
        ],
    }


def _safe_zone(plan: Json) -> Json | None:
    """Whether all text lies in the safe zone, from the plan's own boxes."""
    if "safe" not in plan:
        return None
    x, y, w, h = plan["safe"]
    boxes = [box for scene in plan["scenes"] for box in scene.get("texts", [])]
    outside = [
        box for box in boxes
        if box[0] < x - 2 or box[1] < y - 2 or box[0] + box[2] > x + w + 2
        or box[1] + box[3] > y + h + 2
    ]  # fmt: skip
    return {"texts": len(boxes), "outside": outside}
