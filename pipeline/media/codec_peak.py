"""How much quieter a mix must be for its AAC to keep the true-peak ceiling.

An encoder moves peaks: by up to half a decibel as a rule, at times by more. What was mixed to
the ceiling is therefore encoded once for trial and measured, before the picture is.
"""

from __future__ import annotations

from pathlib import Path

from pipeline.media import encoder
from pipeline.media.children import child_env
from pipeline.media.loudness import measure_loudness
from pipeline.stage import StageContext

#: Below the ceiling by this much, as reports round to a tenth of a decibel.
_MARGIN_DB = 0.06
_TRIES = 3
_TIMEOUT_S = 60.0


def cut_db(ctx: StageContext, sound: Path, ceiling_dbtp: float) -> float:
    """By how many dB to lower `sound` (a wav); 0.0 for most. Raises as `ctx.run` does."""
    cut = 0.0
    trial = ctx.workdir / "trial.m4a"
    for _ in range(_TRIES):
        ctx.run(
            [
                *(ctx.ffmpeg, "-hide_banner", "-nostdin", "-y", "-loglevel", "error"),
                *("-protocol_whitelist", "file,pipe", "-f", "wav", "-i", sound.name),
                *("-af", encoder.audio_filter(cut), *encoder.audio_args()),
                *("-f", "mp4", trial.name),
            ],
            timeout_s=_TIMEOUT_S,
            env=child_env(),
        )
        over = measure_loudness(ctx, trial).true_peak_dbtp - (ceiling_dbtp - _MARGIN_DB)
        if over <= 0:
            break
        cut += over + _MARGIN_DB
    trial.unlink()
    return round(cut, 2)
