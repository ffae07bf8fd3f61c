"""The last stage: pictures, voice, music and captions become the finished files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import cast

from pipeline.cuts import Cut, cuts_of, job_of, script_of, voice_of
from pipeline.media import stills
from pipeline.media.children import python_child
from pipeline.providers.script_ports import Script, VoiceData
from pipeline.providers.video_ports import Compositor
from pipeline.stage import Json, StageContext, StageInputs, StageOutput

_SHEET = "contact-sheet.jpg"
_STILL_PX = 480


class Compositing:
    """Hands all earlier outputs to a compositor, cut by cut; publishes what it makes.

    The first cut's files have plain names (video.mp4); the others' end on the cut's name.
    """

    name = "compositing"

    def __init__(self, provider: Compositor) -> None:
        self._provider = provider
        self.provider = f"{provider.name}/{provider.version}"

    def run(self, ctx: StageContext, inputs: StageInputs) -> StageOutput:
        """Raises what the compositor raises."""
        ctx.progress(0.0, "composing the video")
        cuts = cuts_of(inputs.job)
        if len(cuts) == 1:
            job = job_of(inputs.job, cuts[0])
            output = self._provider.compose(job, inputs.earlier, ctx)
        else:
            output = self._compose_all(inputs, cuts, ctx)
        ctx.progress(1.0, "video finished")
        return output

    def _compose_all(self, inputs: StageInputs, cuts: list[Cut], ctx: StageContext) -> StageOutput:
        shared = ctx.workdir / "shared"
        shared.mkdir()
        files: dict[str, Path] = {}
        made: list[Json] = []
        for number, cut in enumerate(cuts):
            part = (number / len(cuts), (number + 1) / len(cuts))
            inner = ctx.within(cut.name, part)
            earlier = _earlier_of(inputs, cut, inner)
            job = job_of(inputs.job, cut)
            output = self._provider.compose(job, earlier, inner, shared=shared)
            names = {name: _named(cut, name, first=not made) for name in output.files}
            files |= {names[name]: path for name, path in output.files.items()}
            made.append(
                {
                    "frame": cut.frame,
                    "hook": cut.hook + 1,
                    "cta": cut.cta + 1,
                    "files": names,
                    # The report lies beside the video; a result need not hold it again.
                    **{key: value for key, value in output.data.items() if key != "report"},
                }
            )
        if strips := {
            cut.name: _strip(inputs.earlier["video_gen"].data["cuts"][cut.name], path, ctx)
            for cut, entry in zip(cuts, made, strict=True)
            if (path := files.get(entry["files"].get("video.mp4", "")))
        }:
            python_child(ctx, "pipeline.media.sheet_child", {"strips": strips}, timeout_s=60.0)
            files[_SHEET] = ctx.workdir / _SHEET
        return StageOutput({**made[0], "cuts": made}, files)


def _strip(plan: Json, video: Path, ctx: StageContext) -> list[str]:
    """Stills of a cut's hook, of its product and of its end card."""
    found = []
    for number in (0, 1, len(plan["scenes"]) - 1):
        path = video.parent / f"still-{number}.jpg"
        at_s = stills.settled_s(plan["scenes"][number], plan["fps"])
        stills.take(ctx, video, at_s, path, height=_STILL_PX)
        found.append(str(path))
    return found


def _named(cut: Cut, name: str, *, first: bool) -> str:
    path = Path(name)
    return name if first else cut.file(path.stem, path.suffix)


def _earlier_of(inputs: StageInputs, cut: Cut, ctx: StageContext) -> Mapping[str, StageOutput]:
    """The earlier stages' outputs as if the job had asked for this cut alone."""
    script = cast(Script, inputs.earlier["script_gen"].data)
    voice, video = inputs.earlier["voice_gen"], inputs.earlier["video_gen"]
    plan: Json = video.data["cuts"][cut.name]
    own = f"{cut.name}/"
    files = {
        name.removeprefix(own): path for name, path in video.files.items() if name.startswith(own)
    }
    earlier = {**inputs.earlier, "video_gen": StageOutput(plan, files)}
    if "alternatives" in script:
        times = cast(VoiceData, voice.data)
        spoken = voice_of(inputs.job, script, times, cut, plan.get("fps", 30))
        wav = ctx.workdir / "spoken.wav"
        spoken.write(voice.files["voice.wav"], wav)
        earlier["voice_gen"] = StageOutput({**spoken.data}, {"voice.wav": wav})
    own_script: Json = {**script_of(script, cut)}
    earlier["script_gen"] = StageOutput(own_script, inputs.earlier["script_gen"].files)
    return earlier
