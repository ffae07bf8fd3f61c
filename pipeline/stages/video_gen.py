"""The third stage: the pictures of the ad."""

from __future__ import annotations

from typing import cast

from pipeline.providers.script_ports import Script, VoiceData
from pipeline.providers.video_ports import VideoProvider
from pipeline.stage import StageContext, StageInputs, StageOutput


class VideoGen:
    """Hands the script and the voice's times to a provider; publishes what it makes."""

    name = "video_gen"

    def __init__(self, provider: VideoProvider) -> None:
        self._provider = provider
        self.provider = f"{provider.name}/{provider.version}"

    def run(self, ctx: StageContext, inputs: StageInputs) -> StageOutput:
        """Raises what the provider raises."""
        ctx.progress(0.0, "drawing the scenes")
        voice = inputs.earlier["voice_gen"]
        output = self._provider.film(
            inputs.job,
            cast(Script, inputs.earlier["script_gen"].data),
            cast(VoiceData, voice.data),
            voice.files,
            ctx,
        )
        ctx.progress(1.0, "scenes drawn")
        return output
