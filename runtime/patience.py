"""Waiting out a database that is away, with the job in hand."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

import structlog

from errors import LeaseLost, StoreUnavailable
from events import Event
from runtime.interrupts import Interrupts
from runtime.lease import Lease

_T = TypeVar("_T")
_PAUSE_S = 0.2
#: A stopping worker waits this long for the database, then leaves and lets the lease lapse.
_STOPPING_S = 1.0

log = structlog.get_logger()


class Patience:
    """Calls what writes to the database until it answers, as long as the lease is ours."""

    def __init__(self, interrupts: Interrupts) -> None:
        self._interrupts = interrupts

    def __call__(self, write: Callable[[], _T], lease: Lease) -> _T:
        """Call `write`, again on StoreUnavailable; it must be safe to repeat.

        Raises LeaseLost when the lease ends first, or when the worker is stopping and the
        database stays away.
        """
        lost_at: float | None = None
        stop_seen: float | None = None
        while True:
            lease.check()
            try:
                value = write()
            except StoreUnavailable as error:
                now = time.monotonic()
                if lost_at is None:
                    lost_at = now
                    log.warning(Event.DATABASE_LOST, reason=str(error))
                if self._interrupts.stopping:
                    stop_seen = stop_seen or now
                    if now - stop_seen > _STOPPING_S:
                        raise LeaseLost from error
                time.sleep(_PAUSE_S)
            else:
                if lost_at is not None:
                    log.info(Event.DATABASE_RESTORED, away_s=round(time.monotonic() - lost_at, 1))
                return value
