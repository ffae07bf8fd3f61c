"""What a stage is, what it is given and what it gives back.

A stage knows nothing of order, checkpoints, retries, cancellation or cost: the orchestrator
does. It reads its inputs, works inside `ctx.workdir`, reports progress, and returns a small
JSON-able dict plus the files that later stages or the user need.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

# Children import this module, and none of them needs pydantic.
if TYPE_CHECKING:
    from jobs.payload import VideoJob
    from pipeline.calls import Calls

#: A stage's JSON: str keys, and values that survive json.dumps/loads unchanged.
Json = dict[str, Any]


@dataclass(frozen=True)
class ChildResult:
    """How a child process ended. `stdout` is empty when a line callback consumed it."""

    stdout: bytes
    log_tail: str
    peak_rss_mb: float


class StageContext(Protocol):
    """The services that a running stage may use; the orchestrator and the tests implement it."""

    job_id: str
    #: An empty folder of this stage's own; gone after the stage, so return what must stay.
    workdir: Path
    #: The one source of randomness: equal inputs and seed give an equal result.
    seed: int
    #: Path of the ffmpeg to use; there is no ffprobe.
    ffmpeg: str
    #: Paid calls go through here: recorded in two phases, within caps, rates and places.
    calls: Calls

    def progress(self, fraction: float, note: str = "") -> None:
        """Report 0.0 to 1.0 of this stage done; cheap enough to call for every frame."""

    def sleep(self, seconds: float) -> None:
        """Wait; raises ControlFlow at once when the job is cancelled or the worker stops."""

    def within(self, folder: str, part: tuple[float, float]) -> StageContext:
        """The same services for a part of the stage: in a new folder below `workdir`, its
        progress running from the first to the second fraction of this one's."""

    def run(
        self,
        argv: Sequence[str],
        *,
        timeout_s: float,
        stdin: bytes | None = None,
        on_stdout_line: Callable[[bytes], None] | None = None,
        env: Mapping[str, str] | None = None,
    ) -> ChildResult:
        """Run a child in `workdir`, in a process group of its own that dies with the worker.

        Raises ChildFailed on a non-zero exit, StageTimeout past `timeout_s` or past the
        memory limit; whatever is raised, no process of the group is left.
        """

    def beside(
        self,
        argv: Sequence[str],
        *,
        timeout_s: float,
        on_stdout_line: Callable[[bytes], None] | None = None,
        env: Mapping[str, str] | None = None,
    ) -> AbstractContextManager[None]:
        """Run a child as `run` does, but while the body of the `with` runs others.

        Leaving the body waits for it, and raises as `run` does; an exception in the body kills
        it. It is looked after whenever the body runs a child, so do nothing long without one.
        """


@dataclass(frozen=True)
class StageOutput:
    """What a stage returns: `files` maps a published name to a path inside `ctx.workdir`."""

    data: Json
    files: Mapping[str, Path] = field(default_factory=dict)


@dataclass(frozen=True)
class StageInputs:
    """What a stage gets: the validated job, and each earlier stage's output with local files."""

    job: VideoJob
    earlier: Mapping[str, StageOutput]


class Stage(Protocol):
    """One step of the pipeline. `name` and `version` enter the checkpoint's hash."""

    name: str
    #: Provider name and version, such as "piper/1.8": a new one makes old results unusable.
    provider: str

    def run(self, ctx: StageContext, inputs: StageInputs) -> StageOutput:
        """Do the work. Raises RetryableError, PermanentError; ControlFlow passes through."""
