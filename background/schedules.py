"""Schedules as people handle them: look, add, pause, go on, run now, remove."""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from background.cron import next_tick, schedule_of
from background.enqueue import new_job
from background.kinds import Registry
from config import Settings
from errors import InvalidInput
from redis_queue import upkeep
from redis_queue.connection import Client
from runtime.submit import Jobs
from store.records import NewJob
from store.schedules import Schedule, ScheduleStore

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


class Schedules:
    """Over given servers. Raises StoreUnavailable; InvalidInput for a name that is not there."""

    def __init__(
        self,
        settings: Settings,
        store: ScheduleStore,
        jobs: Jobs,
        client: Client,
        registry: Registry,
    ) -> None:
        self._settings = settings
        self._store = store
        self._jobs = jobs
        self._client = client
        self._registry = registry

    def all(self) -> list[Schedule]:
        """Every schedule, by name."""
        return self._store.all()

    def get(self, name: str) -> Schedule:
        """One of them."""
        found = self._store.get(name)
        if found is None:
            raise InvalidInput("name", f"{name} is not the name of a schedule")
        return found

    def add(
        self,
        name: str,
        kind: str,
        cron: str,
        *,
        args: Sequence[Any] = (),
        timezone: str | None = None,
    ) -> Schedule:
        """Add one at run time, or change it. A kind's own, declared in code, is not to be had."""
        if not _NAME.fullmatch(name):
            raise InvalidInput("name", "may hold letters, digits, '.', '_' and '-', at most 100")
        known = self._store.get(name)
        found = self._registry.get(kind)
        if known is not None and known.declared:
            raise InvalidInput("name", f"{name} is declared by the kind of that name, in code")
        if found is None:
            raise InvalidInput("kind", f"{kind} is not known here; see WORKER_BACKGROUND_MODULES")
        made = schedule_of(
            name, found, cron, self._settings, self._now(), args=args, timezone=timezone
        )
        self._store.put(made)
        return self.get(name)

    def once(self, kind: str, run_at: datetime, *, args: Sequence[Any] = ()) -> str:
        """Run a kind once, at a time; returns the job's id. A naive time is local time."""
        found = self._registry.get(kind)
        if found is None:
            raise InvalidInput("kind", f"{kind} is not known here; see WORKER_BACKGROUND_MODULES")
        return self._jobs.enqueue([new_job(found, args, {}, run_at=run_at)])[0]

    def run(self, name: str) -> str:
        """Run it now, once, beside its ticks; returns the job's id."""
        found = self.get(name)
        job = NewJob(str(uuid.uuid4()), found.payload, queue=found.queue, kind=found.kind)
        return self._jobs.enqueue([job])[0]

    def pause(self, name: str) -> bool:
        """Let no tick of it be run; False: it was paused."""
        self.get(name)
        return self._store.pause(name)

    def resume(self, name: str) -> bool:
        """Go on with its next tick from now; False: it was not paused."""
        found = self.get(name)
        return self._store.resume(name, next_tick(found.cron, found.timezone, self._now()))

    def remove(self, name: str) -> None:
        """Forget one that was added at run time."""
        if self.get(name).declared:
            raise InvalidInput("name", f"{name} is declared in code; pause it instead")
        self._store.remove(name)

    def _now(self) -> datetime:
        return datetime.fromtimestamp(upkeep.now_ms(self._client) / 1000, UTC)
