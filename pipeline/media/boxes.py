"""Reads what an MP4 file says of itself: its boxes, without decoding anything.

Layouts are those of ISO/IEC 14496-12 (the boxes), -15 (avcC) and -14 (esds). Numbers are
big-endian. Only the movie header is read into memory, and a few bytes of each key frame.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate, pairwise
from pathlib import Path
from typing import BinaryIO

#: A minute of video has a movie header of about 50 kB; more than this is not one of ours.
_MAX_MOOV_BYTES = 32_000_000
_CONTAINERS = frozenset({b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts"})


class NotMp4(Exception):
    """The file is no MP4, or is cut short."""


@dataclass(frozen=True)
class Track:
    """One track. Times in seconds; `frame_s` is None where sample durations differ."""

    kind: str
    codec: str
    length_s: float
    samples: int
    frame_s: float | None
    #: When the first sample is presented, edit list applied: late by reordered frames (video)
    #: or by a stretched first sample (sound, where a muxer made up for those).
    start_s: float
    edits: tuple[tuple[int, int], ...]
    timescale: int
    reordered: bool
    key_samples: tuple[int, ...]
    #: Video: profile_idc and level_idc of H.264. Audio: object type (2 is AAC-LC).
    profile: int | None
    level: int | None
    size: tuple[int, int] | None
    rate: int | None
    channels: int | None
    #: True where each key frame is an IDR picture: nothing refers across it.
    closed_gop: bool | None

    @property
    def longest_gop(self) -> int:
        """Frames from a key frame to the next, at most."""
        edges = [*self.key_samples, self.samples + 1]
        return max((later - at for at, later in pairwise(edges)), default=self.samples)


@dataclass(frozen=True)
class Mp4:
    """A file's own account of itself. `order` lists the top-level boxes as they lie."""

    brand: str
    order: tuple[str, ...]
    tracks: tuple[Track, ...]

    @property
    def moov_first(self) -> bool:
        """A player can start before the whole file has arrived."""
        return self.order.index("moov") < self.order.index("mdat")

    def track(self, kind: str) -> Track | None:
        return next((track for track in self.tracks if track.kind == kind), None)


def read_mp4(path: Path) -> Mp4:
    """Read the boxes of `path`. Raises NotMp4."""
    order: list[str] = []
    brand, moov = "", b""
    try:
        with path.open("rb") as file:
            for name, start, end in _top_level(file, path.stat().st_size):
                order.append(name)
                if name == "ftyp":
                    file.seek(start)
                    brand = file.read(4).decode("ascii", "replace")
                elif name == "moov":
                    if end - start > _MAX_MOOV_BYTES:
                        raise NotMp4("the movie header is too large")
                    file.seek(start)
                    moov = file.read(end - start)
            if "moov" not in order or "mdat" not in order:
                raise NotMp4("the movie header or the media data is missing")
            tracks = [_track(body, file) for name, body in _children(moov) if name == b"trak"]
    except (struct.error, IndexError, KeyError, ZeroDivisionError) as error:
        raise NotMp4("a box is malformed") from error
    return Mp4(brand, tuple(order), tuple(tracks))


def _top_level(file: BinaryIO, size: int) -> Iterator[tuple[str, int, int]]:
    at = 0
    while at + 8 <= size:
        file.seek(at)
        length, name = struct.unpack(">I4s", file.read(8))
        head = 8
        if length == 1:
            (length,) = struct.unpack(">Q", file.read(8))
            head = 16
        elif length == 0:
            length = size - at
        if length < head or at + length > size:
            raise NotMp4("the file is cut short")
        yield name.decode("latin-1"), at + head, at + length
        at += length


