"""Schedules: which tick is due, and enqueueing it exactly once, by any number of workers.

    each second, in every worker:
        for each schedule whose next tick is due, by the queue's clock:
            work out the tick after it
            in one transaction: move the schedule on, and accept the tick's job

Whoever moves it has the tick; the others find it moved. The job's id is made of the schedule's
name and the tick, so that even a database restored from yesterday repeats none that it knows.
The clock is Redis's: hosts whose own clocks disagree see the same ticks, and a clock that steps
back repeats nothing, because a schedule never moves back.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from cronsim import CronSim, CronSimError

from background.kinds import Kind
from config import Settings
from errors import InvalidInput, QueueUnavailable, StoreUnavailable
from events import Event
from jobs.work import encode_call
from redis_queue import upkeep
from redis_queue.connection import Client
from runtime.submit import push_row
from store.jobs import JobStore
from store.records import NewJob
from store.schedules import Schedule, ScheduleStore

_TICK_S = 1.0
#: A tick this late is still on time: a worker may have been restarted meanwhile.
_GRACE_S = 60.0

log = structlog.get_logger()


def next_tick(cron: str, timezone: str, after: datetime) -> datetime:
    """The first tick after a moment, in UTC. Five fields; raises InvalidInput.

    Daylight saving as Debian's cron has it: a time that a clock change skips runs right after
    it, one that it repeats runs once.
    """
    if len(cron.split()) != 5:
        raise InvalidInput("cron_schedule", f"{cron!r} must have five fields")
    try:
        found = next(CronSim(cron, after.astimezone(ZoneInfo(timezone))))
    except CronSimError as error:
        raise InvalidInput("cron_schedule", f"{cron!r}: {error}") from None
    except StopIteration:
        raise InvalidInput("cron_schedule", f"{cron!r} never comes") from None
    except (ValueError, OSError, KeyError):
        raise InvalidInput("cron_timezone", f"{timezone!r} is not a time zone") from None
    return found.astimezone(UTC)


def schedule_of(
    name: str,
    kind: Kind,
    cron: str,
    settings: Settings,
    now: datetime,
    *,
    args: Sequence[Any] = (),
    declared: bool = False,
    timezone: str | None = None,
) -> Schedule:
    """A schedule as it is kept. Raises InvalidInput."""
    kind.check(args, {})
    zone = timezone or kind.options.cron_timezone or settings.cron_timezone
    return Schedule(
        name=name,
        kind=kind.name,
        queue=kind.options.queue,
        payload=encode_call(args, {}),
        cron=cron,
        timezone=zone,
        missed=kind.options.cron_missed or settings.cron_missed,
        declared=declared,
        paused=False,
        next_at=next_tick(cron, zone, now),
    )


def declare(store: ScheduleStore, kinds: Sequence[Kind], settings: Settings, now: datetime) -> None:
    """Make the record agree with what the kinds in code declare; others' are left alone.

    A schedule that cannot be kept is logged and left out: one kind's mistake must not stop the
    others' ticks. Raises StoreUnavailable.
    """
    by_name = {kind.name: kind for kind in kinds}
    for known in store.all():
        kind = by_name.get(known.name)
        if known.declared and kind is not None and kind.options.cron_schedule is None:
            store.remove(known.name)
    for kind in kinds:
        if kind.options.cron_schedule is None:
            continue
        try:
            cron = kind.options.cron_schedule
            made = schedule_of(kind.name, kind, cron, settings, now, declared=True)
        except InvalidInput as error:
            log.error(Event.SCHEDULE_REFUSED, schedule=kind.name, reason=str(error))
        else:
            store.put(made)


def tick_job(schedule: Schedule) -> NewJob:
    """The job of the tick that a schedule shows; equal for whoever makes it."""
    stamp = f"{schedule.next_at.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    name = schedule.name
    if len(name) > 40:
        name = f"{name[:27]}-{hashlib.sha256(name.encode()).hexdigest()[:12]}"
    return NewJob(
        f"cron-{name}-{stamp}", schedule.payload, queue=schedule.queue, kind=schedule.kind
    )


class Cron:
    """One round at a time: `round` is called each second by each worker."""

    def __init__(self, schedules: ScheduleStore, jobs: JobStore, client: Client) -> None:
        self._schedules = schedules
        self._jobs = jobs
        self._client = client

    def round(self, now: datetime) -> list[str]:
        """Enqueue what is due at `now`; the ids of the jobs that this call accepted.

        Raises StoreUnavailable. With Redis away a job is accepted, and pushed later.
        """
        return [
            job_id
            for schedule in self._schedules.due(now)
            if (job_id := self._take(schedule, now)) is not None
        ]

    def _take(self, schedule: Schedule, now: datetime) -> str | None:
        following = next_tick(schedule.cron, schedule.timezone, schedule.next_at)
        tick = schedule
        if following <= now:
            # Nobody looked for a while: of the ticks that were missed, the last one counts.
            last = schedule.next_at
            while following <= now:
                last, following = following, next_tick(schedule.cron, schedule.timezone, following)
            tick = replace(schedule, next_at=last)
        late_s = (now - tick.next_at).total_seconds()
        skipped = schedule.missed == "skip" and late_s > _GRACE_S
        job = None if skipped else tick_job(tick)
        if not self._schedules.take(schedule, following, tick.next_at, job):
            return None
        log.info(
            Event.SCHEDULE_SKIPPED if job is None else Event.SCHEDULE_TICKED,
            schedule=schedule.name,
            tick=tick.next_at.isoformat(),
            late_s=round(late_s, 1),
        )
        if job is None:
            return None
        self._push(job.id)
        return job.id

    def _push(self, job_id: str) -> None:
        row = self._jobs.get(job_id)
        if row is None or row.pushed:
            return
        try:
            pushed = push_row(self._client, row)
        except QueueUnavailable:
            return  # housekeeping makes up for it
        if pushed:
            self._jobs.mark_pushed([row])


class CronThread(threading.Thread):
    """Looks once a second, by the queue's clock, until it is ended."""

    def __init__(self, cron: Cron, client: Client, prepare: Callable[[datetime], None]) -> None:
        """`prepare` is called once, before the first look, with the time."""
        super().__init__(name="cron", daemon=True)
        self._cron = cron
        self._client = client
        self._prepare: Callable[[datetime], None] | None = prepare
        self._ended = threading.Event()

    def end(self) -> None:
        """Leave after the round in hand."""
        self._ended.set()
        if self.is_alive():
            self.join(timeout=1)

    def run(self) -> None:
        """The loop."""
        while not self._ended.is_set():
            self.tick()
            # Just after each full second, so that a tick is not late by chance.
            self._ended.wait(_TICK_S - time.time() % _TICK_S + 0.01)

    def tick(self) -> None:
        """One round. Never raises: what is away is back in a later one."""
        try:
            now = datetime.fromtimestamp(upkeep.now_ms(self._client) / 1000, UTC)
            if self._prepare is not None:
                self._prepare(now)
                self._prepare = None
            self._cron.round(now)
        except (QueueUnavailable, StoreUnavailable):
            return
        except Exception:
            log.exception(Event.SCHEDULE_FAILED)
