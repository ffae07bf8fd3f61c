"""Loudness as EBU R128 and ITU-R BS.1770 define it, measured by ffmpeg's ebur128."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from errors import ChildFailed
from pipeline.stage import StageContext

#: What ebur128 prints for the integrated loudness of silence: its absolute gate.
SILENCE_LUFS = -70.0
_SUMMARY = re.compile(r"I:\s+(-?[\d.]+|-?inf|nan) LUFS.*?Peak:\s+(-?[\d.]+|-?inf|nan) dBFS", re.S)


@dataclass(frozen=True)
class LoudnessTarget:
    """What a delivery must have: integrated loudness, and the true peak it may not pass."""

    lufs: float = -14.0
    true_peak_dbtp: float = -1.0


@dataclass(frozen=True)
class Loudness:
    """Measured: integrated loudness and true peak (4 x oversampled), -70.0 for silence."""

    lufs: float
    true_peak_dbtp: float


def parse_ebur128(log: str) -> Loudness:
    """Read the summary that `ebur128=peak=true` prints at the end of ffmpeg's log."""
    found = _SUMMARY.findall(log)
    if not found:
        raise ChildFailed("the loudness could not be measured", log_tail=log[-2000:])
    lufs, peak = (float(value) for value in found[-1])
    return Loudness(
        lufs if lufs >= SILENCE_LUFS else SILENCE_LUFS,
        peak if peak >= SILENCE_LUFS else SILENCE_LUFS,
    )


def measure_loudness(ctx: StageContext, sound: Path, *, timeout_s: float = 60.0) -> Loudness:
    """Decode `sound` once and measure it. Raises ChildFailed where it holds no audio."""
    result = ctx.run(
        [
            *(ctx.ffmpeg, "-hide_banner", "-nostdin", "-nostats"),
            *("-protocol_whitelist", "file,pipe", "-i", str(sound), "-vn"),
            *("-af", "ebur128=peak=true:framelog=quiet", "-f", "null", "-"),
        ],
        timeout_s=timeout_s,
    )
    return parse_ebur128(result.log_tail)
