"""Measures a finished file with ffmpeg alone: what it says of itself, and what one sees and hears.

1. The boxes are read in Python: container, codec profiles, frame rate, GOP, exact lengths.
2. ffmpeg opens the file without decoding, and names pixel format and colours.
3. One decode, scaled down, finds loudness and black, frozen and silent spans.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from pathlib import Path

from errors import DeliveryRejected
from pipeline.media.boxes import Mp4, NotMp4, Track, read_mp4
from pipeline.media.loudness import Loudness, loudest_three_seconds, meter, parse_ebur128
from pipeline.stage import Json, StageContext

Span = tuple[float, float]

#: Samples that an AAC encoder puts before the first one it was given (ffmpeg's, and most).
AAC_PRIMING = 1024
_ANALYSIS_WIDTH = 270
_TIMEOUT_S = 300.0
_VIDEO_LINE = re.compile(
    r"Stream #0:\d+.*?: Video: h264 \((?P<profile>[^)]*)\).*?, (?P<pix>\w+)\((?P<color>[^)]*)\)"
)
_AUDIO_LINE = re.compile(r"Stream #0:\d+.*?: Audio: (?P<codec>\w+)(?: \((?P<profile>[^)]*)\))?")
_EVENT = re.compile(r"lavfi\.(black|freezedetect\.freeze|silence)_(start|end)(?:\.\d+)?=([\d.]+)")


@dataclass(frozen=True)
class Measured:
    """All that was found. Lengths in seconds; None where the file has no such track."""

    brand: str
    moov_first: bool
    edit_lists: bool
    size_bytes: int
    video_codec: str | None
    video_profile: str | None
    pixel_format: str | None
    #: Range, matrix, primaries and transfer as ffmpeg names them; one name where all agree.
    color: str | None
    width: int | None
    height: int | None
    #: None where the rate varies.
    fps: float | None
    frames: int | None
    longest_gop: int | None
    closed_gop: bool | None
    b_frames: bool | None
    audio_codec: str | None
    audio_profile: str | None
    audio_rate: int | None
    audio_channels: int | None
    video_s: float
    #: Without the encoder's priming.
    audio_s: float
    #: How much later the sound starts than the picture, priming and edit lists counted.
    av_offset_s: float | None
    lufs: float | None
    true_peak_dbtp: float | None
    #: The loudest three seconds.
    max_short_term_lufs: float | None
    black: tuple[Span, ...]
    frozen: tuple[Span, ...]
    silent: tuple[Span, ...]

    def as_json(self) -> Json:
        return asdict(self)


def probe(ctx: StageContext, video: Path) -> Measured:
    """Measure `video`. Raises DeliveryRejected where it cannot be read as MP4."""
    try:
        mp4 = read_mp4(video)
    except (NotMp4, FileNotFoundError) as error:
        raise DeliveryRejected(f"the finished file cannot be read: {error}") from error
    pictures, sound = mp4.track("video"), mp4.track("audio")
    if pictures is None:
        raise DeliveryRejected("the finished file has no video track")
    header = _header(ctx, video)
    shown = _VIDEO_LINE.search(header)
    heard = _AUDIO_LINE.search(header)
    loudness, short_term, spans = _decode(ctx, video, pictures, sound)
    width, height = pictures.size or (None, None)
    return Measured(
        brand=mp4.brand,
        moov_first=mp4.moov_first,
        edit_lists=_has_edits(mp4),
        size_bytes=video.stat().st_size,
        video_codec=pictures.codec,
        video_profile=shown["profile"] if shown else None,
        pixel_format=shown["pix"] if shown else None,
        color=shown["color"] if shown else None,
        width=width,
        height=height,
        fps=round(1 / pictures.frame_s, 3) if pictures.frame_s else None,
        frames=pictures.samples,
        longest_gop=pictures.longest_gop,
        closed_gop=pictures.closed_gop,
        b_frames=pictures.reordered,
        audio_codec=sound.codec if sound else None,
        audio_profile=heard["profile"] if heard else None,
        audio_rate=sound.rate if sound else None,
        audio_channels=sound.channels if sound else None,
        video_s=round(pictures.length_s, 4),
        audio_s=round(_heard_s(sound), 4) if sound else 0.0,
        av_offset_s=_offset_s(pictures, sound) if sound else None,
        lufs=loudness.lufs if loudness else None,
        true_peak_dbtp=loudness.true_peak_dbtp if loudness else None,
        max_short_term_lufs=short_term if loudness else None,
        black=spans["black"],
        frozen=spans["freezedetect.freeze"],
        silent=spans["silence"],
    )


def _has_edits(mp4: Mp4) -> bool:
    """Edit lists that do something: a single one from zero changes nothing."""
    return any(len(track.edits) > 1 or any(at for _, at in track.edits) for track in mp4.tracks)


def _priming_s(sound: Track) -> float:
    """What the encoder put before the sound: the edit list says how much, else the usual."""
    skipped = max((at for _, at in sound.edits if at > 0), default=0)
    return (skipped or (AAC_PRIMING if sound.codec == "mp4a" else 0)) / sound.timescale


def _heard_s(sound: Track) -> float:
    return max(0.0, sound.length_s - _priming_s(sound))


def _offset_s(pictures: Track, sound: Track) -> float:
    # An edit list that names the priming has taken it off `start_s` already: 0 either way.
    return round(sound.start_s + _priming_s(sound) - pictures.start_s, 4)


def _header(ctx: StageContext, video: Path) -> str:
    return ctx.run(
        [
            *(ctx.ffmpeg, "-hide_banner", "-nostdin", "-nostats"),
            *("-protocol_whitelist", "file,pipe", "-f", "mov", "-i", str(video)),
            *("-map", "0", "-c", "copy", "-t", "0", "-f", "null", "-"),
        ],
        timeout_s=30.0,
    ).log_tail


def _decode(
    ctx: StageContext, video: Path, pictures: Track, sound: Track | None
) -> tuple[Loudness | None, float, dict[str, tuple[Span, ...]]]:
    # The events go to files: two filters that share a pipe may cut each other's lines.
    seen, heard, loud = (ctx.workdir / f"probe-{what}.txt" for what in ("video", "audio", "loud"))
    graph = (
        f"[0:v]scale={_ANALYSIS_WIDTH}:-2:flags=fast_bilinear,format=gray,"
        "freezedetect=n=-60dB:d=1,blackdetect=d=0.3:pix_th=0.06,"
        f"metadata=mode=print:file={seen.name}[v]"
    )
    maps = ["-map", "[v]"]
    if sound:
        graph += (
            f";[0:a]{meter(loud)},silencedetect=noise=-50dB:d=0.5,"
            f"ametadata=mode=print:file={heard.name}[a]"
        )
        maps += ["-map", "[a]"]
    result = ctx.run(
        [
            *(ctx.ffmpeg, "-hide_banner", "-nostdin", "-nostats"),
            # Key frames only: one each half a second tells black and frozen spans as well, and
            # takes a seventh of the time.
            *("-skip_frame", "nokey"),
            *("-protocol_whitelist", "file,pipe", "-f", "mov", "-i", str(video)),
            *("-filter_complex", graph, *maps, "-f", "null", "-"),
        ],
        timeout_s=_TIMEOUT_S,
    )
    log = "".join(_take(path) for path in (seen, heard))
    return (
        parse_ebur128(result.log_tail) if sound else None,
        loudest_three_seconds(_take(loud)),
        {
            kind: _spans(log, kind, pictures.length_s)
            for kind in ("black", "freezedetect.freeze", "silence")
        },
    )


def _take(path: Path) -> str:
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    path.unlink(missing_ok=True)
    return text


def _spans(log: str, kind: str, until_s: float) -> tuple[Span, ...]:
    """Pairs of start and end; one that is still open at the end lasts until then."""
    spans: list[Span] = []
    opened: float | None = None
    for found, edge, value in _EVENT.findall(log):
        if found != kind:
            continue
        if edge == "start":
            opened = float(value)
        elif opened is not None:
            spans.append((opened, float(value)))
            opened = None
    if opened is not None:
        spans.append((opened, round(until_s, 4)))
    return tuple(spans)
