"""A script provider that writes nothing much: for tests and benchmarks of everything around it."""

from __future__ import annotations

from jobs.payload import VideoJob
from pipeline.providers.script_ports import Script
from pipeline.stage import StageContext

#: Waits are cut up so that progress moves; a cancelled wait ends at once whatever its length.
_STEPS = 10


def wait(ctx: StageContext, seconds: float) -> None:
    """Pretend to work for `seconds`, reporting progress; ControlFlow passes through."""
    for step in range(_STEPS if seconds > 0 else 0):
        ctx.sleep(seconds / _STEPS)
        ctx.progress((step + 1) / _STEPS)


class NullScript:
    """Four fixed scenes around the product's name, after `stage_seconds` of waiting."""

    name = "null"
    version = "1"

    def __init__(self, stage_seconds: float = 0.0) -> None:
        self._stage_seconds = stage_seconds

    def write(self, job: VideoJob, ctx: StageContext) -> Script:
        wait(ctx, self._stage_seconds)
        return {
            "language": job.language,
            "scenes": [
                {"role": "hook", "spoken": "One.", "on_screen": "One", "visual": "hero"},
                {
                    "role": "product",
                    "spoken": "Two.",
                    "on_screen": job.product_name,
                    "visual": "hero",
                },
                {"role": "benefit", "spoken": "Three.", "on_screen": "Three", "visual": "list"},
                {"role": "cta", "spoken": "Four.", "on_screen": job.cta_text, "visual": "card"},
            ],
        }
