"""The worker daemon: one process, one job at a time.

    while not stopping:
        claim      a script pops the next id, mints the fence, writes the lease; then the row
        run        the four stages, the heartbeat renewing the lease beside them
        settle     the row first, then Redis, and in the same round trip the next claim

Delivery is at least once for a stage that was cut short, and once for everything finished: a
finished stage is never run again, and only the holder of the fence can write. Losing a job is
worse than running a stage twice.
"""

from __future__ import annotations

import sys
import time
import uuid
from typing import Any

import structlog

from config import (
    EXIT_UNAVAILABLE,
    Settings,
    notify_socket,
    settings_or_exit,
    variable_of,
    without_password,
)
from database import Database
from errors import QueueUnavailable, StoreUnavailable
from events import Event
from redis_queue import epoch, presence
from redis_queue.claim import Claim, Claims, Holder, RawEntry, Wiped
from redis_queue.connection import connect, translated
from runtime import wiring
from runtime.adopt import adopt_raw, new_job
from runtime.arguments import Arguments, parse_arguments
from runtime.health import HealthCheck, resident_mb
from runtime.heartbeat import Heartbeat
from runtime.housekeeping import Housekeeping
from runtime.interrupts import Interrupts
from runtime.lease import Lease
from runtime.logs import configure_logs
from runtime.mirror import mirror
from runtime.patience import Patience
from runtime.settle import Next, Settler
from runtime.systemd import Notifier
from store.records import JobRecord

#: Pauses while Redis or the database is away: short enough to be back within a second.
_AWAY_PAUSE_S = 0.2

log = structlog.get_logger()


