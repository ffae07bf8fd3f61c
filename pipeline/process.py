"""Child processes that cannot outlive their job: own group, memory cap, death with the worker.

Spawn from the main thread only: PR_SET_PDEATHSIG fires when the spawning *thread* ends.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import selectors
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from errors import ChildFailed, StageTimeout
from pipeline.stage import ChildResult

_PR_SET_PDEATHSIG = 1
#: How often a running child is looked at: its memory, its deadline.
_POLL_S = 0.1
#: How much of stderr is kept for the log when a child fails.
_LOG_TAIL_BYTES = 8_000

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
    """Run `argv` to its end and return what it printed.

    stdout is collected, or handed over line by line to `on_stdout_line`; the end of stderr is
    kept for the log. `memory_mb` caps the child's resident memory, `timeout_s` its time;
    `on_poll` is called every 0.1 s and may raise. Whatever leaves this function, exception or
    signal included, the whole process group is dead by then.

    Raises ChildFailed (non-zero exit, or killed for memory) and StageTimeout.
    """
    name = Path(argv[0]).name
    process = subprocess.Popen(
        list(argv),
        cwd=cwd,
        env=dict(env) if env is not None else None,
        stdin=subprocess.PIPE if stdin is not None else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        process_group=0,
        preexec_fn=_die_with_parent(os.getpid()),
    )
    pump = _Pump(process, stdin, on_stdout_line)
    deadline = time.monotonic() + timeout_s
    peak_mb = 0.0
    try:
        while pump.run(_POLL_S):
            if on_poll is not None:
                on_poll()
            rss_mb = _rss_mb(process.pid)
            peak_mb = max(peak_mb, rss_mb)
            if rss_mb > memory_mb:
                raise ChildFailed(f"{name} needed more than {memory_mb} MB of memory")
            if time.monotonic() > deadline:
                raise StageTimeout(f"{name} did not finish within {timeout_s:.0f} s")
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=max(1.0, deadline - time.monotonic()))
    finally:
        _kill_group(process)
        pump.close()
    if process.returncode != 0:
        raise ChildFailed(
            f"{name} failed with exit code {process.returncode}", log_tail=pump.log_tail()
        )
    return ChildResult(bytes(pump.collected), pump.log_tail(), peak_mb)


class _Pump:
    """Moves bytes between this process and the child's three pipes without blocking."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        stdin: bytes | None,
        on_line: Callable[[bytes], None] | None,
    ) -> None:
        self.collected = bytearray()
        self._on_line = on_line
        self._partial = bytearray()
        self._stderr: deque[bytes] = deque()
        self._stderr_size = 0
        self._stdin = memoryview(stdin) if stdin is not None else memoryview(b"")
        self._process = process
        self._selector = selectors.DefaultSelector()
        for stream in (process.stdout, process.stderr):
            assert stream is not None
            os.set_blocking(stream.fileno(), False)
            self._selector.register(stream, selectors.EVENT_READ)
        if process.stdin is not None:
            os.set_blocking(process.stdin.fileno(), False)
            self._selector.register(process.stdin, selectors.EVENT_WRITE)

    def run(self, budget_s: float) -> bool:
        """Move what is ready within `budget_s`; False once every pipe is closed."""
        deadline = time.monotonic() + budget_s
        while self._selector.get_map():
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                return True
            for key, _ in self._selector.select(remaining):
                if key.fileobj is self._process.stdin:
                    self._feed()
                else:
                    self._read(key.fileobj is self._process.stdout, key.fd, key.fileobj)
        return False

    def _feed(self) -> None:
        assert self._process.stdin is not None
        try:
            self._stdin = self._stdin[os.write(self._process.stdin.fileno(), self._stdin) :]
        except BrokenPipeError:
            self._stdin = memoryview(b"")
        if not self._stdin:
            self._selector.unregister(self._process.stdin)
            self._process.stdin.close()

    def _read(self, is_stdout: bool, fd: int, stream: object) -> None:
        chunk = os.read(fd, 1 << 16)
        if not chunk:
            self._selector.unregister(stream)  # type: ignore[arg-type]  # a registered pipe
            if is_stdout and self._partial and self._on_line:
                self._on_line(bytes(self._partial))
        elif not is_stdout:
            self._keep_log(chunk)
        elif self._on_line is None:
            self.collected += chunk
        else:
            self._partial += chunk
            *lines, rest = self._partial.split(b"\n")
            self._partial = bytearray(rest)
            for line in lines:
                self._on_line(bytes(line))

    def _keep_log(self, chunk: bytes) -> None:
        self._stderr.append(chunk)
        self._stderr_size += len(chunk)
        while self._stderr_size - len(self._stderr[0]) > _LOG_TAIL_BYTES:
            self._stderr_size -= len(self._stderr.popleft())

    def log_tail(self) -> str:
        return b"".join(self._stderr)[-_LOG_TAIL_BYTES:].decode(errors="replace").strip()

    def close(self) -> None:
        self._selector.close()
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()


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
