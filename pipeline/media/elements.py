"""Moving elements: an outline, when it stands, how it comes, drifts and goes.

Entrances and exits are eased, so they are baked frame by frame; the even drift between them is
one event. Poses are pure functions of the frame, so equal input gives an equal file.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from pipeline.media import easing
from pipeline.media.ass import AssFile, Pose, drawing
from pipeline.media.paths import Box, Path

#: Elements of this layer and below lie under the hero, all others over it.
UNDER_HERO = 2


@dataclass(frozen=True)
class Move:
    """An entrance or exit. `kind` names a rule in `_RULES`; `frames` its length.

    `delay` counts from the scene's start (entrances) or back from its end (exits).
    `reach` is a distance in px or a factor, as the rule takes it.
    """

    kind: str = "none"
    frames: int = 0
    delay: int = 0
    reach: float = 0.0
    curve: easing.Curve = easing.ease_out


@dataclass(frozen=True)
class Drift:
    """Even motion for as long as the element stands: px, degrees and share per second.

    Along one axis libass reuses eight pictures (it places to an eighth of a pixel); along both,
    64; turning or growing takes a new picture every frame: for small shapes only.
    """

    dx: float = 0.0
    dy: float = 0.0
    spin: float = 0.0
    grow: float = 0.0


@dataclass(frozen=True)
class Element:
    """`path` is drawn with its origin at (x, y); scaling and turning are about that point."""

    path: Path
    x: float
    y: float
    color: str
    start_f: int
    end_f: int
    layer: int = 5
    opacity: float = 1.0
    angle: float = 0.0
    enter: Move = Move()
    leave: Move = Move()
    drift: Drift = Drift()
    #: Sways by this many percent of its size, once in `_PULSE_FRAMES`: a button that invites.
    pulse: float = 0.0
    #: A shape that looks the same after 1/symmetry of a turn: its spin repeats the same poses,
    #: for which libass then has the pictures.
    symmetry: int = 0

    @property
    def box(self) -> Box:
        """What it covers at rest, unturned."""
        return self.path.bounds().moved(self.x, self.y)

    def bake(self, ass: AssFile, fps: int) -> None:
        """Write this element's whole life into `ass`."""
        shape = drawing(self.path)
        box = self.path.bounds()
        first = self.start_f + self.enter.delay
        settled = min(self.end_f, first + self.enter.frames)
        leaving = max(settled, self.end_f - self.leave.delay - self.leave.frames)
        gone = max(leaving, self.end_f - self.leave.delay)
        for frame in range(first, settled):
            p = (frame - first + 1) / self.enter.frames
            pose = _apply(self.enter, p, self._rest(frame, fps), box)
            ass.still(shape, self.color, self.layer, frame, frame + 1, pose)
        if self.symmetry and self.drift.spin:
            for frame in range(settled, leaving):
                pose = self._rest(frame, fps)
                ass.still(shape, self.color, self.layer, frame, frame + 1, pose)
        elif self.pulse:
            for frame in range(settled, leaving):
                pose = self._pulsed(frame, settled, fps)
                ass.still(shape, self.color, self.layer, frame, frame + 1, pose)
        elif leaving > settled:
            ends = (self._rest(settled, fps), self._rest(leaving - 1, fps))
            ass.glide(shape, self.color, self.layer, settled, leaving, ends)
        for frame in range(leaving, gone):
            p = 1 - (frame - leaving + 1) / self.leave.frames
            pose = _apply(self.leave, p, self._rest(frame, fps), box)
            ass.still(shape, self.color, self.layer, frame, frame + 1, pose)

    def _rest(self, frame: int, fps: int) -> Pose:
        t = (frame - self.start_f) / fps
        scale = 1 + self.drift.grow * t
        turned = self.drift.spin * t
        if self.symmetry:
            turned = round(turned % (360 / self.symmetry), 3)
        return Pose(
            self.x + self.drift.dx * t,
            self.y + self.drift.dy * t,
            scale,
            scale,
            self.angle + turned,
            self.opacity,
        )

    def _pulsed(self, frame: int, since: int, fps: int) -> Pose:
        phase = ((frame - since) % _PULSE_FRAMES) / _PULSE_FRAMES
        # One soft beat in the first half of the cycle, rest in the second.
        beat = easing.ease_in_out(1 - abs(phase * 4 - 1)) if phase < 0.5 else 0.0
        rest = self._rest(frame, fps)
        scale = 1 + self.pulse * beat
        return replace(rest, sx=rest.sx * scale, sy=rest.sy * scale)


_PULSE_FRAMES = 36


def _apply(move: Move, p: float, rest: Pose, box: Box) -> Pose:
    """The pose at share `p` of an entrance; exits run the same rules backwards."""
    e = move.curve(p)
    away = 1 - e
    seen = min(1.0, p * 1.8) * rest.opacity
    reach = move.reach
    match move.kind:
        case "fade":
            return replace(rest, opacity=e * rest.opacity)
        case "rise":
            return replace(rest, y=rest.y + away * reach, opacity=seen)
        case "slide":
            return replace(rest, x=rest.x + away * reach, opacity=seen)
        case "fly":
            return replace(rest, x=rest.x + away * reach)
        case "lift":
            return replace(rest, y=rest.y + away * reach)
        case "pop" | "slam":
            scale = reach + (1 - reach) * e
            return replace(rest, sx=rest.sx * scale, sy=rest.sy * scale, opacity=seen)
        case "grow_x":
            return replace(rest, sx=max(0.001, rest.sx * e))
        case "mask":  # the line comes up from behind an edge below it
            window = box.moved(rest.x, rest.y)
            pad = 0.14 * box.h
            clip = Box(window.x - 40, window.y - pad, window.w + 80, window.h + 2 * pad)
            return replace(rest, y=rest.y + away * (box.h + 2 * pad), clip=clip)
        case "wipe":
            window = box.moved(rest.x, rest.y)
            clip = Box(window.x - 4, window.y - 8, (window.w + 8) * e, window.h + 16)
            return replace(rest, clip=clip)
        case _:
            return rest
