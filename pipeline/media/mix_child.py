"""A child process: renders or lays the bed, ducks it under the voice, and adds the two.

Reads one JSON object from stdin, writes 48 kHz float wavs into the working folder:
    in   voice (path of a 48 kHz mono float32 raw file), spans [[start_s, end_s], ...], style,
         seed, duration_s, music (false for none), own (null, or the path of 48 kHz stereo float32
         to be used as the bed), crossfade_s, fade_s, duck {open_lu, under_lu, attack_s,
         release_s, hold_s}
    out  premix.f32 (stereo, interleaved), and on stdout {"voice_lufs", "bed_under_lu",
         "bed_open_lu", "silent"}: loudness while speech lasts, the bed's distance below it, and
         whether nothing can be heard of the user's music (there is no premix then)
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.media.music import compose
from pipeline.media.synth import RATE, Samples, render

#: -60 dBFS: what is below at either end of a file is no music yet, or no longer.
_AUDIBLE = 0.001
#: Samples that are filtered at once, and for how many the K-weighting rings on.
_BLOCK, _MEMORY = 1 << 18, RATE // 4
Curve = npt.NDArray[np.float64]


def main() -> None:
    order = json.load(sys.stdin)
    voice = np.fromfile(order["voice"], np.float32)
    frames = round(order["duration_s"] * RATE)
    voice = np.pad(voice, (0, max(0, frames - len(voice))))[:frames]
    spans = [(float(start), float(end)) for start, end in order["spans"]]
    mix = np.stack([voice, voice])
    speaking = _mask(spans, frames)
    voice_power = _power(_weighted(mix), speaking)
    report: dict[str, Any] = {
        "voice_lufs": _lufs(voice_power), "bed_under_lu": None, "bed_open_lu": None,
        "silent": False,
    }  # fmt: skip
    if order["music"]:
        bed = _own(order, frames) if order["own"] else _made(order, spans)
        if bed is None:
            json.dump({**report, "silent": True}, sys.stdout)
            return
        # With no voice to stay under, the bed is all there is: its own level does not matter.
        reference = voice_power if spans and voice_power > 0 else 1.0
        bed *= np.float32(
            np.sqrt(reference / max(_power(_weighted(bed), np.ones(frames, bool)), 1e-12))
        )
        gain_db, ducked = _duck(spans, frames, order["duck"])
        bed *= (10 ** (gain_db / 20)).astype(np.float32)
        weighted = _weighted(bed)
        report["bed_under_lu"] = _below(reference, _power(weighted, speaking & ducked))
        report["bed_open_lu"] = _below(reference, _power(weighted, ~speaking))
        mix += bed
    mix *= _fades(frames, order["fade_s"])
    mix.T.astype("<f4").tofile(Path("premix.f32"))
    json.dump(report, sys.stdout)


def _made(order: dict[str, Any], spans: list[tuple[float, float]]) -> Samples:
    end_s = spans[-1][1] if spans else 0.0
    score = compose(order["style"], order["duration_s"], end_s, order["seed"])
    return render(score, order["duration_s"], order["seed"])


def _own(order: dict[str, Any], frames: int) -> Samples | None:
    """The user's music, the silence at its ends cut off; None where there is nothing else."""
    sound = np.fromfile(order["own"], np.float32).reshape(-1, 2).T
    (heard,) = np.nonzero(np.abs(sound).max(axis=0) > _AUDIBLE)
    if not len(heard):
        return None
    return lay(sound[:, heard[0] : heard[-1] + 1], frames, round(order["crossfade_s"] * RATE))


