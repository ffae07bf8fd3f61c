"""What the orchestrator needs from outside. worker.py plugs the real things in."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from jobs.payload import VideoJob
from pipeline.stage import Json

#: Folder, below a tenant's, of what belongs to one job alone; a stage's is two hex digits.
OWN_FILES = "jobs"


@dataclass(frozen=True)
class Artifact:
    """A published file: where it is in storage, and what proves that it is the right one."""

    key: str
    sha256: str
    size: int

    def as_json(self) -> Json:
        """As kept in a stage run."""
        return {"key": self.key, "sha256": self.sha256, "size": self.size}


class ArtifactStorage(Protocol):
    """Files that every host can reach. Publishing never overwrites."""

    def publish(self, path: Path, key: str) -> Artifact:
        """Store a file under a key; the same bytes twice are fine, others raise."""

    def fetch(self, artifact: Artifact, destination: Path) -> None:
        """Write the file locally, checked. Raises ArtifactMissing (gone or damaged)."""

    def restore(self, key: str, destination: Path) -> bool:
        """Write what was published under a key, whose hash is not known; False: nothing was."""


class ArtifactMissing(Exception):
    """A published file is gone or its bytes are not what was published."""


@dataclass(frozen=True)
class StageId:
    """One stage of one job: what is to be run, and the hash that makes two runs equal."""

    stage: str
    provider: str
    input_hash: str


@dataclass(frozen=True)
class Finished:
    """The stage was finished before with these inputs."""

    data: Json
    files: dict[str, Json]


@dataclass(frozen=True)
class Begun:
    """The stage is ours to run; `attempts` counts how often it was begun."""

    attempts: int


class References(Protocol):
    """What a job names from outside: paths and URLs of pictures."""

    def localise(self, job: VideoJob, folder: Path, interrupts: Interrupts) -> VideoJob:
        """The job with local paths in their place. Raises InvalidInput with the field."""


class Checkpoints(Protocol):
    """The memory of finished stages. Writes raise LeaseLost once the job is not ours."""

    #: Names the holder's own folder in storage, so that two holders never write the same key.
    holder: str

    def begin(self, stage: StageId) -> Finished | Begun:
        """Find a finished run or own a new one; waits while a living worker has it in hand."""

    def finish(self, stage: StageId, data: Json, files: dict[str, Json]) -> None:
        """Make the stage's outputs durable."""

    def reuse(self, stage: StageId) -> None:
        """Note that a finished run serves this job."""

    def forget(self, stage: StageId) -> None:
        """A finished run turned out damaged: the next begin owns it anew."""

    def fail(self, stage: StageId, failures: int) -> None:
        """Count a failure, so that a parked or taken-over job goes on counting."""


class Progress(Protocol):
    """Where progress goes."""

    def report(self, stage: str, fraction: float, note: str = "") -> None:
        """A stage's fraction done; may be dropped when reports come thick and fast."""


class Interrupts(Protocol):
    """How a stop, a cancellation or a lost lease reaches running work."""

    def check(self) -> None:
        """Raise the ControlFlow, or the DeadlinePassed, that was asked for, if any."""

    def sleep(self, seconds: float) -> None:
        """Wait, checking; raises as `check` does."""

    def stage(self, name: str) -> AbstractContextManager[None]:
        """While inside, an interruption may raise anywhere in the main thread; deadlines run."""

    def held(self) -> AbstractContextManager[None]:
        """While inside, interruptions wait for the next `check`: children are being handled."""

    def alive(self) -> None:
        """The running stage has made headway: it is not stuck."""


class Observer(Protocol):
    """Who is told what the orchestrator does (structured log, metrics)."""

    def stage_started(self, stage: str, provider: str, attempt: int) -> None: ...
    def stage_completed(self, stage: str, seconds: float) -> None: ...
    def stage_reused(self, stage: str) -> None: ...
    def stage_failed(self, stage: str, error: BaseException, failures: int) -> None: ...
    def retry_scheduled(self, stage: str, delay_s: float, failures: int, error: str) -> None: ...


@dataclass(frozen=True)
class Tools:
    """Local means of a running stage."""

    work_root: Path
    ffmpeg: str
    child_memory_mb: int
    #: For messages in the log only.
    extra: Any = None
