"""The second stage: the script is spoken, and each word gets its time."""

from __future__ import annotations

from typing import cast

from errors import ProviderUnavailable
from pipeline.providers.script_ports import Script, VoiceProvider, voice_problems
from pipeline.stage import Json, StageContext, StageInputs, StageOutput


class VoiceGen:
    """Publishes voice.wav; the words' times are the stage's data."""

    name = "voice_gen"

    def __init__(self, provider: VoiceProvider) -> None:
        self._provider = provider
        self.provider = f"{provider.name}/{provider.version}"

    def run(self, ctx: StageContext, inputs: StageInputs) -> StageOutput:
        """Raises what the provider raises, and ProviderUnavailable for unusable word times."""
        ctx.progress(0.0, "finding the voice")
        script = cast(Script, inputs.earlier["script_gen"].data)
        voice = self._provider.speak(inputs.job, script, ctx)
        if problems := voice_problems(voice.data, script):
            raise ProviderUnavailable(
                f"{self._provider.name} gave unusable word times: {'; '.join(problems)}"
            )
        ctx.progress(1.0, "script spoken")
        data: Json = {**voice.data}
        return StageOutput(data=data, files={"voice.wav": voice.wav})
