"""The delivery gate: the finished file is measured, and a miss is an error, not a bad video."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from errors import DeliveryRejected
from pipeline.media.probe import Measured, Span, probe
from pipeline.media.profiles import CHECKED, FRAME_SIZES, Profile
from pipeline.media.profiles import profile as profile_named
from pipeline.providers.script_ports import SpokenScene
from pipeline.stage import Json, StageContext

#: A file that is black or still for more than this part of its time is broken.
_MOSTLY = 0.5
#: Silence of this length while the voice should speak means a lost scene.
_SILENT_S = 3.0
_FPS_TOLERANCE = 0.01
_MAX_GOP_S = 1.0
#: Brands of ISO/IEC 14496-12 and -14; "qt  " would be QuickTime.
_MP4 = frozenset({"isom", "iso2", "iso4", "iso5", "iso6", "mp41", "mp42", "avc1"})


@dataclass(frozen=True)
class Check:
    """One promise. `missed` says in words what went wrong, for the error message."""

    name: str
    expected: Any
    measured: Any
    passed: bool
    missed: str


def write_report(
    ctx: StageContext,
    video: Path,
    out: Path,
    *,
    profile: str,
    voice_scenes: Sequence[SpokenScene],
    job_id: str,
    extra: Mapping[str, Any],
) -> Json:
    """Measure `video`, write the report to `out`, and return it.

    `extra` is copied into the report; of its keys `frame` ("9:16"), `size` ([w, h]) and `fps`
    replace what the profile would expect; `safe_zone` ({"outside": [...]}) and `captions` (of
    media/caption_times.py) are checked.
    Raises DeliveryRejected, naming what was missed, after the report was written.
    """
    wanted = profile_named(profile)
    measured = probe(ctx, video)
    checks = _checks(measured, wanted, voice_scenes, extra)
    missed = [check.missed for check in checks if not check.passed]
    report: Json = {
        "job_id": job_id,
        "passed": not missed,
        "profile": {"name": profile, "checked": CHECKED},
        "checks": [
            {
                "name": check.name,
                "expected": check.expected,
                "measured": check.measured,
                "passed": check.passed,
            }
            for check in checks
        ],
        "measured": measured.as_json(),
        **extra,
    }
    text = json.dumps(report, ensure_ascii=False, indent=2)
    out.write_text(text + "\n", encoding="utf-8")
    if missed:
        raise DeliveryRejected("the finished video was not delivered: " + "; ".join(missed))
    plain: Json = json.loads(text)  # tuples become lists, as a checkpoint would make them
    return plain


def _checks(
    m: Measured, wanted: Profile, scenes: Sequence[SpokenScene], extra: Mapping[str, Any]
) -> list[Check]:
    checks = [*_container(m, wanted), *_picture(m, wanted, extra), *_sound(m, wanted)]
    length = f"{wanted.min_length_s:g} to {wanted.max_length_s:g} s"
    fits = wanted.min_length_s <= m.video_s <= wanted.max_length_s
    checks.append(
        Check("length", length, m.video_s, fits, f"it lasts {m.video_s:.1f} s, not {length}")
    )
    apart_s = abs(m.video_s - m.audio_s)
    frame_s = 1 / m.fps if m.fps else 1 / wanted.fps
    checks.append(
        Check(
            "audio and video length",
            f"within {frame_s:.4f} s",
            round(apart_s, 4),
            apart_s <= frame_s,
            f"sound and picture differ by {apart_s:.3f} s in length",
        )
    )
    offset_s = abs(m.av_offset_s or 0.0)
    checks.append(
        Check(
            "audio and video start",
            f"within {frame_s:.4f} s",
            m.av_offset_s,
            offset_s <= frame_s,
            f"sound and picture start {offset_s:.3f} s apart",
        )
    )
    checks += [_mostly("black", m.black, m.video_s), _mostly("frozen", m.frozen, m.video_s)]
    silent_s = max((_inside(span, scenes) for span in m.silent), default=0.0)
    checks.append(
        Check(
            "silence in the voice",
            f"at most {_SILENT_S:g} s",
            round(silent_s, 2),
            silent_s <= _SILENT_S,
            f"it is silent for {silent_s:.1f} s where the voice should speak",
        )
    )
    if extra.get("captions") is not None:
        checks += _captions(extra["captions"])
    if extra.get("safe_zone") is not None:
        outside = extra["safe_zone"].get("outside", [])
        checks.append(
            Check(
                "text in the safe zone",
                "none outside",
                len(outside),
                not outside,
                f"{len(outside)} texts lie outside the safe zone",
            )
        )
    return checks


def _container(m: Measured, wanted: Profile) -> list[Check]:
    limit = f"at most {wanted.max_bytes / 1e6:g} MB" if wanted.max_bytes else "any"
    return [
        Check("container", "MP4", m.brand, m.brand in _MP4, f"it is {m.brand!r}, not an MP4"),
        Check(
            "file size",
            limit,
            m.size_bytes,
            wanted.max_bytes is None or m.size_bytes <= wanted.max_bytes,
            f"it has {m.size_bytes / 1e6:.1f} MB; {wanted.name} takes {limit}",
        ),
        _equal("header before the media", True, m.moov_first, "its header lies behind the media"),
        _equal("edit lists", False, m.edit_lists, "it holds edit lists"),
    ]


def _picture(m: Measured, wanted: Profile, extra: Mapping[str, Any]) -> list[Check]:
    color = _color_name(m.color)
    low, high = (extra["fps"], extra["fps"]) if "fps" in extra else wanted.fps_allowed
    rate = f"constant, {low:g}" if low == high else f"constant, {low:g} to {high:g}"
    frames = [extra["frame"]] if "frame" in extra else list(wanted.frames)
    sizes = [extra["size"]] if "size" in extra else [FRAME_SIZES[frame] for frame in frames]
    names = [f"{width}x{height}" for width, height in sizes]
    missed = f"it is {m.width}x{m.height}, not {' or '.join(names)}"
    size = f"{m.width}x{m.height}"
    steady = m.fps is not None and low - _FPS_TOLERANCE < m.fps < high + _FPS_TOLERANCE
    return [
        _equal("video codec", "avc1", m.video_codec, f"its video is {m.video_codec}, not H.264"),
        _equal(
            "video profile", "High", m.video_profile, f"its profile is {m.video_profile}, not High"
        ),
        _equal(
            "pixel format",
            "yuv420p",
            m.pixel_format,
            f"its pixel format is {m.pixel_format}, not yuv420p",
        ),
        _equal("colours", "bt709", color, f"its colours are tagged {color}, not BT.709"),
        Check("frame size", names, size, size in names, missed),
        Check(
            "frame rate",
            rate,
            m.fps,
            steady,
            f"it has {m.fps or 'a changing number of'} frames a second, not {rate}",
        ),
        _equal("closed GOP", True, m.closed_gop, "its key frames do not stand alone"),
        _gop_length(m),
    ]


def _gop_length(m: Measured) -> Check:
    """In seconds: a seek, or a cut by a platform's own encoder, lands no further off."""
    gop_s = m.longest_gop / m.fps if m.longest_gop and m.fps else None
    return Check(
        "GOP length",
        f"at most {_MAX_GOP_S:g} s",
        round(gop_s, 3) if gop_s is not None else None,
        gop_s is not None and gop_s <= _MAX_GOP_S,
        f"its key frames lie {gop_s or 0:.2f} s apart",
    )