def lay(sound: Samples, frames: int, crossfade: int) -> Samples:
    """`sound` cut to `frames`, or repeated up to them, each end faded into the next beginning.

    The fade has equal power, so that the seam is no hole; it takes half of a short sound at most.
    """
    length = sound.shape[1]
    crossfade = min(crossfade, length // 2)
    rise = np.sin(np.linspace(0, np.pi / 2, crossfade, dtype=np.float32))
    laid = np.zeros((2, frames), np.float32)
    for start in range(0, frames, length - crossfade):
        piece = sound.copy()
        if start:
            piece[:, :crossfade] *= rise
        if start + length < frames:
            piece[:, length - crossfade :] *= rise[::-1]
        end = min(frames, start + length)
        laid[:, start:end] += piece[:, : end - start]
        if start + length >= frames:
            break
    return laid


def _mask(spans: list[tuple[float, float]], frames: int) -> npt.NDArray[np.bool_]:
    mask = np.zeros(frames, bool)
    for start_s, end_s in spans:
        mask[round(start_s * RATE) : round(end_s * RATE)] = True
    return mask


def _duck(
    spans: list[tuple[float, float]], frames: int, duck: dict[str, Any]
) -> tuple[Curve, npt.NDArray[np.bool_]]:
    """The bed's gain in dB, and where it is fully down.

    The spans are known, so the bed is down by the first sound of a span, not some time after
    it, and stays down through pauses shorter than `hold_s`, which would make it pump.
    """
    closed: list[list[float]] = []
    for start_s, end_s in sorted(spans):
        if closed and start_s - closed[-1][1] < duck["hold_s"]:
            closed[-1][1] = max(closed[-1][1], end_s)
        else:
            closed.append([start_s, end_s])
    t = np.arange(frames) / RATE
    depth = np.zeros(frames)
    for start_s, end_s in closed:
        down = np.clip((t - (start_s - duck["attack_s"])) / duck["attack_s"], 0, 1)
        up = np.clip(1 - (t - end_s) / duck["release_s"], 0, 1)
        depth = np.maximum(depth, np.minimum(down, up))
    smooth = (1 - np.cos(np.pi * depth)) / 2
    return -duck["open_lu"] - (duck["under_lu"] - duck["open_lu"]) * smooth, depth >= 1


def _power(weighted: Sequence[Curve], where: npt.NDArray[np.bool_]) -> float:
    """Mean square of K-weighted channels, summed over them (BS.1770-4, ungated)."""
    if not where.any():
        return 0.0
    return sum(float(np.mean(channel[where] ** 2)) for channel in weighted)


def _weighted(sound: Samples) -> list[Curve]:
    """Each channel K-weighted. Two that are the same array of numbers are filtered once."""
    same = np.array_equal(sound[0], sound[1])
    found = [_filtered(channel) for channel in (sound[:1] if same else sound)]
    return found * 2 if same else found


def _filtered(channel: npt.NDArray[np.float32]) -> Curve:
    """By overlap-save: a whole minute's spectrum at once would take hundreds of megabytes."""
    curve, weighted = _k_curve(_BLOCK), np.empty(len(channel))
    # What the filter remembers goes ahead of each block, zeros ahead of the first.
    padded = np.concatenate([np.zeros(_MEMORY, np.float32), channel])
    step = _BLOCK - _MEMORY
    for start in range(0, len(channel), step):
        spectrum = np.fft.rfft(padded[start : start + _BLOCK], _BLOCK) * curve
        part = weighted[start : start + step]
        part[:] = np.fft.irfft(spectrum, _BLOCK)[_MEMORY : _MEMORY + len(part)]
    return weighted


@cache
def _k_curve(size: int) -> npt.NDArray[np.complex128]:
    """The K-weighting of BS.1770 as a spectrum: its analogue shapes at 48 kHz."""
    z = np.exp(-2j * np.pi * np.fft.rfftfreq(size))
    shelf = (1.53512485958697 - 2.69169618940638 * z + 1.19839281085285 * z**2) / (
        1 - 1.69065929318241 * z + 0.73248077421585 * z**2
    )
    high = (1 - 2 * z + z**2) / (1 - 1.99004745483398 * z + 0.99007225036621 * z**2)
    return np.asarray(shelf * high)


def _lufs(power: float) -> float:
    return round(-0.691 + 10 * float(np.log10(max(power, 1e-10))), 2)


def _below(reference: float, power: float) -> float | None:
    return round(10 * float(np.log10(reference / power)), 2) if power > 0 else None


def _fades(frames: int, fade_s: float) -> Samples:
    """A few milliseconds at the start against a click, a long one at the end."""
    gain = np.ones(frames, np.float32)
    rise, fall = min(frames, RATE // 100), min(frames, round(fade_s * RATE))
    gain[:rise] = np.linspace(0, 1, rise, dtype=np.float32)
    gain[frames - fall :] *= np.cos(np.linspace(0, np.pi / 2, fall, dtype=np.float32))
    return gain


if __name__ == "__main__":
    main()
