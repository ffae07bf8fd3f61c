"""How a worker's process is set up; and the parents of workers: one that follows the source, one
that keeps several running.

The parents hold no connection of their own, and import what they need only when asked for.
"""

from __future__ import annotations

import gc
import sys
from pathlib import Path

from runtime.arguments import Arguments

#: Objects that may be made before a look for garbage, and young looks before an older one.
_COLLECT = (20_000, 20, 50)


def watch(script: Path, wanted: Arguments) -> int:
    """Run a worker, or a pool of them, that is started anew when the source changes."""
    from runtime.reload import Reloader

    more = [wanted.name] if wanted.name else []
    more += ["--processes", str(wanted.processes)] if wanted.processes > 1 else []
    more += ["--burst"] if wanted.burst else []
    more += ["--number", str(wanted.number)]
    root = Path(wanted.watch_folder).resolve() if wanted.watch_folder else script.parent
    return Reloader([sys.executable, str(script), *more], root).run()


def supervise(script: Path, wanted: Arguments) -> int:
    """Keep several workers running; returns the exit code."""
    from runtime.pool import Pool

    stem = wanted.name or "worker"
    burst = ["--burst"] if wanted.burst else []

    def command(number: int) -> list[str]:
        own = [f"{stem}-{number}", "--number", str(wanted.number + number - 1)]
        return [sys.executable, str(script), *own, *burst]

    return Pool(wanted.processes, command).run()


def spare_the_collector() -> None:
    """What is loaded by now stays for good, and garbage in cycles is rare here: the collector need
    not look through the jobs in hand as often as it does by default."""
    gc.freeze()
    gc.set_threshold(*_COLLECT)
