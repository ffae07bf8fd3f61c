"""Child processes that cannot outlive their job: own group, memory cap, death with the worker.

Spawn from the main thread only: PR_SET_PDEATHSIG fires when the spawning *thread* ends.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from errors import ChildFailed, StageTimeout
from pipeline.pump import Pump
from pipeline.stage import ChildResult

_PR_SET_PDEATHSIG = 1
#: How often a running child is looked at: its memory, its deadline.
_POLL_S = 0.1

# Bound before any fork: between fork and exec only async-signal-safe work is allowed.
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def _die_with_parent(parent_pid: int) -> Callable[[], None] | None:
    if _LIBC is None:
        return None
    prctl, getppid, kill_self = _LIBC.prctl, os.getppid, os._exit

    def hook() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if getppid() != parent_pid:  # the parent died between fork and prctl
            kill_self(1)

    return hook


class Child:
    """A child process from its start; whoever starts one calls `close`, whatever happens.

    stdout is collected, or handed over line by line to `on_stdout_line`; the end of stderr is
    kept for the log. `memory_mb` caps the child's resident memory, `timeout_s` its time.
    """

    def __init__(
        self,
        argv: Sequence[str],
        *,
        cwd: Path,
        timeout_s: float,
        memory_mb: int,
        stdin: bytes | None = None,
        on_stdout_line: Callable[[bytes], None] | None = None,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self._name = Path(argv[0]).name
        self._timeout_s, self._memory_mb = timeout_s, memory_mb
        self._process = subprocess.Popen(
            list(argv),
            cwd=cwd,
            env=dict(env) if env is not None else None,
            stdin=subprocess.PIPE if stdin is not None else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            process_group=0,
            preexec_fn=_die_with_parent(os.getpid()),
        )
        self._pump = Pump(self._process, stdin, on_stdout_line)
        self._deadline = time.monotonic() + timeout_s
        self._peak_mb = 0.0
        self._closed = False

    def pump(self, budget_s: float) -> bool:
        """Move what is in its pipes for `budget_s`; False once it has closed them all."""
        return self._pump.run(budget_s)

    def check(self) -> None:
        """Raise ChildFailed past the memory cap, StageTimeout past the deadline."""
        rss_mb = _rss_mb(self._process.pid)
        self._peak_mb = max(self._peak_mb, rss_mb)
        if rss_mb > self._memory_mb:
            raise ChildFailed(f"{self._name} needed more than {self._memory_mb} MB of memory")
        if time.monotonic() > self._deadline:
            raise StageTimeout(f"{self._name} did not finish within {self._timeout_s:.0f} s")

    def finish(self, on_poll: Callable[[], None] | None = None) -> ChildResult:
        """Run it to its end; `on_poll` is called every 0.1 s and may raise.

        Raises as `check` does, and ChildFailed on a non-zero exit.
        """
        while self._pump.run(_POLL_S):
            if on_poll is not None:
                on_poll()
            self.check()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=max(1.0, self._deadline - time.monotonic()))
        self.close()
        if code := self._process.returncode:
            raise ChildFailed(
                f"{self._name} failed with exit code {code}", log_tail=self._pump.log_tail()
            )
        return ChildResult(bytes(self._pump.collected), self._pump.log_tail(), self._peak_mb)

    def close(self) -> None:
        """Kill its whole process group, if anything of it is left. May be called again."""
        if self._closed:
            return
        self._closed = True
        _kill_group(self._process)
        self._pump.close()


def run_child(
    argv: Sequence[str],
    *,
    cwd: Path,
    timeout_s: float,
    memory_mb: int,
    stdin: bytes | None = None,
    on_stdout_line: Callable[[bytes], None] | None = None,
    env: Mapping[str, str] | None = None,
    on_poll: Callable[[], None] | None = None,
) -> ChildResult:
    """Run `argv` to its end and return what it printed; see `Child` and its `finish`.

    Whatever leaves this function, exception or signal included, the whole process group is
    dead by then.
    """
    child = Child(
        argv, cwd=cwd, timeout_s=timeout_s, memory_mb=memory_mb, stdin=stdin,
        on_stdout_line=on_stdout_line, env=env,
    )  # fmt: skip
    try:
        return child.finish(on_poll)
    finally:
        child.close()


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    # The group may hold grandchildren after its leader ended, so it is signalled in any case.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _rss_mb(pid: int) -> float:
    """Resident memory in MB; 0.0 where /proc cannot say."""
    try:
        with open(f"/proc/{pid}/statm", "rb") as statm:
            pages = int(statm.read().split()[1])
    except (OSError, IndexError, ValueError):
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
