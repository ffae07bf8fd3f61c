"""The second stage: the script is spoken, and each word gets its time."""

from __future__ import annotations

from typing import cast

from errors import ProviderUnavailable
from pipeline.cuts import whole_script
from pipeline.providers.script_ports import Script, VoiceProvider, voice_problems
from pipeline.stage import Json, StageContext, StageInputs, StageOutput


class VoiceGen:
    """Publishes voice.wav, everything spoken; the words' times are the stage's data."""

    name = "voice_gen"

    def __init__(self, provider: VoiceProvider) -> None:
        self._provider = provider
        self.provider = f"{provider.name}/{provider.version}"

    def run(self, ctx: StageContext, inputs: StageInputs) -> StageOutput:
        """Raises what the provider raises, and ProviderUnavailable for unusable word times."""
        ctx.progress(0.0, "finding the voice")
        written = cast(Script, inputs.earlier["script_gen"].data)
        # Other hooks and calls are spoken in the same breath; the ad itself sets the pace.
        script, own = whole_script(written), len(written["scenes"])
        voice = self._provider.speak(inputs.job, script, ctx, pace_by=own)
        if problems := voice_problems(voice.data, script):
            raise ProviderUnavailable(
                f"{self._provider.name} gave unusable word times: {'; '.join(problems)}"
            )
        ctx.progress(1.0, "script spoken")
        data: Json = {**voice.data}
        return StageOutput(data=data, files={"voice.wav": voice.wav})