def _sound(m: Measured, wanted: Profile) -> list[Check]:
    layout = f"{m.audio_profile} {m.audio_rate} Hz, {m.audio_channels} channels"
    ceiling, target = wanted.loudness.true_peak_dbtp, wanted.loudness.lufs
    band = wanted.loudness_tolerance_lu
    cap = wanted.loudness.max_short_term_lufs
    loudest = m.max_short_term_lufs
    short_term = Check(
        "short-term loudness",
        f"at most {cap:g} LUFS" if cap is not None else "any",
        loudest,
        cap is None or (loudest is not None and loudest <= cap),
        f"its loudest three seconds have {loudest} LUFS, above {cap}",
    )
    return [
        _equal("audio codec", "mp4a", m.audio_codec, f"its sound is {m.audio_codec}, not AAC"),
        _equal(
            "audio layout",
            "LC 48000 Hz, 2 channels",
            layout,
            f"its sound is {layout}, not AAC-LC at 48 kHz in stereo",
        ),
        Check(
            "loudness",
            f"{target:g} LUFS, {band:g} LU either way",
            m.lufs,
            m.lufs is not None and abs(m.lufs - target) <= band,
            f"its loudness is {m.lufs} LUFS, not {target:g}",
        ),
        Check(
            "true peak",
            f"at most {ceiling:g} dBTP",
            m.true_peak_dbtp,
            m.true_peak_dbtp is not None and m.true_peak_dbtp <= ceiling,
            f"its true peak is {m.true_peak_dbtp} dBTP, above {ceiling:g}",
        ),
        short_term,
    ]


def _captions(found: Json) -> list[Check]:
    """`found` is what `caption_times` gives."""
    limit_ms = found["limit_ms"]
    return [
        Check(
            f"captions in step with the voice ({place})",
            f"within {limit_ms:g} ms",
            found[place],
            found[place] is not None and found[place] <= limit_ms,
            f"its captions ({place}) start up to {found[place]} ms off their words"
            if found[place] is not None
            else f"its captions ({place}) do not hold the words that are spoken",
        )
        for place in ("burnt_in", "srt", "vtt")
        if place in found
    ]


def _equal(name: str, expected: object, measured: object, missed: str) -> Check:
    return Check(name, expected, measured, expected == measured, missed)


def _color_name(color: str | None) -> str:
    """ffmpeg writes "tv, bt709, progressive" where all three tags agree."""
    parts = [part.strip() for part in (color or "untagged").split(",")]
    tags = [part for part in parts if part not in ("tv", "pc", "progressive")]
    return tags[0] if tags else "untagged"


def _mostly(what: str, spans: Sequence[Span], length_s: float) -> Check:
    part = sum(end - start for start, end in spans) / length_s if length_s else 1.0
    return Check(
        f"{what} part",
        f"at most {_MOSTLY:g}",
        round(part, 3),
        part <= _MOSTLY,
        f"it is {what} for {part:.0%} of its time",
    )


def _inside(span: Span, scenes: Sequence[SpokenScene]) -> float:
    """How much of `span` lies between the first and the last word."""
    if not scenes:
        return 0.0
    start, end = max(span[0], scenes[0]["start_s"]), min(span[1], scenes[-1]["end_s"])
    return max(0.0, end - start)
