"""What a worker does on the side that takes its time: callbacks, and sweeping old artefacts.

A thread of its own, so that a slow receiver or a large bucket never holds up housekeeping.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

import structlog

from config import Settings
from database import Database
from errors import QueueUnavailable, StoreUnavailable
from events import Event
from pipeline.public_http import PublicHttp
from pipeline.storage import ObjectStorage
from redis_queue import upkeep
from redis_queue.connection import Client
from runtime.callbacks import Callbacks
from runtime.retention import sweep

_TICK_S = 1.0
#: All workers together look for old artefacts once in this time.
_SWEEP_EVERY_S = 3600.0

log = structlog.get_logger()


class Errands(threading.Thread):
    """`tick` is one round; an errand that fails is logged, and tried again in the next."""

    def __init__(self, settings: Settings, client: Client, database: Database) -> None:
        super().__init__(name="errands", daemon=True)
        self._client = client
        self._database = database
        self._ttl_days = settings.artifact_ttl_days
        self._storage = ObjectStorage(settings.artifact_url)
        self._callbacks: Callbacks | None = None
        if settings.webhook_secret is not None:
            self._callbacks = Callbacks(
                database,
                self._storage,
                PublicHttp(settings.fetch_trusted_hosts),
                settings.webhook_secret.get_secret_value(),
                settings.webhook_retry_base_s,
            )
        self._ended = threading.Event()

    def end(self) -> None:
        """Leave after the errand in hand; a callback cut short is sent again by another worker."""
        self._ended.set()
        if self.is_alive():
            self.join(timeout=1)

    def run(self) -> None:
        """The loop."""
        while not self._ended.wait(_TICK_S):
            self.tick()

    def tick(self) -> None:
        """One round. Never raises."""
        if self._callbacks is not None:
            self._attempt(self._callbacks.round)
        if self._ttl_days:
            self._attempt(self._sweep)

    def _sweep(self) -> None:
        if not upkeep.may_sweep(self._client, every_s=_SWEEP_EVERY_S):
            return
        removed = sweep(self._database.retention, self._storage, ttl_days=self._ttl_days)
        log.info(Event.ARTIFACTS_SWEPT, removed=removed, ttl_days=self._ttl_days)

    def _attempt(self, errand: Callable[[], object]) -> None:
        try:
            errand()
        except (QueueUnavailable, StoreUnavailable):
            return
        except Exception:
            log.exception(Event.ERRAND_FAILED)
