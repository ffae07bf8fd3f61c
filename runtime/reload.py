"""`worker.py --watch`: run a worker, and start it anew whenever its source changes.

For development. The worker is a child that gets SIGTERM, as on any deploy: a job in hand goes
back to its queue and is taken up by the new code at its first unfinished stage. A child that
ends by itself (a typing mistake, say) is started again at the next change.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

import structlog

from events import Event
from runtime.pool import stop_with_parent

_TICK_S = 0.3
#: How long the worker has to hand its job back before it is killed; it needs two seconds.
_STOP_S = 10.0
_SUFFIXES = (".py", ".lua", ".toml", ".env")
#: Folders that hold no source, and may hold very many files.
_SKIPPED = frozenset({"var", "out", "tests", "docs", "__pycache__"})

log = structlog.get_logger()


class Reloader:
    """One child, started anew when a file below `root` is written, added or removed."""

    def __init__(self, argv: Sequence[str], root: Path) -> None:
        self._argv = list(argv)
        self._root = root
        self._stop_signal: int | None = None

    def run(self) -> int:
        """Until a signal arrives; returns the last child's exit code."""
        signal.signal(signal.SIGTERM, self._on_signal)
        signal.signal(signal.SIGINT, self._on_signal)
        seen = source_times(self._root)
        child = self._spawn()
        while self._stop_signal is None:
            time.sleep(_TICK_S)
            now = source_times(self._root)
            if now != seen:
                changed = sorted(
                    str(path.relative_to(self._root)) for path, _ in seen.items() ^ now.items()
                )
                log.info(Event.SOURCE_CHANGED, files=sorted(set(changed))[:5])
                seen = now
                _end(child)
                child = self._spawn()
        return _end(child)

    def _spawn(self) -> subprocess.Popen[bytes]:
        # A process group of its own: Ctrl-C reaches the parent alone, which tells it once.
        return subprocess.Popen(
            self._argv, stdin=subprocess.DEVNULL, process_group=0, preexec_fn=stop_with_parent
        )

    def _on_signal(self, signum: int, _frame: FrameType | None) -> None:
        self._stop_signal = signum


def source_times(root: Path) -> dict[Path, int]:
    """Every source file below `root` and when it was last written, in ns."""
    found: dict[Path, int] = {}
    for folder, names, files in os.walk(root):
        names[:] = [name for name in names if name not in _SKIPPED and not name.startswith(".")]
        for name in files:
            if name.endswith(_SUFFIXES):
                path = Path(folder, name)
                try:
                    found[path] = path.stat().st_mtime_ns
                except FileNotFoundError:
                    continue  # an editor that writes a new file and renames it
    return found


def _end(child: subprocess.Popen[bytes]) -> int:
    if child.poll() is None:
        child.send_signal(signal.SIGTERM)
    try:
        return child.wait(timeout=_STOP_S)
    except subprocess.TimeoutExpired:
        child.kill()
        return child.wait()
