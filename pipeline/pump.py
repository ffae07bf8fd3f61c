"""The pipes of a child process: fed and emptied without blocking, so that several can run."""

from __future__ import annotations

import contextlib
import os
import selectors
import subprocess
import time
from collections import deque
from collections.abc import Callable

#: How much of stderr is kept for the log when a child fails.
_LOG_TAIL_BYTES = 8_000


class Pump:
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
        """Move what is ready within `budget_s` (0.0: now); False once every pipe is closed."""
        deadline = time.monotonic() + budget_s
        while self._selector.get_map():
            for key, _ in self._selector.select(max(0.0, deadline - time.monotonic())):
                if key.fileobj is self._process.stdin:
                    self._feed()
                else:
                    self._read(key.fileobj is self._process.stdout, key.fd, key.fileobj)
            if time.monotonic() >= deadline:
                return True
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
