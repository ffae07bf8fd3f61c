"""The soundtrack: the voice treated, a bed ducked under it, the whole at a measured loudness.

1. The voice is levelled, cleaned and brought to 48 kHz (ffmpeg).
2. A child renders the bed, or lays the user's own music, ducks it by the known spans of speech,
   and adds the two.
3. The sum is measured; one static gain brings it to the target, a limiter holds the peaks.
4. The result is measured again, and the gain corrected where the limiter took too much; where
   the target caps the loudest three seconds, what is above is slowly pressed down, more each time.

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
    loudest_three_seconds,
    measure_loudness,
    meter,
    parse_ebur128,
)
from pipeline.media.own_music import FIELD, decode_music, is_own
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
#: From the end of a user's music into its beginning, where it is shorter than the ad.
_CROSSFADE_S = 2.0
#: AAC raises true peaks by up to half a decibel.
_CODEC_HEADROOM_DB = 0.7
_TOLERANCE_LU = 0.2
_MAX_PASSES = 3
#: Where short-term loudness is capped: the distance kept to the cap (the encoder moves it a
#: little), and how often more may be pressed down.
_SHORT_TERM_ROOM_LU = 0.2
_MAX_PRESSES = 6
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
    max_short_term_lufs: float
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
    for `style`), "none", or the path of a file: cut, or looped with a crossfade, to the length.
    Equal arguments give an equal file. Raises InvalidInput("music", ...) for a file that cannot
    be used, ChildFailed and StageTimeout from its children.
    """
    own = decode_music(ctx, Path(music), duration_s, RATE) if is_own(music) else None
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
            "music": music != "none",
            "own": own.name if own else None,
            "crossfade_s": _CROSSFADE_S,
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
    if own is not None:
        own.unlink()
    if levels["silent"]:
        raise InvalidInput(FIELD, "is silent; use another file, or 'auto'")
    premix = ctx.workdir / "premix.f32"
    out = ctx.workdir / "mix.wav"
    heard, loudest, passes = _to_target(ctx, premix, out, duration_s, target)
    spoken.unlink()
    premix.unlink()
    return MixedAudio(
        out,
        heard.lufs,
        heard.true_peak_dbtp,
        loudest,
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
) -> tuple[Loudness, float, int]:
    """The mix at its target: its loudness, its loudest three seconds, and the passes it took."""
    whole, _ = _render(ctx, premix, None, "", duration_s, target)
    premix_lufs, press, passes = whole.lufs, "", 0
    for presses in range(1, _MAX_PRESSES + 2):
        heard, loudest, used = _levelled(ctx, premix, out, whole, press, duration_s, target)
        passes += used
        cap = target.max_short_term_lufs
        if cap is None or loudest <= cap - _SHORT_TERM_ROOM_LU or presses > _MAX_PRESSES:
            break
        # Slow enough to leave words as they are: it works on passages, as a hand on a fader.
        threshold = premix_lufs + 2.0 - presses
        press = f"acompressor=threshold={threshold:.2f}dB:ratio=8:attack=60:release=900:knee=3,"
        whole, _ = _render(ctx, premix, None, press, duration_s, target)
    return heard, loudest, passes


def _levelled(
    ctx: StageContext,
    premix: Path,
    out: Path,
    whole: Loudness,
    press: str,
    duration_s: float,
    target: LoudnessTarget,
) -> tuple[Loudness, float, int]:
    """Write `out` at the target's loudness; `whole` is that of the premix after `press`."""
    gain_db, passes = 0.0, 0
    heard = whole
    while True:
        # Silence has no loudness to bring to the target; any gain would only raise its noise.
        gain_db += target.lufs - heard.lufs if heard.lufs > SILENCE_LUFS else 0.0
        chain = f"{press}volume={gain_db:.3f}dB,"
        heard, loudest = _render(ctx, premix, out, chain, duration_s, target)
        passes += 1
        if abs(heard.lufs - target.lufs) <= _TOLERANCE_LU or passes == _MAX_PASSES:
            return heard, loudest, passes


def _render(
    ctx: StageContext,
    premix: Path,
    out: Path | None,
    chain: str,
    duration_s: float,
    target: LoudnessTarget,
) -> tuple[Loudness, float]:
    """`chain`, limit and measure in one pass; without `out`, only `chain` and measure.

    `chain` is "" or filters with a comma after each.
    """
    frames = round(duration_s * RATE)
    sink = ["-f", "null", "-"]
    if out is not None:
        ceiling = 10 ** ((target.true_peak_dbtp - _CODEC_HEADROOM_DB) / 20)
        # Limiting at four times the rate holds the peaks between the samples as well.
        chain += (
            f"aresample={RATE * 4}:resampler=soxr,"
            f"alimiter=level=disabled:limit={ceiling:.5f}:attack=4:release=80,"
            f"aresample={RATE}:resampler=soxr,"
        )
        sink = ["-c:a", "pcm_s16le", "-bitexact", out.name]
    loud = ctx.workdir / "loud.txt"
    chain += f"atrim=end_sample={frames},apad=whole_len={frames},{meter(loud)}"
    result = ctx.run(
        [
            *(ctx.ffmpeg, "-hide_banner", "-nostdin", "-nostats", "-y"),
            *("-f", "f32le", "-ar", str(RATE), "-ac", "2", "-i", premix.name),
            *("-af", chain, *sink),
        ],
        timeout_s=_TIMEOUT_S,
    )
    loudest = loudest_three_seconds(loud.read_text(encoding="ascii"))
    loud.unlink()
    return parse_ebur128(result.log_tail), loudest
