"""The last stage: pictures, voice, music and captions become the finished files."""

from __future__ import annotations

from pipeline.providers.video_ports import Compositor
from pipeline.stage import StageContext, StageInputs, StageOutput


class Compositing:
    """Hands all earlier outputs to a compositor; publishes the video and what lies beside it."""

    name = "compositing"

    def __init__(self, provider: Compositor) -> None:
        self._provider = provider
        self.provider = f"{provider.name}/{provider.version}"

    def run(self, ctx: StageContext, inputs: StageInputs) -> StageOutput:
        """Raises what the compositor raises."""
        ctx.progress(0.0, "composing the video")
        output = self._provider.compose(inputs.job, inputs.earlier, ctx)
        ctx.progress(1.0, "video finished")
        return output
