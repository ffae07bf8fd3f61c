"""The delivered sound: a mix encoded so that its true peak keeps the ceiling.

An encoder moves peaks: by up to half a decibel as a rule, at times by more. What was mixed to
the ceiling is therefore measured once encoded, and encoded again a little quieter if it must be.
The file that passed is the one that is delivered: its packets are copied beside the picture.
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


def encode_sound(ctx: StageContext, sound: Path, ceiling_dbtp: float) -> Path:
    """Encode `sound`, a wav, as `sound.m4a` in the stage's folder. Raises as `ctx.run` does."""
    cut_db = 0.0
    out = ctx.workdir / "sound.m4a"
    for tries in range(_TRIES):
        ctx.run(
            [
                *(ctx.ffmpeg, "-hide_banner", "-nostdin", "-y", "-loglevel", "error"),
                *("-protocol_whitelist", "file,pipe", "-f", "wav", "-i", str(sound)),
                *("-af", encoder.audio_filter(cut_db), *encoder.audio_args()),
                *(*encoder.container_args(), out.name),
            ],
            timeout_s=_TIMEOUT_S,
            env=child_env(),
        )
        over = measure_loudness(ctx, out).true_peak_dbtp - (ceiling_dbtp - _MARGIN_DB)
        if over <= 0 or tries == _TRIES - 1:
            break
        cut_db = round(cut_db + over + _MARGIN_DB, 2)
    return out
