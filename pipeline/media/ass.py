"""The ASS file that libass draws from: outlines, poses and times, and never a user's text.

Format: Advanced SubStation Alpha v4+ as libass reads it. Each event draws one outline with
`\\p`; a pose is position, scale, turn, opacity and an upright clip. Frame times are exact:
events begin and end half a frame early, so that the format's centiseconds cannot lose a frame.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path as FilePath

from pipeline.media.colors import rgb
from pipeline.media.paths import Box, Path

#: libass draws nothing without some font, though no event here has any text.
PLACEHOLDER_FONT = "Anton"
#: `\p4` divides drawing coordinates by 2 ** (4 - 1).
_DRAWING_SCALE = 8

_HEADER = """[Script Info]
ScriptType: v4.00+
PlayResX: {width}
PlayResY: {height}
WrapStyle: 2
ScaledBorderAndShadow: yes
YCbCr Matrix: None

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, \
Bold, Italic, Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, \
Shadow, Alignment, MarginL, MarginR, MarginV, Encoding
Style: D,{font},20,&H00FFFFFF,&H00FFFFFF,&H00000000,&H00000000,0,0,0,0,100,100,0,0,1,0,0,7,0,0,0,1

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
"""


@dataclass(frozen=True)
class Pose:
    """Where and how an outline's origin stands in a frame. `angle` in degrees, clockwise."""

    x: float
    y: float
    sx: float = 1.0
    sy: float = 1.0
    angle: float = 0.0
    opacity: float = 1.0
    clip: Box | None = None


def drawing(path: Path) -> str:
    """An outline as ASS drawing commands, in eighths of a pixel."""
    out: list[str] = []
    last = ""
    for op, values in path.segments:
        if op != last or op == "m":
            out.append(op)
            last = op
        out += [str(round(value * _DRAWING_SCALE)) for value in values]
    return " ".join(out)


class AssFile:
    """Collects events and writes them in one go. Sizes in px of the frame."""

    def __init__(self, width: int, height: int, fps: int) -> None:
        self._head = _HEADER.format(width=width, height=height, font=PLACEHOLDER_FONT)
        self._fps = fps
        self._events: list[str] = []

    def still(
        self, shape: str, color: str, layer: int, start_f: int, end_f: int, pose: Pose
    ) -> None:
        """Show `shape` in one pose from frame `start_f` until before `end_f`."""
        tags = f"\\pos({pose.x:.2f},{pose.y:.2f})" + _tags(pose)
        self._add(shape, color, layer, start_f, end_f, tags)

    def glide(
        self,
        shape: str,
        color: str,
        layer: int,
        start_f: int,
        end_f: int,
        poses: tuple[Pose, Pose],
    ) -> None:
        """Move evenly from the first pose (at `start_f`) to the second (at `end_f - 1`)."""
        a, b = poses
        if end_f - start_f < 2 or a == b:
            self.still(shape, color, layer, start_f, end_f, a)
            return
        origin = self._centis(start_f) * 10
        t1, t2 = (round(f * 1000 / self._fps) - origin for f in (start_f, end_f - 1))
        move = f"\\move({a.x:.2f},{a.y:.2f},{b.x:.2f},{b.y:.2f},{t1},{t2})"
        later = _changes(a, b)
        turn = f"\\t({t1},{t2},{later})" if later else ""
        self._add(shape, color, layer, start_f, end_f, move + _tags(a) + turn)

    def write(self, path: FilePath) -> None:
        path.write_text(self._head + "\n".join(self._events) + "\n", encoding="ascii")

    def _add(self, shape: str, color: str, layer: int, start_f: int, end_f: int, tags: str) -> None:
        if end_f <= start_f or not shape:
            return
        red, green, blue = rgb(color)
        self._events.append(
            f"Dialogue: {layer},{self._time(start_f)},{self._time(end_f)},D,,0,0,0,,"
            f"{{{tags}\\1c&H{blue:02X}{green:02X}{red:02X}&\\p4}}{shape}"
        )

    def _centis(self, frame: int) -> int:
        return max(0, round((frame - 0.5) * 100 / self._fps))

    def _time(self, frame: int) -> str:
        seconds, centis = divmod(self._centis(frame), 100)
        minutes, seconds = divmod(seconds, 60)
        return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}.{centis:02}"


def _tags(pose: Pose) -> str:
    out = ""
    if pose.sx != 1 or pose.sy != 1:
        out += f"\\fscx{pose.sx * 100:.2f}\\fscy{pose.sy * 100:.2f}"
    if pose.angle:
        out += f"\\frz{-pose.angle:.3f}"
    if pose.opacity < 1:
        out += f"\\1a&H{_alpha(pose.opacity)}&"
    if pose.clip is not None:
        c = pose.clip
        out += f"\\clip({c.x:.0f},{c.y:.0f},{c.right:.0f},{c.bottom:.0f})"
    return out


def _changes(a: Pose, b: Pose) -> str:
    out = ""
    if (a.sx, a.sy) != (b.sx, b.sy):
        out += f"\\fscx{b.sx * 100:.2f}\\fscy{b.sy * 100:.2f}"
    if a.angle != b.angle:
        out += f"\\frz{-b.angle:.3f}"
    if a.opacity != b.opacity:
        out += f"\\1a&H{_alpha(b.opacity)}&"
    return out


def _alpha(opacity: float) -> str:
    return f"{round(255 * (1 - max(0.0, min(1.0, opacity)))):02X}"
