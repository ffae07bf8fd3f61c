"""The parents of workers: one that follows the source, one that keeps several running.

They hold no connection of their own, and import what they need only when asked for.
"""

from __future__ import annotations

import sys
from pathlib import Path

from runtime.arguments import Arguments


def watch(script: Path, wanted: Arguments) -> int:
    """Run a worker, or a pool of them, that is started anew when the source changes."""
    from runtime.reload import Reloader

    more = [wanted.name] if wanted.name else []
    more += ["--processes", str(wanted.processes)] if wanted.processes > 1 else []
    more += ["--burst"] if wanted.burst else []
    more += ["--number", str(wanted.number)]
    return Reloader([sys.executable, str(script), *more], script.parent).run()


def supervise(script: Path, wanted: Arguments) -> int:
    """Keep several workers running; returns the exit code."""
    from runtime.pool import Pool

    stem = wanted.name or "worker"
    burst = ["--burst"] if wanted.burst else []

    def command(number: int) -> list[str]:
        own = [f"{stem}-{number}", "--number", str(wanted.number + number - 1)]
        return [sys.executable, str(script), *own, *burst]

    return Pool(wanted.processes, command).run()
