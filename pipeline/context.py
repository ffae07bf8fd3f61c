"""The services of one running stage: progress, interruptible waits, child processes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from copy import copy
from pathlib import Path

from pipeline.calls import Calls
from pipeline.ports import Interrupts, Progress, Tools
from pipeline.process import Child, run_child
from pipeline.stage import ChildResult


class RunContext:
    """StageContext of the real pipeline; one per try of a stage, closed after it."""

    def __init__(
        self,
        *,
        job_id: str,
        stage: str,
        workdir: Path,
        seed: int,
        tools: Tools,
        progress: Progress,
        interrupts: Interrupts,
        calls: Calls,
    ) -> None:
        self.job_id = job_id
        self.workdir = workdir
        self.seed = seed
        self.ffmpeg = tools.ffmpeg
        self.calls = calls
        self._stage = stage
        self._part = (0.0, 1.0)
        self._memory_mb = tools.child_memory_mb
        self._progress = progress
        self._interrupts = interrupts
        self._beside: list[Child] = []

    def close(self) -> None:
        """Kill whatever still runs beside: an interruption may come just before its `with`."""
        while self._beside:
            self._beside.pop().close()

    def progress(self, fraction: float, note: str = "") -> None:
        """See StageContext."""
        self._interrupts.alive()
        low, high = self._part
        self._progress.report(self._stage, low + (high - low) * fraction, note)

    def within(self, folder: str, part: tuple[float, float]) -> RunContext:
        """See StageContext."""
        inner = copy(self)
        inner.workdir = self.workdir / folder
        inner.workdir.mkdir(parents=True)
        (low, high), (first, second) = self._part, part
        inner._part = (low + (high - low) * first, low + (high - low) * second)
        return inner

    def sleep(self, seconds: float) -> None:
        """See StageContext."""
        self._interrupts.sleep(seconds)

    def run(
        self,
        argv: Sequence[str],
        *,
        timeout_s: float,
        stdin: bytes | None = None,
        on_stdout_line: Callable[[bytes], None] | None = None,
        env: Mapping[str, str] | None = None,
    ) -> ChildResult:
        """See StageContext."""
        # An exception raised by a signal between fork and wait would leave the child behind,
        # so inside run_child interruptions are asked for instead.
        with self._interrupts.held():
            return run_child(
                argv,
                cwd=self.workdir,
                timeout_s=timeout_s,
                memory_mb=self._memory_mb,
                stdin=stdin,
                on_stdout_line=on_stdout_line,
                env=env,
                on_poll=self._poll,
            )

    @contextmanager
    def beside(
        self,
        argv: Sequence[str],
        *,
        timeout_s: float,
        on_stdout_line: Callable[[bytes], None] | None = None,
        env: Mapping[str, str] | None = None,
    ) -> Iterator[None]:
        """See StageContext."""
        with self._interrupts.held():
            child = Child(
                argv,
                cwd=self.workdir,
                timeout_s=timeout_s,
                memory_mb=self._memory_mb,
                on_stdout_line=on_stdout_line,
                env=env,
            )
            self._beside.append(child)
        try:
            yield
            with self._interrupts.held():
                child.finish(self._interrupts.check)
        finally:
            child.close()
            with suppress(ValueError):  # `close` was quicker
                self._beside.remove(child)

    def _poll(self) -> None:
        """One thread looks after all children: a child dies with the thread that started it."""
        self._interrupts.check()
        for child in self._beside:
            child.pump(0.0)
            child.check()
