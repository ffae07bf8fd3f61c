"""Redis and the database, away and back: said once, waited for, noticed within a second."""

from __future__ import annotations

import time

import structlog

from config import Settings, variable_of, without_password
from database import Database
from errors import QueueUnavailable, StoreUnavailable
from events import Event
from redis_queue import epoch
from redis_queue.connection import Client, translated
from runtime.interrupts import Interrupts

#: Pause between two tries: short enough to be back within a second.
_PAUSE_S = 0.2
_REMEDY = {
    "redis_url": "./run_worker.sh up starts an embedded one",
    "database_url": "unset, it is a SQLite file",
}

log = structlog.get_logger()


class Availability:
    """Owned by the main loop."""

    def __init__(
        self, settings: Settings, client: Client, database: Database, interrupts: Interrupts
    ) -> None:
        self._settings = settings
        self._client = client
        self._database = database
        self._interrupts = interrupts
        self._lost_at: dict[Event, float] = {}

    @property
    def redis_is_away(self) -> bool:
        """As the main loop saw it last."""
        return Event.REDIS_LOST in self._lost_at

    def await_both(self) -> bool:
        """Block until both answer, the schema is up to date; False: asked to stop before."""
        said: set[str] = set()
        while not self._interrupts.stopping:
            try:
                with translated():
                    self._client.ping()
                self._warn_of_eviction()
                self._database.init()
            except QueueUnavailable as error:
                self._say_once(said, "redis_url", Event.REDIS_LOST, str(error))
            except StoreUnavailable as error:
                self._say_once(said, "database_url", Event.DATABASE_LOST, str(error))
            else:
                return True
            time.sleep(_PAUSE_S)
        return False

    def redis_failed(self, error: QueueUnavailable) -> None:
        """Say it once, and pause."""
        self._note_lost(Event.REDIS_LOST, str(error))

    def redis_answered(self) -> bool:
        """True at the first answer after an absence: look whether it is the same Redis."""
        return self._note_back(Event.REDIS_LOST, Event.REDIS_RESTORED)

    def database_failed(self, error: StoreUnavailable) -> None:
        """Say it once, and pause; no claim is made until `database_answers`."""
        self._note_lost(Event.DATABASE_LOST, str(error))

    def database_answers(self) -> bool:
        """Whether claims make sense: asked only after a failure, so that it costs nothing."""
        if Event.DATABASE_LOST not in self._lost_at:
            return True
        try:
            self._database.jobs.ping()
        except StoreUnavailable:
            time.sleep(_PAUSE_S)
            return False
        self._note_back(Event.DATABASE_LOST, Event.DATABASE_RESTORED)
        return True

    def _note_lost(self, event: Event, reason: str) -> None:
        if event not in self._lost_at:
            self._lost_at[event] = time.monotonic()
            log.warning(event, reason=reason)
        time.sleep(_PAUSE_S)

    def _note_back(self, lost: Event, restored: Event) -> bool:
        since = self._lost_at.pop(lost, None)
        if since is None:
            return False
        log.info(restored, away_s=round(time.monotonic() - since, 1))
        return True

    def _say_once(self, said: set[str], field: str, event: Event, reason: str) -> None:
        if field in said:
            return
        said.add(field)
        url = without_password(getattr(self._settings, field).get_secret_value())
        hint = f"nothing answers at {url} ({variable_of(field)}); waiting for it"
        log.warning(event, hint=f"{hint}. {_REMEDY[field]}", reason=reason)

    def _warn_of_eviction(self) -> None:
        policy = epoch.eviction_policy(self._client)
        if policy not in (None, "noeviction"):
            log.warning(
                Event.EVICTION_POLICY_UNSAFE,
                policy=policy,
                hint="short of memory, this Redis deletes jobs; set maxmemory-policy noeviction",
            )
