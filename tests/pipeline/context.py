"""A StageContext for tests: real child processes, a folder of its own, no orchestrator."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from copy import copy
from dataclasses import dataclass, field
from pathlib import Path

import imageio_ffmpeg

from pipeline.calls import Calls, CallsInMemory
from pipeline.process import Child, run_child
from pipeline.stage import ChildResult


@dataclass
class FakeContext:
    """Records progress and sleeps, runs children for real, remembers the largest child.

    `sleep` only adds up, so that a test of a stage that waits takes no time.
    """

    workdir: Path
    job_id: str = "job-1"
    seed: int = 7
    ffmpeg: str = field(default_factory=imageio_ffmpeg.get_ffmpeg_exe)
    #: No child of a stage may need more than this.
    memory_mb: int = 512
    fractions: list[float] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    slept_s: float = 0.0
    calls: Calls = field(default_factory=CallsInMemory)
    peak_rss_mb: float = 0.0
    #: Raised by the next progress or sleep, as a cancelled job would.
    interrupt: BaseException | None = None

    def progress(self, fraction: float, note: str = "") -> None:
        self._maybe_interrupt()
        self.fractions.append(fraction)
        self.notes.append(note)

    def within(self, folder: str, part: tuple[float, float]) -> FakeContext:
        inner = copy(self)
        inner.workdir = self.workdir / folder
        inner.workdir.mkdir(parents=True)
        return inner

    def sleep(self, seconds: float) -> None:
        self._maybe_interrupt()
        self.slept_s += seconds

    def run(
        self,
        argv: Sequence[str],
        *,
        timeout_s: float,
        stdin: bytes | None = None,
        on_stdout_line: Callable[[bytes], None] | None = None,
        env: Mapping[str, str] | None = None,
    ) -> ChildResult:
        result = run_child(
            argv,
            cwd=self.workdir,
            timeout_s=timeout_s,
            memory_mb=self.memory_mb,
            stdin=stdin,
            on_stdout_line=on_stdout_line,
            env=env,
        )
        self.peak_rss_mb = max(self.peak_rss_mb, result.peak_rss_mb)
        return result

    @contextmanager
    def beside(
        self,
        argv: Sequence[str],
        *,
        timeout_s: float,
        on_stdout_line: Callable[[bytes], None] | None = None,
        env: Mapping[str, str] | None = None,
    ) -> Iterator[None]:
        child = Child(
            argv,
            cwd=self.workdir,
            timeout_s=timeout_s,
            memory_mb=self.memory_mb,
            on_stdout_line=on_stdout_line,
            env=env,
        )
        with closing(child):
            yield
            result = child.finish()
        self.peak_rss_mb = max(self.peak_rss_mb, result.peak_rss_mb)

    def _maybe_interrupt(self) -> None:
        if self.interrupt is not None:
            raise self.interrupt
