"""Single pictures taken from a finished video, for posters and contact sheets."""

from __future__ import annotations

from pathlib import Path

from pipeline.stage import Json, StageContext

#: How far into a scene everything of it has come in, and nothing has begun to leave.
_SETTLED = 0.7
TIMEOUT_S = 60.0


def settled_s(scene: Json, fps: int) -> float:
    """When a scene of a plan shows most, in seconds."""
    frames = scene["end_f"] - scene["start_f"]
    return float((scene["start_f"] + round(frames * _SETTLED)) / fps)


def take(
    ctx: StageContext, video: Path, at_s: float, target: Path, *, height: int | None = None
) -> None:
    """Write the frame at `at_s` as a JPEG, `height` px high if given. Raises ChildFailed."""
    ctx.run(taking(ctx, video, at_s, target, height=height), timeout_s=TIMEOUT_S)


def taking(
    ctx: StageContext, video: Path, at_s: float, target: Path, *, height: int | None = None
) -> list[str]:
    """The command of `take`, for whoever runs it beside other children."""
    size = f"-2:{height}:" if height else ""
    return [
        *(ctx.ffmpeg, "-hide_banner", "-nostdin", "-y", "-loglevel", "error"),
        *("-protocol_whitelist", "file,pipe", "-f", "mov", "-ss", f"{at_s:.3f}"),
        *("-i", str(video), "-frames:v", "1", "-vf"),
        f"scale={size}out_range=pc:in_color_matrix=bt709:out_color_matrix=bt601",
        *("-pix_fmt", "yuvj420p", "-q:v", "2", "-update", "1", "-f", "image2", str(target)),
    ]
