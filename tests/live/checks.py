"""What is asked of each provider, through the worker's own stages and records of calls.

A check is priced by running its stage up to the call's intent, which holds the estimate that a
worker would check against its caps; nothing is sent by then.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

from config import Settings, load_settings, variable_of
from jobs.payload import VideoJob
from pipeline.assembly import build_stages, tools_of
from pipeline.calls import Call, CallsInMemory
from pipeline.context import RunContext
from pipeline.providers.null_voice import NullVoice
from pipeline.providers.prices import prices
from pipeline.providers.script_ports import Script, ScriptScene
from pipeline.stage import Json, StageContext, StageInputs, StageOutput
from pipeline.stages.voice_gen import VoiceGen
from pipeline.standalone import NoInterrupts, PublishedProgress

JOB = VideoJob(id="live-check", product_name="Ember Mug", style="minimal")
_NOBODY = {
    "script_provider": "null",
    "voice_provider": "null",
    "video_provider": "null",
    "compositor": "null",
}
_FILMED: ScriptScene = {
    "role": "hook", "spoken": "Warm tea.", "on_screen": "Warm", "visual": "hero",
}  # fmt: skip
_DRAWN: ScriptScene = {
    "role": "cta", "spoken": "Shop now.", "on_screen": "Shop now", "visual": "card",
}  # fmt: skip


@dataclass(frozen=True)
class Check:
    """One provider. `needs` are the fields of Settings that must be set for it."""

    provider: str
    stage: str
    needs: tuple[str, ...]
    #: The scenes of the script that is spoken or filmed.
    scenes: tuple[ScriptScene, ...] = ()
    #: A script with faults is asked to be mended, once.
    asked_at_most: int = 1


CHECKS = (
    Check("claude", "script_gen", ("anthropic_api_key",), asked_at_most=2),
    Check("openai", "script_gen", ("openai_api_key", "openai_base_url"), asked_at_most=2),
    Check("elevenlabs", "voice_gen", ("elevenlabs_api_key",), (_FILMED,)),
    # The last scene is never filmed: one clip, of the model's shortest length.
    Check("replicate", "video_gen", ("replicate_api_token",), (_FILMED, _DRAWN)),
    Check("fal", "video_gen", ("fal_key",), (_FILMED, _DRAWN)),
)
_FIELDS = {
    "script_gen": "script_provider",
    "voice_gen": "voice_provider",
    "video_gen": "video_provider",
}


def variables(check: Check) -> str:
    """The environment variables that a check needs."""
    return " and ".join(variable_of(name) for name in check.needs)


def ready(**fixed: Any) -> list[Check]:
    """The checks whose variables are set. `fixed` goes to load_settings, here and below."""
    found = load_settings(**_NOBODY, **fixed)
    return [check for check in CHECKS if set(check.needs) <= found.model_fields_set]


def estimate_microusd(check: Check, **fixed: Any) -> int:
    """What the check may cost, by the price tables; 0 where they do not know the model."""
    calls = _Priced()
    with suppress(_Stop):
        _run(check, calls, fixed)
    return calls.estimate_microusd * check.asked_at_most


def spend(check: Check, **fixed: Any) -> tuple[int, StageOutput]:
    """Make the call; returns what it cost in micro-dollars and what the stage made of it.

    Raises what the stage raises: nothing is tried again.
    """
    calls = CallsInMemory()
    output = _run(check, calls, fixed)
    return sum(call.cost_microusd or 0 for call in calls.calls.values()), output


class _Stop(Exception):
    """The price is known."""


class _Priced(CallsInMemory):
    """Takes down the first intent's estimate and lets nothing follow."""

    estimate_microusd = 0

    def begin(self, provider: str, request_hash: str, *, estimate_microusd: int) -> Call:
        self.estimate_microusd = estimate_microusd
        raise _Stop


def _run(check: Check, calls: CallsInMemory, fixed: Mapping[str, Any]) -> StageOutput:
    settings = _settings(check, fixed)
    stages = {stage.name: stage for stage in build_stages(settings)}
    with TemporaryDirectory(prefix="live-check-") as folder:

        def context(stage: str) -> StageContext:
            workdir = Path(folder) / stage
            workdir.mkdir()
            return RunContext(
                job_id=JOB.id,
                stage=stage,
                workdir=workdir,
                seed=JOB.seed,
                tools=tools_of(settings),
                progress=PublishedProgress(JOB.id, None),
                interrupts=NoInterrupts(),
                calls=calls,
            )

        earlier: dict[str, StageOutput] = {}
        if check.scenes:
            script: Script = {"language": JOB.language, "scenes": list(check.scenes)}
            earlier["script_gen"] = StageOutput(cast(Json, script))
        if check.stage == "video_gen":
            silence = VoiceGen(NullVoice())
            earlier["voice_gen"] = silence.run(context("voice_gen"), StageInputs(JOB, earlier))
        return stages[check.stage].run(context(check.stage), StageInputs(JOB, earlier))


def _settings(check: Check, fixed: Mapping[str, Any]) -> Settings:
    chosen = {**_NOBODY, _FIELDS[check.stage]: check.provider, **fixed}
    settings = load_settings(**chosen)
    if check.provider == "claude" and "claude_model" not in settings.model_fields_set:
        table = prices("text")
        cheapest = min(table, key=lambda model: float(table[model]["output"]))
        settings = load_settings(**chosen, claude_model=cheapest)
    return settings