class Worker:
    """Takes jobs from the queue and runs them. Connects on `start`, not before."""

    def __init__(self, settings: Settings, name: str | None = None) -> None:
        #: Unique even where a name is used twice at once.
        self.instance = uuid.uuid4().hex
        self.worker_id = name or f"worker-{self.instance[:8]}"
        self.settings = settings
        self.running = False
        self.current_job: str | None = None
        self.jobs_done = 0
        self.interrupts = Interrupts(
            stage_timeout_s=settings.stage_timeout_s, stall_s=settings.stall_s
        )
        url = settings.redis_url.get_secret_value()
        self._client = connect(url, name=f"worker:{self.worker_id}")
        self.database = Database(settings.database_url.get_secret_value())
        self._claims = Claims(
            self._client,
            worker=self.worker_id,
            instance=self.instance,
            queues=settings.queues,
            lease_s=settings.lease_s,
        )
        patience = Patience(self.interrupts)
        self._executor = wiring.build_executor(
            settings, self.database, self.interrupts, patience, self.worker_id
        )
        self._settler = Settler(
            self.database.jobs,
            self._client,
            self.interrupts,
            patience,
            worker_id=self.worker_id,
            final_ttl_s=settings.final_ttl_s,
        )
        self.health = HealthCheck(self)
        self._notifier = Notifier(notify_socket())
        self._heartbeat = Heartbeat(
            connect(url, name=f"heartbeat:{self.worker_id}"),
            self.interrupts,
            instance=self.instance,
            lease_s=settings.lease_s,
            describe=self.health.description,
            on_tick=self._feed_watchdog,
        )
        self._housekeeping = Housekeeping(
            connect(url, name=f"housekeeping:{self.worker_id}"),
            self.database,
            instance=self.instance,
            lease_s=settings.lease_s,
            max_crashes=settings.max_crashes,
            final_ttl_s=settings.final_ttl_s,
            on_tick=self.health.log_when_due,
        )
        self._epoch = ""
        self._popped: tuple[str, bytes] | None = None
        self._away_since: float | None = None
        self._loop_at = time.monotonic()

    @property
    def client(self) -> Any:
        """The main loop's Redis client."""
        return self._client

    # ---- the loop -------------------------------------------------------------------------

    def run(self, *, burst: bool = False) -> int:
        """Work until asked to stop, or with `burst` until nothing waits; returns the exit code."""
        self.interrupts.install()
        if not self.start():
            return 0
        try:
            while not self.interrupts.stopping and not self._is_spent():
                if not self.run_once(wait=not burst) and burst and self._away_since is None:
                    break
            if self.interrupts.stopping:
                log.info(Event.WORKER_STOP_REQUESTED, signal=self.interrupts.stop_reason)
        finally:
            self.stop()
        return 0

    def start(self) -> bool:
        """Wait for Redis and the database, then begin heartbeat and housekeeping.

        False: asked to stop before they answered.
        """
        if not self._await_connections():
            return False
        self.running = True
        self._heartbeat.start()
        self._housekeeping.start()
        self._notifier.say("READY=1")
        log.info(
            Event.WORKER_STARTED,
            worker_id=self.worker_id,
            instance=self.instance,
            queues=list(self.settings.queues),
            redis=without_password(self.settings.redis_url.get_secret_value()),
            database=without_password(self.settings.database_url.get_secret_value()),
        )
        return True

    def run_once(self, *, wait: bool = True) -> bool:
        """Claim, run and settle jobs until none is left to claim; False: there was none."""
        self._loop_at = time.monotonic()
        try:
            found = self._claim(wait=wait)
            self._redis_is_back()
        except QueueUnavailable as error:
            self._redis_is_away(error)
            return False
        worked = False
        while isinstance(found, Claim):
            worked = True
            self._loop_at = time.monotonic()
            found = self._run_job(found)
        if isinstance(found, RawEntry):
            return self._adopt(found)
        return worked

    def stop(self) -> None:
        """Leave in order: no thread, no child and no description stays behind."""
        self.running = False
        self._notifier.say("STOPPING=1")
        self._give_back_popped()
        self._housekeeping.end()
        self._heartbeat.end()
        try:
            presence.leave(self._client, self.instance)
        except QueueUnavailable as error:
            log.info(Event.REDIS_LOST, reason=str(error))
        self.database.close()
        log.info(
            Event.WORKER_SHUTDOWN_COMPLETE,
            worker_id=self.worker_id,
            reason=self.interrupts.stop_reason or "nothing left to do",
            jobs_done=self.jobs_done,
        )

    # ---- claim ----------------------------------------------------------------------------

    def _claim(self, *, wait: bool) -> Next:
        """The next claim; waits in BLPOP up to a second when nothing is there."""
        if not self._database_answers():
            return None
        if self._popped is not None:
            return self._claim_popped()
        found = self._claims.next(self._epoch)
        if isinstance(found, Wiped):
            self._epoch = epoch.look(self._client)
            found = self._claims.next(self._epoch)
        if found is not None or not wait or self.interrupts.stopping:
            return found
        self._popped = self._claims.wait()
        return self._claim_popped()

    def _claim_popped(self) -> Next:
        """What BLPOP handed over is claimed by the same script, or goes back after a stop."""
        if self._popped is None or self.interrupts.stopping:
            return None
        found = self._claims.next(self._epoch, self._popped[1])
        if isinstance(found, Wiped):
            self._epoch = epoch.look(self._client)
            found = self._claims.next(self._epoch, self._popped[1])
        # Only now: a lost reply is asked for again, with the same entry.
        self._popped = None
        return found

    def _give_back_popped(self) -> None:
        if self._popped is None:
            return
        try:
            self._claims.give_back(self._popped)
        except QueueUnavailable:
            # The ledger still has the id, and any worker's housekeeping puts it back.
            log.warning(Event.REDIS_LOST, reason="an id could not be given back")

    def _adopt(self, found: RawEntry) -> bool:
        try:
            return adopt_raw(
                self._client,
                self.database.jobs,
                found.entry,
                final_ttl_s=self.settings.final_ttl_s,
            )
        except (QueueUnavailable, StoreUnavailable):
            return False  # it stays in the list of entries being adopted

    # ---- run and settle -------------------------------------------------------------------

    def _run_job(self, claim: Claim) -> Next:
        """Run one claimed job and settle it; returns the next claim."""
        holder = Holder(
            self._client,
            claim,
            lease_s=self.settings.lease_s,
            final_ttl_s=self.settings.final_ttl_s,
        )
        lease = Lease(holder, self.settings.lease_s)
        if self.interrupts.stopping:
            self._return_claim(holder)
            return None
        record = self._claim_row(claim, holder)
        if record is None:
            return None
        self.interrupts.begin_job()
        self.current_job = claim.job_id
        structlog.contextvars.bind_contextvars(job_id=claim.job_id, worker_id=self.worker_id)
        self._heartbeat.hold(lease)
        try:
            log.info(
                Event.JOB_PROCESSING_STARTED,
                queue=record.queue,
                generation=record.generation,
                crashes=record.crashes,
            )
            outcome = self._executor.run(record, lease)
            more = None if self.interrupts.stopping or self._is_spent(1) else self._claims
            return self._settler.settle(record, lease, outcome, more, self._epoch)
        finally:
            self._heartbeat.hold(None)
            self.current_job = None
            self.jobs_done += 1
            structlog.contextvars.clear_contextvars()

    def _claim_row(self, claim: Claim, holder: Holder) -> JobRecord | None:
        """The row's half of a claim. None: the claim was dropped, and Redis set right."""
        jobs = self.database.jobs
        try:
            record = jobs.change.claim(claim.job_id, **self._hold(claim))
            if record is None and jobs.accept(new_job(claim.job_id, claim.fields), pushed=True):
                record = jobs.change.claim(claim.job_id, **self._hold(claim))
            if record is None:
                self._drop_claim(claim, holder)
            return record
        except StoreUnavailable as error:
            log.warning(Event.DATABASE_LOST, reason=str(error))
            self._return_claim(holder)
        except QueueUnavailable as error:
            self._redis_is_away(error)
        return None

    def _hold(self, claim: Claim) -> dict[str, Any]:
        return {"fence": claim.fence, "worker_id": self.worker_id, "instance": self.instance}

    def _drop_claim(self, claim: Claim, holder: Holder) -> None:
        """The row moved on without Redis: Redis is made to say what the row says."""
        present = self.database.jobs.get(claim.job_id)
        log.info(
            Event.JOB_CLAIM_DROPPED, job_id=claim.job_id, state=present.state if present else None
        )
        if present is not None:
            mirror(
                self._client,
                present,
                lease_s=self.settings.lease_s,
                final_ttl_s=self.settings.final_ttl_s,
                wrong_fence=claim.fence,
            )

    def _return_claim(self, holder: Holder) -> None:
        """A claim that is not to be run goes back to the front; its row never knew of it."""
        try:
            holder.requeue(fence=holder.claim.fence, message="")
        except QueueUnavailable as error:
            self._redis_is_away(error)

    # ---- Redis and the database, away and back --------------------------------------------

    def _await_connections(self) -> bool:
        """Block until both answer; say once, in one line, what is missing and how to get it."""
        said: set[str] = set()
        while not self.interrupts.stopping:
            try:
                with translated():
                    self._client.ping()
                self.database.init()
                self._warn_of_eviction()
                self._epoch = epoch.look(self._client)
            except QueueUnavailable as error:
                self._say_once(said, "redis_url", str(error), "./run_worker.sh up")
            except StoreUnavailable as error:
                self._say_once(said, "database_url", str(error), "unset it for a SQLite file")
            else:
                return True
            time.sleep(_AWAY_PAUSE_S)
        return False

    def _say_once(self, said: set[str], field: str, reason: str, remedy: str) -> None:
        if field in said:
            return
        said.add(field)
        url = without_password(getattr(self.settings, field).get_secret_value())
        event = Event.REDIS_LOST if field == "redis_url" else Event.DATABASE_LOST
        variable = variable_of(field)
        hint = (
            f"nothing answers at {url}; waiting for it. "
            f"Start one there, set {variable} to another, or: {remedy}"
        )
        log.warning(event, hint=hint, reason=reason)

    def _warn_of_eviction(self) -> None:
        policy = epoch.eviction_policy(self._client)
        if policy not in (None, "noeviction"):
            log.warning(
                Event.EVICTION_POLICY_UNSAFE,
                policy=policy,
                hint="short of memory, this Redis deletes jobs; set maxmemory-policy noeviction",
            )

    def _redis_is_away(self, error: QueueUnavailable) -> None:
        if self._away_since is None:
            self._away_since = time.monotonic()
            log.warning(Event.REDIS_LOST, reason=str(error))
        time.sleep(_AWAY_PAUSE_S)

    def _redis_is_back(self) -> None:
        if self._away_since is not None:
            log.info(Event.REDIS_RESTORED, away_s=round(time.monotonic() - self._away_since, 1))
            self._away_since = None
            self._epoch = epoch.look(self._client)

    def _database_answers(self) -> bool:
        """No claim while the database is away: its row could not be written."""
        if self.health.database_ok:
            return True
        try:
            self.database.jobs.ping()
        except StoreUnavailable:
            time.sleep(_AWAY_PAUSE_S)
            return False
        self.health.database_ok = True
        return True

    # ---- health and life ------------------------------------------------------------------

    def get_health_status(self) -> dict[str, Any]:
        """A fresh check of Redis and the database; see HealthCheck.status for the keys."""
        return self.health.status()

    def _is_spent(self, ahead: int = 0) -> bool:
        """Whether this process has done its share and is to be replaced by a fresh one."""
        limit, rss = self.settings.max_jobs, self.settings.max_rss_mb
        spent = bool(limit and self.jobs_done + ahead >= limit) or bool(rss and resident_mb() > rss)
        if spent and not ahead:
            log.info(Event.WORKER_RECYCLED, jobs_done=self.jobs_done, rss_mb=round(resident_mb()))
        return spent

    def _feed_watchdog(self) -> None:
        # A main loop that hangs outside a stage must not be kept alive by its heartbeat.
        idle_s = time.monotonic() - self._loop_at
        if self.current_job is not None or idle_s < self.settings.lease_s * 2:
            self._notifier.say("WATCHDOG=1")


def main(arguments: Arguments | None = None) -> int:
    """Start a worker; returns the process's exit code."""
    wanted = arguments or parse_arguments(sys.argv[1:])
    settings = settings_or_exit()
    configure_logs(settings)
    if wanted.check:
        from runtime.health import check_connections

        return EXIT_UNAVAILABLE if check_connections(settings) else 0
    if wanted.processes > 1:
        return _supervise(wanted)
    return Worker(settings, wanted.name).run(burst=wanted.burst)


def _supervise(wanted: Arguments) -> int:
    """Run as the parent of several workers; it holds no connection of its own."""
    from runtime.pool import Pool

    stem = wanted.name or "worker"
    burst = ["--burst"] if wanted.burst else []
    return Pool(
        wanted.processes, lambda number: [sys.executable, __file__, f"{stem}-{number}", *burst]
    ).run()


if __name__ == "__main__":
    sys.exit(main())
