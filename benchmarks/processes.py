"""Looking at processes through /proc: who descends from whom, and how much memory they hold."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

_PAGE = os.sysconf("SC_PAGE_SIZE")


def resident_mb(pid: int) -> float:
    """Resident memory in MB (10**6 bytes); 0.0 once the process is gone."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE / 1e6
    except (OSError, IndexError):
        return 0.0


def descendants(pid: int) -> dict[int, str]:
    """Pid to command name of every process below `pid`."""
    parents: dict[int, tuple[int, str]] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            before, _, after = (entry / "stat").read_text().rpartition(")")
        except OSError:
            continue
        parents[int(entry.name)] = (int(after.split()[1]), before.partition("(")[2])
    found: dict[int, str] = {}
    level = {pid}
    while level:
        level = {child for child, (parent, _) in parents.items() if parent in level}
        found |= {child: parents[child][1] for child in level}
    return found


@dataclass
class MemoryWatch:
    """Samples a process and those below it every 20 ms while the `with` block runs."""

    pid: int
    own_mb: float = 0.0
    children_mb: dict[str, float] = field(default_factory=dict)
    #: The most that all processes below it held at one time.
    children_together_mb: float = 0.0

    def __enter__(self) -> MemoryWatch:
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _sample(self) -> None:
        while not self._ended.is_set():
            self.own_mb = max(self.own_mb, resident_mb(self.pid))
            together_mb = 0.0
            for child, name in descendants(self.pid).items():
                held_mb = resident_mb(child)
                together_mb += held_mb
                self.children_mb[name] = max(self.children_mb.get(name, 0.0), held_mb)
            self.children_together_mb = max(self.children_together_mb, together_mb)
            time.sleep(0.02)
