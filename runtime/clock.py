"""The clocks. Durations and deadlines are monotonic; stored times are UTC and live in store/."""

from __future__ import annotations

import time

_BOOTTIME = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def boot_s() -> float:
    """Seconds that also pass while the machine sleeps: a lease does not wait for a laptop."""
    return time.clock_gettime(_BOOTTIME)
