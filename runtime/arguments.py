"""The worker's command line. argparse, because a daemon's start should import little."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Arguments:
    """What `python worker.py` was asked to do."""

    name: str | None = None
    burst: bool = False
    check: bool = False
    processes: int = 1
    watch: bool = False
    #: The folder whose changes count; None: the checkout.
    watch_folder: str | None = None
    #: Which of this host's workers it is: moves WORKER_HEALTH_PORT by one for each before it.
    number: int = 1


def parse_arguments(argv: Sequence[str]) -> Arguments:
    """Parse, or print help or the error and exit (0, or 2 as argparse does)."""
    parser = argparse.ArgumentParser(
        prog="worker.py", description="Take video jobs from the queue and run them, one at a time."
    )
    parser.add_argument("name", nargs="?", help="the worker's name in logs and status")
    parser.add_argument("--burst", action="store_true", help="empty the queue, then exit")
    parser.add_argument(
        "--check", action="store_true", help="check settings and connections; exit 0, 69 or 78"
    )
    parser.add_argument("--processes", type=int, default=1, metavar="N", help="supervise N workers")
    parser.add_argument(
        "--watch",
        nargs="?",
        const="",
        metavar="FOLDER",
        help="start anew when the source changes, or that of one folder (development)",
    )
    parser.add_argument(
        "--number",
        type=_number,
        default=1,
        metavar="N",
        help="which of this host's workers it is: serves health on WORKER_HEALTH_PORT + N - 1",
    )
    parsed = parser.parse_args(argv)
    if parsed.processes < 1:
        parser.error("--processes must be at least 1")
    folder = parsed.watch or None
    if folder is not None and not Path(folder).is_dir():
        if parsed.name is not None:
            parser.error(f"--watch: {folder} is no folder")
        # `--watch worker-1`: the word after the flag is the worker's name.
        parsed.name, folder = folder, None
    return Arguments(
        parsed.name,
        burst=parsed.burst,
        check=parsed.check,
        processes=parsed.processes,
        watch=parsed.watch is not None,
        watch_folder=folder,
        number=parsed.number,
    )


def _number(text: str) -> int:
    # A unit's instance may have a name instead of a number; such a worker is the first.
    return max(1, int(text)) if text.isascii() and text.isdigit() else 1