def _children(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at + 8 <= len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        if length < 8:
            raise NotMp4("a box is malformed")
        yield name, data[at + 8 : at + length]
        at += length


def _leaves(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    for name, body in _children(data):
        if name in _CONTAINERS:
            yield from _leaves(body)
        else:
            yield name, body


def _track(data: bytes, file: BinaryIO) -> Track:
    box = dict(_leaves(data))
    kind = {b"vide": "video", b"soun": "audio"}.get(box[b"hdlr"][8:12], "other")
    timescale, duration = _media_header(box[b"mdhd"])
    runs = _pairs(box[b"stts"])
    samples = sum(count for count, _ in runs)
    # The last sample may be longer or shorter without the rate being variable.
    steady = {delta for count, delta in (runs[:-1] if runs and runs[-1][0] == 1 else runs)}
    edits = _edits(box.get(b"elst"))
    late = _lead(runs) + _first_offset(box.get(b"ctts"))
    skipped = max((at for _, at in edits), default=0)
    entry = box[b"stsd"][8:]
    codec, fields = entry[4:8].decode("latin-1"), entry[8:]
    profile = level = rate = channels = None
    size = closed = None
    keys: tuple[int, ...] = ()
    if kind == "video":
        size = struct.unpack_from(">HH", fields, 24)
        keys = _key_samples(box.get(b"stss"), samples)
        inner = dict(_children(fields[78:]))
        if b"avcC" in inner:
            profile, level = inner[b"avcC"][1], inner[b"avcC"][3]
            closed = _all_idr(box, keys, file, 1 + (inner[b"avcC"][4] & 3))
    elif kind == "audio":
        channels, rate = struct.unpack_from(">H", fields, 16)[0], _rate(fields)
        inner = dict(_children(fields[28:]))
        profile = _object_type(inner[b"esds"]) if b"esds" in inner else None
    return Track(
        kind=kind,
        codec=codec,
        length_s=(duration - _lead(runs)) / timescale,
        samples=samples,
        frame_s=steady.pop() / timescale if len(steady) == 1 else None,
        start_s=(late - skipped) / timescale,
        edits=edits,
        timescale=timescale,
        reordered=b"ctts" in box,
        key_samples=keys,
        profile=profile,
        level=level,
        size=size,
        rate=rate,
        channels=channels,
        closed_gop=closed,
    )


def _media_header(body: bytes) -> tuple[int, int]:
    timescale, duration = struct.unpack_from(
        ">IQ" if body[0] else ">II", body, 20 if body[0] else 12
    )
    return timescale, duration


def _pairs(body: bytes) -> list[tuple[int, int]]:
    (count,) = struct.unpack_from(">I", body, 4)
    return list(struct.iter_unpack(">II", body[8 : 8 + 8 * count]))


def _lead(runs: list[tuple[int, int]]) -> int:
    """How much longer the first sample is than the second: a gap, not a sound."""
    if len(runs) < 2 or runs[0][0] != 1:
        return 0
    return max(0, runs[0][1] - runs[1][1])


def _first_offset(body: bytes | None) -> int:
    """The first sample's composition offset (signed in version 1)."""
    if body is None:
        return 0
    return int(struct.unpack_from(">i" if body[0] else ">I", body, 12)[0])


def _key_samples(body: bytes | None, samples: int) -> tuple[int, ...]:
    """1-based numbers of the key frames; without the box, every sample is one."""
    if body is None:
        return tuple(range(1, samples + 1))
    (count,) = struct.unpack_from(">I", body, 4)
    return struct.unpack_from(f">{count}I", body, 8)


def _edits(body: bytes | None) -> tuple[tuple[int, int], ...]:
    """(segment_duration, media_time) of each edit."""
    if body is None:
        return ()
    (count,) = struct.unpack_from(">I", body, 4)
    shape, step = (">Qq", 20) if body[0] else (">Ii", 12)
    return tuple(struct.unpack_from(shape, body, 8 + step * index) for index in range(count))


def _rate(fields: bytes) -> int:
    return int(struct.unpack_from(">I", fields, 24)[0] >> 16)


def _object_type(esds: bytes) -> int | None:
    """The audio object type: the first five bits of the decoder's specific info (tag 5)."""
    at = esds.find(b"\x05", 20)
    if at < 0:
        return None
    at += 1
    while esds[at] & 0x80:  # the length takes as many bytes as have their top bit set, plus one
        at += 1
    return esds[at + 1] >> 3


def _all_idr(
    box: dict[bytes, bytes], keys: tuple[int, ...], file: BinaryIO, length_bytes: int
) -> bool:
    """Whether each key sample holds an IDR slice (NAL unit type 5)."""
    offsets, sizes = _sample_places(box)
    for key in keys:
        file.seek(offsets[key - 1])
        sample = file.read(min(sizes[key - 1], 4096))
        at, found = 0, False
        while at + length_bytes < len(sample):
            kind = sample[at + length_bytes] & 0x1F
            if kind in (1, 5):
                found = kind == 5
                break
            at += length_bytes + int.from_bytes(sample[at : at + length_bytes], "big")
        if not found:
            return False
    return True


def _sample_places(box: dict[bytes, bytes]) -> tuple[list[int], list[int]]:
    uniform, samples = struct.unpack_from(">II", box[b"stsz"], 4)
    sizes = (
        [uniform] * samples
        if uniform
        else list(struct.unpack_from(f">{samples}I", box[b"stsz"], 12))
    )
    wide = b"co64" in box
    chunk_box = box[b"co64" if wide else b"stco"]
    (chunks,) = struct.unpack_from(">I", chunk_box, 4)
    starts = struct.unpack_from(f">{chunks}{'Q' if wide else 'I'}", chunk_box, 8)
    (runs,) = struct.unpack_from(">I", box[b"stsc"], 4)
    table = [struct.unpack_from(">III", box[b"stsc"], 8 + 12 * run) for run in range(runs)]
    offsets: list[int] = []
    for run, (first, per_chunk, _) in enumerate(table):
        last = table[run + 1][0] if run + 1 < runs else chunks + 1
        for chunk in range(first, last):
            inside = sizes[len(offsets) : len(offsets) + per_chunk]
            offsets += [starts[chunk - 1] + skip for skip in accumulate([0, *inside[:-1]])]
    return offsets, sizes
