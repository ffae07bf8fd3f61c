"""Small real files for the stubs to hand out."""

from __future__ import annotations

import subprocess
from pathlib import Path

import imageio_ffmpeg


def make_mp3(folder: Path, seconds: float) -> bytes:
    """A quiet tone, as text to speech would sound to a machine."""
    source = f"sine=frequency=220:duration={seconds}:sample_rate=44100"
    return _made(folder / "speech.mp3", ["-f", "lavfi", "-i", source, "-b:a", "128k"])


def make_mp4(folder: Path, seconds: float, size: str = "480x864", rate: int = 24) -> bytes:
    """A moving test picture, at a frame rate and size that are not the ad's."""
    source = f"testsrc2=size={size}:rate={rate}:duration={seconds}"
    codec = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"]
    return _made(folder / "clip.mp4", ["-f", "lavfi", "-i", source, *codec])


def _made(path: Path, arguments: list[str]) -> bytes:
    ffmpeg = imageio_ffmpeg.get_ffmpeg_exe()
    subprocess.run([ffmpeg, "-y", "-loglevel", "error", *arguments, str(path)], check=True)
    return path.read_bytes()
