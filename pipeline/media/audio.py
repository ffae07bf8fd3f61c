"""The soundtrack: the voice treated, a bed ducked under it, the whole at a measured loudness.

1. The voice is levelled, cleaned and brought to 48 kHz (ffmpeg).
2. A child renders the bed, ducks it by the known spans of speech, and adds the two.
3. The sum is measured; one static gain brings it to the target, a limiter holds the peaks.
4. The result is measured again, and the gain corrected where the limiter took too much.

A dynamic normaliser (loudnorm) is not used: it would undo the ducking.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from errors import InvalidInput
from pipeline.media.children import python_child
from pipeline.media.loudness import (
    SILENCE_LUFS,
    Loudness,
    LoudnessTarget,
    measure_loudness,
    parse_ebur128,
)
from pipeline.stage import StageContext

RATE = 48_000
#: The voice enters the compressor at this level, so that its threshold means the same for all.
_VOICE_IN_LUFS = -20.0
#: The bed's distance below the voice: in the open, under speech.
_OPEN_LU, _UNDER_LU = 5.0, 15.0
_ATTACK_S, _RELEASE_S = 0.08, 0.4
#: Pauses shorter than this keep the bed down.
_HOLD_S = 0.2
_FADE_S = 0.9
#: AAC at 192 kbit/s raises true peaks by up to half a decibel.
_CODEC_HEADROOM_DB = 0.7
_TOLERANCE_LU = 0.2
_MAX_PASSES = 3
_TIMEOUT_S = 120.0


@dataclass(frozen=True)
class MixedAudio:
    """`path` is 48 kHz stereo 16-bit, to the sample as long as asked; levels as measured.

    `bed_under_lu` and `bed_open_lu`: how far the bed lies below the voice while it speaks and
    where it is silent; None without a bed.
    """

    path: Path
    lufs: float
    true_peak_dbtp: float
    bed_under_lu: float | None
    bed_open_lu: float | None
    passes: int


def mix_audio(
    ctx: StageContext,
    *,
    voice: Path,
    spans: list[tuple[float, float]],
    music: str,
    style: str,
    duration_s: float,
    seed: int,
    target: LoudnessTarget = LoudnessTarget(),  # noqa: B008 - frozen
) -> MixedAudio:
    """Write `mix.wav` into the stage's folder and say how loud it is.

    `spans` are the voice's own (start_s, end_s) of each scene; `music` is "auto" (a bed made
    for `style`) or "none". Equal arguments give an equal file. Raises InvalidInput("music", ...)
    for anything else, ChildFailed and StageTimeout from its children.
    """
    if music not in ("auto", "none"):
        raise InvalidInput("music", "must be 'auto' or 'none'")
    spoken = _treat_voice(ctx, voice)
    report = python_child(
        ctx,
        "pipeline.media.mix_child",
        {
            "voice": spoken.name,
            "spans": [list(span) for span in spans],
            "style": style,
            "seed": seed,
            "duration_s": duration_s,
            "music": music == "auto",
            "fade_s": _FADE_S,
            "duck": {
                "open_lu": _OPEN_LU,
                "under_lu": _UNDER_LU,
                "attack_s": _ATTACK_S,
                "release_s": _RELEASE_S,
                "hold_s": _HOLD_S,
            },
        },
        timeout_s=_TIMEOUT_S,
    )
    levels = json.loads(report.stdout)
    premix = ctx.workdir / "premix.f32"
    out = ctx.workdir / "mix.wav"
    heard, passes = _to_target(ctx, premix, out, duration_s, target)
    spoken.unlink()
    premix.unlink()
    return MixedAudio(
        out,
        heard.lufs,
        heard.true_peak_dbtp,
        levels["bed_under_lu"],
        levels["bed_open_lu"],
        passes,
    )


def _treat_voice(ctx: StageContext, voice: Path) -> Path:
    """Level, rumble filter, presence, compression, de-essing, and a clean resample to 48 kHz."""
    level_db = _VOICE_IN_LUFS - measure_loudness(ctx, voice).lufs
    chain = [
        f"volume={min(level_db, 30.0):.2f}dB",
        f"aresample={RATE}:resampler=soxr:precision=24",
        "highpass=f=75:poles=2",
        "equalizer=f=260:t=q:w=0.9:g=-1.5",  # less of the box
        "equalizer=f=3600:t=q:w=0.9:g=2",  # consonants on a phone's speaker
        "acompressor=threshold=-22dB:ratio=2.5:attack=8:release=160:knee=6:makeup=1",
        "deesser=i=0.25:m=0.5:f=0.55",
    ]
    out = ctx.workdir / "voice48.f32"
    ctx.run(
        [
            *(ctx.ffmpeg, "-hide_banner", "-nostdin", "-v", "error", "-y"),
            *("-protocol_whitelist", "file,pipe", "-i", str(voice)),
            *("-af", ",".join(chain), "-ac", "1", "-ar", str(RATE), "-f", "f32le", out.name),
        ],
        timeout_s=_TIMEOUT_S,
    )
    return out


def _to_target(
    ctx: StageContext, premix: Path, out: Path, duration_s: float, target: LoudnessTarget
) -> tuple[Loudness, int]:
    gain_db, passes = 0.0, 0
    heard = _render(ctx, premix, None, gain_db, duration_s, target)
    while passes < _MAX_PASSES:
        # Silence has no loudness to bring to the target; any gain would only raise its noise.
        gain_db += target.lufs - heard.lufs if heard.lufs > SILENCE_LUFS else 0.0
        heard = _render(ctx, premix, out, gain_db, duration_s, target)
        passes += 1
        if abs(heard.lufs - target.lufs) <= _TOLERANCE_LU:
            break
    return heard, passes


def _render(
    ctx: StageContext,
    premix: Path,
    out: Path | None,
    gain_db: float,
    duration_s: float,
    target: LoudnessTarget,
) -> Loudness:
    """Gain, limit and measure in one pass; without `out`, measure the premix as it is."""
    frames = round(duration_s * RATE)
    chain = [f"atrim=end_sample={frames}", f"apad=whole_len={frames}"]
    sink = ["-f", "null", "-"]
    if out is not None:
        ceiling = 10 ** ((target.true_peak_dbtp - _CODEC_HEADROOM_DB) / 20)
        # Limiting at four times the rate holds the peaks between the samples as well.
        chain = [
            f"volume={gain_db:.3f}dB",
            f"aresample={RATE * 4}:resampler=soxr",
            f"alimiter=level=disabled:limit={ceiling:.5f}:attack=4:release=80",
            f"aresample={RATE}:resampler=soxr",
            *chain,
        ]
        sink = ["-c:a", "pcm_s16le", "-bitexact", out.name]
    chain.append("ebur128=peak=true:framelog=quiet")
    result = ctx.run(
        [
            *(ctx.ffmpeg, "-hide_banner", "-nostdin", "-nostats", "-y"),
            *("-f", "f32le", "-ar", str(RATE), "-ac", "2", "-i", premix.name),
            *("-af", ",".join(chain), *sink),
        ],
        timeout_s=_TIMEOUT_S,
    )
    return parse_ebur128(result.log_tail)
