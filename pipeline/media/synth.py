"""Makes a score audible: small band-limited instruments, a room, a gentle high cut.

Imports numpy: only child processes import this module.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from pipeline.media.music import Note, Part, Score

Samples = npt.NDArray[np.float32]

RATE = 48_000
_TABLE = 1 << 14
#: Harmonics end here: nothing to alias, nothing to hiss.
_BRIGHTEST_HZ = 9_000.0
_RELEASE_S = 0.08


def render(score: Score, duration_s: float, seed: int) -> Samples:
    """Render to (2, frames) in about -1 to 1, not yet levelled; no frame more than asked."""
    frames = round(duration_s * RATE)
    dry = np.zeros((2, frames), np.float32)
    wet = np.zeros((2, frames), np.float32)
    pump = _pump(score, frames)
    rng = np.random.default_rng(seed)
    for part in score.parts:
        track = _track(part, frames, rng)
        if part.pumped:
            track = track * pump
        dry += track
        if not part.dry:
            wet += track
    return _finish(dry + score.reverb * _room(wet, rng), frames)


def _track(part: Part, frames: int, rng: np.random.Generator) -> Samples:
    track = np.zeros((2, frames), np.float32)
    play = _INSTRUMENTS[part.instrument]
    angle = (part.pan + 1) * np.pi / 4
    sides = np.array([[np.cos(angle)], [np.sin(angle)]], np.float32) * 10 ** (part.gain_db / 20)
    drums: dict[int, Samples] = {}
    for note in part.notes:
        start = round(note.start_s * RATE)
        if part.instrument in _NOISES:
            # Four takes of each drum: real hits differ a little, and it saves work.
            take = len(drums) if len(drums) < 4 else int(rng.integers(4))
            if take not in drums:
                drums[take] = play(note, rng)
            sound = drums[take]
        else:
            sound = play(note, rng)
        end = min(frames, start + sound.shape[-1])
        if end > start:
            track[:, start:end] += sides * note.velocity * sound[..., : end - start]
    return track


def _seconds(length_s: float) -> Samples:
    return np.arange(round(length_s * RATE), dtype=np.float32) / np.float32(RATE)


def _hz(pitch: float) -> float:
    return float(440.0 * 2 ** ((pitch - 69) / 12))


def _wave(hz: float, frames: int, slope: float, phase: float = 0.0, odd: bool = False) -> Samples:
    """A tone whose nth harmonic has the strength n**-slope, from one table of its sum."""
    count = max(1, min(24, int(_BRIGHTEST_HZ / hz)))
    spectrum = np.zeros(_TABLE // 2 + 1, complex)
    for n in range(1, count + 1, 2 if odd else 1):
        spectrum[n] = -0.5j * _TABLE * n**-slope
    table = np.fft.irfft(spectrum).astype(np.float32)
    steps = np.arange(frames, dtype=np.float64) * (hz * _TABLE / RATE) + phase * _TABLE
    wave: Samples = table[steps.astype(np.int64) & (_TABLE - 1)]
    return wave


def _edges(sound: Samples, attack_s: float, release_s: float = _RELEASE_S) -> Samples:
    """Fade a note in and out, so that none starts or ends with a click."""
    frames = sound.shape[-1]
    rise, fall = min(frames, round(attack_s * RATE)), min(frames, round(release_s * RATE))
    sound[..., :rise] *= np.sin(np.linspace(0, np.pi / 2, rise, dtype=np.float32)) ** 2
    sound[..., frames - fall :] *= np.cos(np.linspace(0, np.pi / 2, fall, dtype=np.float32)) ** 2
    return sound


def _epiano(note: Note, _rng: np.random.Generator) -> Samples:
    """A tine piano by frequency modulation: bright when struck, soft after."""
    t, hz = _seconds(note.length_s + 0.35), _hz(note.pitch)
    bell = np.sin(2 * np.pi * hz * 7 * t) * np.exp(-t * 14) * 0.25 if hz * 7 < 6000 else 0.0
    index = 1.1 * np.exp(-t * 3.0) + 0.15
    tone = np.sin(2 * np.pi * hz * t + index * np.sin(2 * np.pi * hz * t) + bell)
    tremolo = 1 + 0.12 * np.stack([np.sin(2 * np.pi * 4.6 * t), -np.sin(2 * np.pi * 4.6 * t)])
    return _edges((tone * np.exp(-t * 1.1) * tremolo * 0.2).astype(np.float32), 0.004, 0.3)


def _felt(note: Note, _rng: np.random.Generator) -> Samples:
    t, hz = _seconds(note.length_s + 0.8), _hz(note.pitch)
    soft = _wave(hz, len(t), 2.6) * np.exp(-t * 1.3)
    hammer = _wave(hz, len(t), 1.5) * np.exp(-t * 9) * 0.35
    return _edges(((soft + hammer) * 0.24).astype(np.float32), 0.006, 0.6)


def _pad(
    note: Note, rng: np.random.Generator, slope: float = 1.7, attack_s: float = 0.5
) -> Samples:
    """Four detuned voices, two a side, that swell in."""
    frames = round((note.length_s + 0.5) * RATE)
    voices = [
        _wave(_hz(note.pitch + cents / 100), frames, slope, float(rng.random()))
        for cents in (-7, 4, -3, 8)
    ]
    sound = np.stack([voices[0] + voices[1] * 0.7, voices[2] * 0.7 + voices[3]]) * np.float32(0.12)
    return _edges(sound, min(attack_s, note.length_s / 2), 0.6)


def _strings(note: Note, rng: np.random.Generator) -> Samples:
    return _pad(note, rng, slope=1.5, attack_s=0.9)


def _pluck(note: Note, _rng: np.random.Generator) -> Samples:
    t, hz = _seconds(note.length_s + 0.25), _hz(note.pitch)
    body = _wave(hz, len(t), 2.0) * np.exp(-t * 7)
    pick = _wave(hz, len(t), 1.1) * np.exp(-t * 28) * 0.5
    return _edges(((body + pick) * 0.3).astype(np.float32), 0.002, 0.15)


def _stab(note: Note, rng: np.random.Generator) -> Samples:
    t = _seconds(note.length_s + 0.12)
    saws = [_wave(_hz(note.pitch + c / 100), len(t), 1.25, float(rng.random())) for c in (-6, 6)]
    return _edges((np.stack(saws) * np.exp(-t * 5) * 0.2).astype(np.float32), 0.003, 0.1)


def _bass(note: Note, _rng: np.random.Generator) -> Samples:
    t, hz = _seconds(note.length_s + 0.05), _hz(note.pitch)
    tone = _wave(hz, len(t), 2.2) * np.exp(-t * 1.4)
    growl = _wave(hz, len(t), 1.3, odd=True) * np.exp(-t * 9) * 0.3
    return _edges(((tone + growl) * 0.45).astype(np.float32), 0.005, 0.05)


def _bell(note: Note, _rng: np.random.Generator) -> Samples:
    t, hz = _seconds(note.length_s + 0.6), _hz(note.pitch)
    tone = np.sin(2 * np.pi * hz * t) * np.exp(-t * 2.6)
    upper = np.sin(2 * np.pi * hz * 2.76 * t) * np.exp(-t * 7) * 0.25 if hz < 2500 else 0.0
    return _edges(((tone + upper) * 0.3).astype(np.float32), 0.003, 0.4)


def _marimba(note: Note, _rng: np.random.Generator) -> Samples:
    t, hz = _seconds(0.5), _hz(note.pitch)
    tone = np.sin(2 * np.pi * hz * t) * np.exp(-t * 9)
    bar = np.sin(2 * np.pi * hz * 3.93 * t) * np.exp(-t * 30) * 0.3
    return _edges(((tone + bar) * 0.45).astype(np.float32), 0.0015, 0.1)


def _thump(length_s: float, high_hz: float, low_hz: float, decay: float) -> Samples:
    t = _seconds(length_s)
    phase = 2 * np.pi * (low_hz * t + (high_hz - low_hz) / 34 * (1 - np.exp(-34 * t)))
    return _edges((np.sin(phase) * np.exp(-t * decay) * 0.9).astype(np.float32), 0.001, 0.05)


def _kick(_note: Note, _rng: np.random.Generator) -> Samples:
    return _thump(0.34, 170, 49, 9.5)


def _softkick(_note: Note, _rng: np.random.Generator) -> Samples:
    return _thump(0.3, 95, 52, 13)


def _noise(length_s: float, low_hz: float, high_hz: float, rng: np.random.Generator) -> Samples:
    frames = round(length_s * RATE)
    spectrum = np.fft.rfft(rng.standard_normal(frames))
    hz = np.fft.rfftfreq(frames, 1 / RATE)
    spectrum *= 1 / (1 + (low_hz / np.maximum(hz, 1)) ** 4) / (1 + (hz / high_hz) ** 4)
    noise = np.fft.irfft(spectrum, frames)
    return np.asarray(noise / np.abs(noise).max(), np.float32)


def _clap(_note: Note, rng: np.random.Generator) -> Samples:
    noise, t = _noise(0.24, 900, 5000, rng), _seconds(0.24)
    bursts = sum(np.where(t >= at, np.exp(-(t - at) * 190), 0) for at in (0, 0.011, 0.022))
    return _edges((noise * (bursts + np.exp(-t * 22) * 0.5) * 0.6).astype(np.float32), 0.001)


def _snap(_note: Note, rng: np.random.Generator) -> Samples:
    return _edges((_noise(0.12, 1700, 4200, rng) * np.exp(-_seconds(0.12) * 55)), 0.001, 0.03)


def _hat(_note: Note, rng: np.random.Generator) -> Samples:
    return _edges((_noise(0.09, 6500, 11000, rng) * np.exp(-_seconds(0.09) * 60)), 0.001, 0.02)


def _shaker(_note: Note, rng: np.random.Generator) -> Samples:
    return _edges((_noise(0.12, 4500, 9000, rng) * np.exp(-_seconds(0.12) * 30)), 0.02, 0.03)


_INSTRUMENTS: dict[str, Callable[[Note, np.random.Generator], Samples]] = {
    "epiano": _epiano,
    "felt": _felt,
    "pad": _pad,
    "strings": _strings,
    "pluck": _pluck,
    "stab": _stab,
    "bass": _bass,
    "bell": _bell,
    "marimba": _marimba,
    "kick": _kick,
    "softkick": _softkick,
    "clap": _clap,
    "snap": _snap,
    "hat": _hat,
    "shaker": _shaker,
}
_NOISES = frozenset({"kick", "softkick", "clap", "snap", "hat", "shaker"})


def _pump(score: Score, frames: int) -> Samples:
    """The breathing of dance music: down on each beat, back within half of it."""
    gain = np.ones(frames, np.float32)
    for start_s in score.beats:
        start = round(start_s * RATE)
        dip = 1 - score.pump * np.exp(-_seconds(0.45) * 9)
        dip = dip[: max(0, frames - start)]
        gain[start : start + len(dip)] = np.minimum(gain[start : start + len(dip)], dip)
    kernel = np.hanning(round(0.006 * RATE)).astype(np.float32)
    return np.convolve(gain, kernel / kernel.sum(), "same").astype(np.float32)


def _room(sound: Samples, rng: np.random.Generator) -> Samples:
    """A small hall: decaying noise as the impulse response, darker than the source."""
    t = _seconds(1.4)
    size = 1 << int(np.ceil(np.log2(sound.shape[1] + len(t))))
    hz = np.fft.rfftfreq(size, 1 / RATE).astype(np.float32)
    tone = 1 / (1 + (hz / 3500) ** 2) / (1 + (180 / np.maximum(hz, 1)) ** 2)
    out = np.empty_like(sound)
    for side in (0, 1):
        response = rng.standard_normal(len(t), np.float32) * np.exp(-t * 4.2)
        response[: round(0.012 * RATE)] = 0
        response /= np.sqrt((response**2).sum())
        product = np.fft.rfft(sound[side], size) * np.fft.rfft(response, size) * tone
        out[side] = np.fft.irfft(product, size)[: sound.shape[1]]
    return out


def _finish(sound: Samples, frames: int) -> Samples:
    """No DC and no rumble below 35 Hz, a soft top, and 3 dB less where a voice lives."""
    size = 1 << int(np.ceil(np.log2(frames)))
    hz = np.fft.rfftfreq(size, 1 / RATE)
    curve = 1 / (1 + (35 / np.maximum(hz, 0.1)) ** 4) / np.sqrt(1 + (hz / 10_500) ** 6)
    curve *= 1 - 0.3 * np.exp(-((np.log2(np.maximum(hz, 1) / 2200)) ** 2) / 1.1)
    shaped = np.fft.irfft(np.fft.rfft(sound, size) * curve, size)[:, :frames]
    peak = float(np.abs(shaped).max()) or 1.0
    return np.tanh(shaped / peak * 1.2).astype(np.float32)
