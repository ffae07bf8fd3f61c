"""Loudness as EBU R128 and ITU-R BS.1770 define it, measured by ffmpeg's ebur128."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from errors import ChildFailed
from pipeline.stage import StageContext

#: What ebur128 prints for the integrated loudness of silence: its absolute gate.
SILENCE_LUFS = -70.0
_SHORT_TERM = re.compile(r"pts_time:([\d.]+)\s+lavfi\.r128\.S=(-?[\d.]+)")
#: The window of short-term loudness, and how far its readings are apart. A reading is stamped
#: with the start of its step.
_WINDOW_S, _STEP_S = 2.9, 0.1
_SUMMARY = re.compile(r"I:\s+(-?[\d.]+|-?inf|nan) LUFS.*?Peak:\s+(-?[\d.]+|-?inf|nan) dBFS", re.S)


@dataclass(frozen=True)
class LoudnessTarget:
    """What a delivery must have: integrated loudness, and the true peak it may not pass.

    `max_short_term_lufs` is for any three seconds of it; None where nothing is asked.
    """

    lufs: float = -14.0
    true_peak_dbtp: float = -1.0
    max_short_term_lufs: float | None = None


@dataclass(frozen=True)
class Loudness:
    """Measured: integrated loudness and true peak (4 x oversampled), -70.0 for silence."""

    lufs: float
    true_peak_dbtp: float


def meter(short_term: Path) -> str:
    """The filters that measure: the summary to the log, each short-term value to a file.

    `short_term` is a bare file name in the child's folder; see `loudest_three_seconds`.
    """
    return (
        "ebur128=peak=true:framelog=quiet:metadata=1,"
        f"ametadata=mode=print:key=lavfi.r128.S:file={short_term.name}"
    )


def loudest_three_seconds(text: str) -> float:
    """The maximum short-term loudness in what `meter` wrote; -70.0 for silence.

    The meter reads from its first tenth of a second on, over what it has heard so far; only
    whole windows count (EBU Tech 3341), and of something shorter the last reading.
    """
    read = [(float(at_s), float(value)) for at_s, value in _SHORT_TERM.findall(text)]
    whole = [value for at_s, value in read if at_s >= _WINDOW_S - _STEP_S / 2]
    heard = max(whole or [value for _, value in read[-1:]], default=SILENCE_LUFS)
    return max(heard, SILENCE_LUFS)


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
