"""The third stage: the pictures of the ad."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import cast

from pipeline.cuts import Cut, cuts_of, job_of, script_of, voice_of
from pipeline.media.profiles import fps_of
from pipeline.providers.script_ports import Script, VoiceData
from pipeline.providers.video_ports import VideoProvider
from pipeline.stage import Json, StageContext, StageInputs, StageOutput


class VideoGen:
    """Hands the script and the voice's times to a provider; publishes what it makes."""

    name = "video_gen"

    def __init__(self, provider: VideoProvider) -> None:
        self._provider = provider
        self.provider = f"{provider.name}/{provider.version}"

    def run(self, ctx: StageContext, inputs: StageInputs) -> StageOutput:
        """Raises what the provider raises."""
        ctx.progress(0.0, "drawing the scenes")
        cuts = cuts_of(inputs.job)
        if len(cuts) == 1:
            output = self._film(inputs, cuts[0], ctx)
        else:
            output = self._film_all(inputs, cuts, ctx)
        ctx.progress(1.0, "scenes drawn")
        return output

    def _film_all(self, inputs: StageInputs, cuts: Sequence[Cut], ctx: StageContext) -> StageOutput:
        """`{"kind": "cuts", "cuts": {name: a cut's own data}}`, its files below its name."""
        plans: Json = {}
        files: dict[str, Path] = {}
        for number, cut in enumerate(cuts):
            part = (number / len(cuts), (number + 1) / len(cuts))
            output = self._film(inputs, cut, ctx.within(cut.name, part))
            plans[cut.name] = output.data
            files |= {f"{cut.name}/{name}": path for name, path in output.files.items()}
        return StageOutput({"kind": "cuts", "cuts": plans}, files)

    def _film(self, inputs: StageInputs, cut: Cut, ctx: StageContext) -> StageOutput:
        script = cast(Script, inputs.earlier["script_gen"].data)
        voice = inputs.earlier["voice_gen"]
        times = cast(VoiceData, voice.data)
        if "alternatives" in script:
            fps = fps_of(inputs.job.platform_of(cut.frame))
            times = voice_of(inputs.job, script, times, cut, fps).data
        return self._provider.film(
            job_of(inputs.job, cut), script_of(script, cut), times, voice.files, ctx
        )
