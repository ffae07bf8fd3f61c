"""The first stage: from the product's words to the words of the ad."""

from __future__ import annotations

import json

from errors import ProviderUnavailable
from pipeline.providers.script_ports import ScriptProvider, script_problems
from pipeline.stage import Json, StageContext, StageInputs, StageOutput


class ScriptGen:
    """Publishes script.json, whose content is the stage's data too."""

    name = "script_gen"

    def __init__(self, provider: ScriptProvider) -> None:
        self._provider = provider
        self.provider = f"{provider.name}/{provider.version}"

    def run(self, ctx: StageContext, inputs: StageInputs) -> StageOutput:
        """Raises what the provider raises, and ProviderUnavailable for an unusable script."""
        ctx.progress(0.0, "writing the script")
        script = self._provider.write(inputs.job, ctx)
        if problems := script_problems(script, inputs.job.variants):
            # A language model may do better on the next try; the template writer never comes here.
            raise ProviderUnavailable(
                f"{self._provider.name} wrote an unusable script: {'; '.join(problems)}"
            )
        path = ctx.workdir / "script.json"
        path.write_text(json.dumps(script, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
        ctx.progress(1.0, "script written")
        data: Json = {**script}
        return StageOutput(data=data, files={path.name: path})
