"""Scenes encoded one by one, so that cuts which share a scene share its encoding.

A segment is named by a hash of all that is seen in it: its stills' bytes, how they move, and
every event of the titles and captions that falls into it, counted from its first frame. Segments
begin with a key frame, have closed groups and no edit list, so their joining copies bits.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path

from pipeline.media import encoder
from pipeline.media.filtergraph import build
from pipeline.stage import Json, StageContext

_TIMEOUT_S = 600.0
_EVENT = re.compile(r"Dialogue: (\d+),(\d+):(\d+):(\d+)\.(\d+),(\d+):(\d+):(\d+)\.(\d+),(.*)")
#: Times inside an event are in ms from its own start, rounded with it.
_INNER = re.compile(r"(\\move\((?:[-\d.]+,){4}|\\t\()(\d+),(\d+)([,)])")


def render(
    ctx: StageContext, plan: Json, folder: Path, *, captions: bool, env: Mapping[str, str]
) -> tuple[list[Path], int]:
    """The plan's scenes as segments in `folder`, in order; and how many had to be encoded.

    `plan` is of kind "layers"; its files lie in `ctx.workdir`. Raises as `ctx.run` does.
    """
    names = [plan["under"], plan["titles"], *(["captions.ass"] if captions else [])]
    events = [_events(ctx.workdir / name, plan["fps"]) for name in names]
    segments, made = [], 0
    for number, scene in enumerate(plan["scenes"]):
        path = folder / f"{_key(plan, number, events, ctx.workdir)}.mp4"
        if not path.exists():
            _encode(ctx, plan, number, path, captions=captions, env=env)
            made += 1
        segments.append(path)
        ctx.progress((number + 1) / len(plan["scenes"]), f"encoded scene {scene['role']}")
    return segments, made


def joining(segments: list[Path], folder: Path, name: str) -> list[str]:
    """ffmpeg's arguments for the segments as one input; writes the list to `folder`."""
    # Bare names in the segments' own folder: nothing that needs quoting, and "safe" stays on.
    lines = ["ffconcat version 1.0", *(f"file {segment.name}" for segment in segments)]
    path = folder / name
    path.write_text("\n".join(lines) + "\n", encoding="ascii")
    return ["-protocol_whitelist", "file,pipe", "-f", "concat", "-safe", "1", "-i", str(path)]


def _encode(
    ctx: StageContext,
    plan: Json,
    number: int,
    path: Path,
    *,
    captions: bool,
    env: Mapping[str, str],
) -> None:
    graph = build(plan, captions=captions, only=number)
    scene = plan["scenes"][number]
    partial = path.with_suffix(".part")
    argv = [
        *(ctx.ffmpeg, "-hide_banner", "-nostdin", "-y", "-loglevel", "error"),
        *(*graph.inputs, "-filter_complex", graph.text, "-map", "[video]"),
        *("-frames:v", str(scene["end_f"] - scene["start_f"])),
        *(*encoder.video_args(plan["fps"]), *encoder.container_args(), str(partial)),
    ]
    ctx.run(argv, timeout_s=_TIMEOUT_S, env=env)
    partial.replace(path)


def _key(plan: Json, number: int, events: list[list[tuple[int, int, str]]], folder: Path) -> str:
    scene = plan["scenes"][number]
    start, end = scene["start_f"], scene["end_f"]
    seen = [
        [
            (first - start, last - start, text)
            for first, last, text in layer
            if first < end and last > start
        ]
        for layer in events
    ]
    parts = {part: scene[part] for part in ("backdrop", "hero") if scene[part]}
    stills = {
        part: hashlib.sha256((folder / fields["file"]).read_bytes()).hexdigest()
        for part, fields in parts.items()
    }
    moves = {
        part: {name: value for name, value in fields.items() if name != "file"}
        for part, fields in parts.items()
    }
    whole = [plan["width"], plan["height"], plan["fps"], plan["transition"], end - start]
    # The last scene's picture stays where that of another fades.
    last = number == len(plan["scenes"]) - 1
    text = json.dumps([whole, last, stills, moves, seen], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _events(path: Path, fps: int) -> list[tuple[int, int, str]]:
    """(first frame, frame after the last, what is drawn) of each event of an ASS file."""
    found = []
    for line in path.read_text(encoding="ascii").splitlines():
        if match := _EVENT.fullmatch(line):
            layer, *times, rest = match.groups()
            first, last = (_frame(times[at : at + 4], fps) for at in (0, 4))
            drawn = _INNER.sub(lambda inner: _in_frames(inner, fps), rest)
            found.append((first, last, f"{layer},{drawn}"))
    return found


def _frame(parts: list[str], fps: int) -> int:
    """The frame that a time of media/ass.py stands for: it lies half a frame before it."""
    hours, minutes, seconds, centis = (int(part) for part in parts)
    total = ((hours * 60 + minutes) * 60 + seconds) * 100 + centis
    return int(total * fps / 100 + 0.75) if total else 0


def _in_frames(inner: re.Match[str], fps: int) -> str:
    head, first, last, tail = inner.groups()
    return f"{head}{int(first) * fps // 1000},{int(last) * fps // 1000}{tail}"
