"""The videos that one job asks for: each frame with each hook and each call to action.

They share what they can. The script is written once, with its other hooks and calls beside it;
all of it is spoken once; and a cut's voice is put together from the scenes that it shows, each
beginning on a frame, so that a scene looks the same in every cut of a frame.
"""

from __future__ import annotations

import wave
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jobs.payload import Frame, Variants, VideoJob
from pipeline.providers.pace import pace_for
from pipeline.providers.script_ports import Script, SpokenScene, VoiceData, alternatives_of


@dataclass(frozen=True)
class Cut:
    """One video of a job. `name` is "" where the job asks for one only, else such as
    "1x1-hook2-cta1": what is the same in all cuts is left out of it."""

    name: str
    frame: Frame
    hook: int
    cta: int

    def file(self, stem: str, suffix: str) -> str:
        """A file name of this cut's own, such as "video-1x1.mp4"."""
        return f"{stem}-{self.name}{suffix}" if self.name else f"{stem}{suffix}"


def cuts_of(job: VideoJob) -> list[Cut]:
    """All cuts; the first is the one that stands for the job."""
    calls = 1 + len(job.variants.ctas)
    cuts = []
    for frame in job.frames:
        for hook in range(job.variants.hooks):
            for cta in range(calls):
                parts = [
                    frame.replace(":", "x") if len(job.frames) > 1 else "",
                    f"hook{hook + 1}" if job.variants.hooks > 1 else "",
                    f"cta{cta + 1}" if calls > 1 else "",
                ]
                cuts.append(Cut("-".join(filter(None, parts)), frame, hook, cta))
    return cuts


def job_of(job: VideoJob, cut: Cut) -> VideoJob:
    """The job as if it asked for this cut alone."""
    call = (job.cta_text, *job.variants.ctas)[cut.cta]
    platform = job.platform_of(cut.frame)
    own = {"frames": (cut.frame,), "platform": platform, "cta_text": call, "variants": Variants()}
    return job.model_copy(update=own)


def whole_script(script: Script) -> Script:
    """Everything that is to be spoken, as one script: the ad, then its other hooks and calls."""
    others = alternatives_of(script)
    scenes = [*script["scenes"], *others["hooks"], *others["ctas"]]
    return {"language": script["language"], "scenes": scenes}


def script_of(script: Script, cut: Cut) -> Script:
    """The words of one cut."""
    whole = whole_script(script)["scenes"]
    return {
        "language": script["language"],
        "scenes": [whole[number] for number in _numbers(script, cut)],
    }


@dataclass(frozen=True)
class CutVoice:
    """A cut's voice: its times, and the piece of the recording for each scene, in seconds."""

    data: VoiceData
    pieces: tuple[tuple[float, float], ...]

    def write(self, recording: Path, path: Path) -> None:
        """Put the pieces together (mono 16-bit PCM)."""
        with wave.open(str(recording), "rb") as source, wave.open(str(path), "wb") as out:
            out.setparams(source.getparams())
            rate, width = source.getframerate(), source.getsampwidth()
            total = round(self.data["duration_s"] * rate)
            sound = bytearray(total * width)
            for scene, (start_s, end_s) in zip(self.data["scenes"], self.pieces, strict=True):
                source.setpos(round(start_s * rate))
                piece = source.readframes(round(end_s * rate) - round(start_s * rate))
                at = round(scene["start_s"] * rate) * width
                sound[at : at + len(piece)] = piece
            out.writeframes(bytes(sound[: total * width]))


def voice_of(job: VideoJob, script: Script, voice: VoiceData, cut: Cut, fps: int) -> CutVoice:
    """The voice of one cut, from the recording of everything."""
    pace = pace_for(job.style, job.duration_s)
    scenes: list[SpokenScene] = []
    pieces = []
    clock_s = pace.head_s
    for number in _numbers(script, cut):
        spoken = voice["scenes"][number]
        # On a frame, so that the words of a scene fall on the same frames in every cut.
        start_s = _up_to_frame(clock_s, fps)
        scenes.append(_moved(spoken, start_s - spoken["start_s"]))
        pieces.append((spoken["start_s"], spoken["end_s"]))
        clock_s = start_s + spoken["end_s"] - spoken["start_s"] + pace.scene_pause_s
    duration_s = clock_s - pace.scene_pause_s + pace.tail_s
    return CutVoice({**voice, "duration_s": duration_s, "scenes": scenes}, tuple(pieces))


def _numbers(script: Script, cut: Cut) -> Sequence[int]:
    """Which scenes of the whole script make up the cut."""
    base = len(script["scenes"])
    others = alternatives_of(script)
    first = 0 if cut.hook == 0 else base + cut.hook - 1
    last = base - 1 if cut.cta == 0 else base + len(others["hooks"]) + cut.cta - 1
    return [first, *range(1, base - 1), last]


def _up_to_frame(seconds: float, fps: int) -> float:
    return -(-round(seconds * fps, 6) // 1) / fps


def _moved(scene: SpokenScene, by_s: float) -> SpokenScene:
    return {
        "start_s": round(scene["start_s"] + by_s, 6),
        "end_s": round(scene["end_s"] + by_s, 6),
        "words": [
            {
                "text": word["text"],
                "start_s": round(word["start_s"] + by_s, 6),
                "end_s": round(word["end_s"] + by_s, 6),
            }
            for word in scene["words"]
        ],
    }
