"""A user's own music: which files are taken, and decoding one within limits.

The container is told by its first bytes, never by the file's name, and is forced on ffmpeg; of
its decoders only those of music are allowed, so that nothing else in it is ever opened.
"""

from __future__ import annotations

from pathlib import Path

from errors import ChildFailed, InvalidInput, StageTimeout
from pipeline.stage import StageContext

FIELD = "music"
MAX_BYTES = 50_000_000
#: Longer than any song; and shorter than this nothing can be looped with a crossfade.
MAX_S, MIN_S = 900, 2.0
#: Decoded beyond what is asked for: the silence that many files begin with is cut off.
_SPARE_S = 10.0
_TIMEOUT_S = 60.0
_DECODERS = (
    "mp3,mp3float,aac,alac,vorbis,opus,flac,"
    "pcm_u8,pcm_s16le,pcm_s24le,pcm_s32le,pcm_f32le,pcm_f64le"
)


def is_own(music: str) -> bool:
    """Whether a job's `music` names a file, and is not "auto" or "none"."""
    return music not in ("auto", "none")


def check_music(path: Path) -> str:
    """ffmpeg's name for the container of `path`. Raises InvalidInput; decodes nothing."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(12)
    except OSError:
        raise InvalidInput(FIELD, "cannot be read; check the path") from None
    if size > MAX_BYTES:
        raise InvalidInput(
            FIELD, f"is larger than {MAX_BYTES / 1e6:g} MB; save it smaller and submit it again"
        )
    container = _container(head)
    if container is None:
        raise InvalidInput(FIELD, "is not an MP3, WAV, M4A, OGG or FLAC file")
    return container


def decode_music(ctx: StageContext, path: Path, seconds: float, rate: int) -> Path:
    """Write at least the first `seconds` of it, if it lasts as long, as stereo float32.

    The whole is decoded once all the same: that is how its length and its health are known.
    Raises InvalidInput.
    """
    out = ctx.workdir / "music.f32"
    container = check_music(path)
    decoded_s = 0.0

    def on_line(line: bytes) -> None:
        nonlocal decoded_s
        key, _, value = line.partition(b"=")
        if key == b"out_time_us" and value.strip().isdigit():
            decoded_s = max(decoded_s, int(value) / 1e6)

    argv = [
        *(ctx.ffmpeg, "-hide_banner", "-nostdin", "-y", "-v", "error"),
        *("-nostats", "-progress", "pipe:1"),
        *("-protocol_whitelist", "file,pipe", "-codec_whitelist", _DECODERS),
        *("-f", container, "-t", str(MAX_S + 1), "-i", str(path)),
        *("-map", "0:a:0", "-t", f"{seconds + _SPARE_S:.3f}"),
        *("-af", f"aresample={rate}:resampler=soxr", "-ac", "2", "-f", "f32le", out.name),
        *("-map", "0:a:0", "-f", "null", "-"),
    ]
    try:
        ctx.run(argv, timeout_s=_TIMEOUT_S, on_stdout_line=on_line)
    except ChildFailed:
        raise InvalidInput(
            FIELD, "holds no sound that can be decoded; save it as MP3 or WAV and submit it again"
        ) from None
    except StageTimeout:
        raise InvalidInput(
            FIELD, "takes too long to decode; save it as MP3 or WAV and submit it again"
        ) from None
    if decoded_s > MAX_S:
        raise InvalidInput(FIELD, f"is longer than {MAX_S // 60} minutes; cut it first")
    if decoded_s < MIN_S:
        raise InvalidInput(FIELD, f"lasts only {decoded_s:.1f} s; use one of at least {MIN_S:g} s")
    return out


def _container(head: bytes) -> str | None:
    if head[:4] in (b"RIFF", b"RF64") and head[8:12] == b"WAVE":
        return "wav"
    if head[4:8] == b"ftyp":
        return "mov"
    if head[:4] == b"OggS":
        return "ogg"
    if head[:4] == b"fLaC":
        return "flac"
    # An ID3 tag, or the frame header's eleven set bits with a layer other than that of ADTS.
    frame = len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0 and head[1] & 0x06
    return "mp3" if head[:3] == b"ID3" or frame else None
