"""The worker's command line. argparse, because a daemon's start should import little."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Arguments:
    """What `python worker.py` was asked to do."""

    name: str | None = None
    burst: bool = False
    check: bool = False
    processes: int = 1
    watch: bool = False
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
        "--watch", action="store_true", help="start anew when the source changes (development)"
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
    return Arguments(
        parsed.name,
        burst=parsed.burst,
        check=parsed.check,
        processes=parsed.processes,
        watch=parsed.watch,
        number=parsed.number,
    )


def _number(text: str) -> int:
    # A unit's instance may have a name instead of a number; such a worker is the first.
    return max(1, int(text)) if text.isascii() and text.isdigit() else 1
