"""Takes down what libass would be given, as tracks: an outline and its pose in each frame.

A track stands for one clip of a MoviePy program, which has the same picture and moves it alike.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import groupby

from pipeline.media.ass import Pose
from pipeline.stage import Json


@dataclass
class Track:
    """An outline (ASS drawing commands) in one colour, seen from frame `start_f` on."""

    shape: str
    color: str
    layer: int
    start_f: int
    poses: list[Pose]

    @property
    def end_f(self) -> int:
        return self.start_f + len(self.poses)

    def phases(self) -> list[Json]:
        """The track cut where it begins or ends to be animated, so that rest costs no function."""
        found = []
        at = self.start_f
        for _, group in groupby(self.poses, _features):
            poses = list(group)
            still = all(pose == poses[0] for pose in poses)
            shown = [_plain(pose) for pose in (poses[:1] if still else poses)]
            found.append({"start_f": at, "frames": len(poses), "poses": shown})
            at += len(poses)
        return found


class Tracks:
    """Stands in for media/ass.py's AssFile."""

    def __init__(self, frames: int) -> None:
        self.found: list[Track] = []
        self._frames = frames

    def still(
        self, shape: str, color: str, layer: int, start_f: int, end_f: int, pose: Pose
    ) -> None:
        self._add(shape, color, layer, start_f, [pose] * (end_f - start_f))

    def glide(
        self, shape: str, color: str, layer: int, start_f: int, end_f: int,
        poses: tuple[Pose, Pose],
    ) -> None:  # fmt: skip
        a, b = poses
        last = max(1, end_f - start_f - 1)
        between = [_between(a, b, n / last) for n in range(end_f - start_f)]
        self._add(shape, color, layer, start_f, between)

    def _add(self, shape: str, color: str, layer: int, start_f: int, poses: list[Pose]) -> None:
        first = max(0, -start_f)
        poses = poses[first : max(0, self._frames - start_f)]
        if not poses or not shape:
            return
        start_f += first
        for track in self.found:
            same = (track.shape, track.color, track.layer) == (shape, color, layer)
            if same and track.end_f == start_f:
                track.poses += poses
                return
        self.found.append(Track(shape, color, layer, start_f, poses))


def _between(a: Pose, b: Pose, p: float) -> Pose:
    names = ("x", "y", "sx", "sy", "angle", "opacity")
    mixed = {name: getattr(a, name) * (1 - p) + getattr(b, name) * p for name in names}
    return replace(a, **mixed)


def _features(pose: Pose) -> tuple[bool, ...]:
    scaled = (pose.sx, pose.sy) != (1, 1)
    return scaled, pose.angle != 0, pose.opacity < 1, pose.clip is not None


def _plain(pose: Pose) -> list[float | list[int] | None]:
    c = pose.clip
    window = [round(v) for v in (c.x, c.y, c.right, c.bottom)] if c is not None else None
    numbers = (pose.x, pose.y, pose.sx, pose.sy, pose.angle, pose.opacity)
    return [*(round(value, 4) for value in numbers), window]
