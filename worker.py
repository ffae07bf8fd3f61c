"""The worker daemon: one process, one job at a time.

    while not stopping:
        claim      a script pops the next id, mints the fence, writes the lease; then the row
        run        the four stages, the heartbeat renewing the lease beside them
        settle     the row first, then Redis, and in the same round trip the next claim

A finished stage is never run again, and only the holder of the fence can write. A stage that
was cut short is run again: losing a job is worse than running a stage twice.
"""

from __future__ import annotations

import signal
import sys
import threading
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

from background.assembly import build_cron, build_runner
from background.services import Services, use_services
from config import (
    EXIT_UNAVAILABLE,
    Settings,
    exit_code_of,
    notify_socket,
    settings_or_exit,
    without_password,
)
from database import Database
from errors import ConfigError, QueueUnavailable, StoreUnavailable
from events import Event
from jobs.outcome import Outcome
from redis_queue import presence
from redis_queue.claim import Claim, RawEntry
from redis_queue.connection import connect
from redis_queue.control import Order
from runtime import launch, steps, wiring
from runtime.arguments import Arguments, parse_arguments
from runtime.availability import Availability
from runtime.errands import Errands
from runtime.hands import Ground, build_hands
from runtime.health import HealthCheck, check_connections, resident_mb
from runtime.heartbeat import Heartbeat
from runtime.housekeeping import Housekeeping
from runtime.interrupts import Interrupts
from runtime.logs import configure_logs
from runtime.patience import Patience
from runtime.settle import Next
from runtime.systemd import Notifier

if TYPE_CHECKING:
    from runtime.health_server import HealthServer

#: How often a worker that was told to be quiet looks whether that is lifted or it is to stop.
_QUIET_PAUSE_S = 0.1
#: Until it claims again after a job that may not run beside what the crew has in hand.
_BESIDE_PAUSE_S = 0.5

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
        self._jobs_done = 0
        self.interrupts = Interrupts(
            stage_timeout_s=settings.stage_timeout_s, stall_s=settings.stall_s
        )
        self.client = connect(
            settings.redis_url.get_secret_value(), name=f"worker:{self.worker_id}"
        )
        self.database = Database(settings.database_url.get_secret_value())
        self.health = HealthCheck(self)
        self._health_server: HealthServer | None = None
        self._availability = Availability(settings, self.client, self.database, self.interrupts)
        patience = Patience(self.interrupts)
        self._background = build_runner(settings, self.database, patience, self.worker_id)
        ground = Ground(
            settings,
            self.client,
            self.database,
            self.interrupts,
            patience,
            self.worker_id,
            self.instance,
        )
        self._hands = build_hands(ground, self._background, lambda: bool(self.jobs_in_hand))
        self._taking, self._crew = self._hands.taking, self._hands.crew
        use_services(Services(settings, self.database, self.client, self._hands.executor))
        self._notifier = Notifier(notify_socket())
        self._heartbeat = Heartbeat(
            ground.connect("heartbeat"),
            self.interrupts,
            instance=self.instance,
            lease_s=settings.lease_s,
            describe=self.health.description,
            phase=self.health.phase,
            on_order=self._on_order,
            on_tick=self._on_heartbeat,
            crew=self._crew.held if self._crew else list,
        )
        self._housekeeping = Housekeeping(
            ground.connect("housekeeping"),
            self.database,
            instance=self.instance,
            lease_s=settings.lease_s,
            max_crashes=settings.max_crashes,
            final_ttl_s=settings.final_ttl_s,
            on_tick=self.health.log_when_due,
        )
        self._cron = build_cron(
            settings,
            self.database,
            ground.connect("cron"),
            self._background.registry,
        )
        self._errands = Errands(settings, ground.connect("errands"), self.database)
        self.loop_at = time.monotonic()
        steps.arm(settings.kill_at)

    def run(self, *, burst: bool = False) -> int:
        """Work until asked to stop, or with `burst` until nothing waits; returns the exit code."""
        self.interrupts.install()
        if not self.start(burst=burst):
            return 0
        try:
            while not self.interrupts.stopping and not self._is_spent():
                idle = not self.run_once(wait=not burst)
                idle = idle and (self._crew is None or self._crew.is_idle)
                if burst and idle and not self._availability.redis_is_away:
                    break
            if self.interrupts.stopping:
                log.info(Event.WORKER_STOP_REQUESTED, signal=self.interrupts.stop_reason)
        finally:
            self.stop()
        return 0

    def run_once(self, *, wait: bool = True) -> bool:
        """Claim, run and settle until nothing is left to claim; False: there was nothing."""
        self.loop_at = time.monotonic()
        if self.interrupts.quiet or not self._hands.serves or self._hands.are_waited_for:
            self._taking.give_back_popped()
            time.sleep(_QUIET_PAUSE_S)
            return False
        if not self._availability.database_answers():
            return False
        try:
            found: Next = self._taking.next(wait=wait)
            if self._availability.redis_answered():
                self._taking.look_at_epoch()
            worked = False
            while isinstance(found, Claim):
                worked = True
                found = self._run_job(found)
            return self._taking.adopt(found) if isinstance(found, RawEntry) else worked
        except QueueUnavailable as error:
            self._availability.redis_failed(error)
        except StoreUnavailable as error:
            self._availability.database_failed(error)
        return False

    def _run_job(self, claim: Claim) -> Next:
        """Run one claimed job and settle it; returns the next claim."""
        self.loop_at = time.monotonic()
        try:
            taken = self._taking.take(claim)
        except StoreUnavailable:
            self._taking.give_back(claim)  # uncounted: its row never knew
            raise
        if taken is None:
            return None
        record, lease = taken.record, taken.lease
        if not self._hands.admit(record):
            self._hands.settler.settle(record, lease, Outcome.returned(), None, "")
            self._taking.done(claim)
            time.sleep(_BESIDE_PAUSE_S)
            return None
        self.interrupts.begin_job()
        self.current_job = record.id
        structlog.contextvars.bind_contextvars(job_id=record.id, worker_id=self.worker_id)
        self._heartbeat.hold(lease)
        try:
            log.info(
                Event.JOB_PROCESSING_STARTED,
                queue=record.queue,
                kind=record.kind,
                generation=record.generation,
                crashes=record.crashes,
            )
            self._hands.meter.job_started(record, claim.waited_s)
            outcome = self._hands.executor.run(record, lease)
            more = self.interrupts.may_claim and not self._is_spent(ahead=1)
            more = more and not self._hands.are_waited_for
            then = self._taking.claims if more else None
            return self._hands.settler.settle(record, lease, outcome, then, self._taking.epoch)
        finally:
            self._taking.done(claim)
            self._heartbeat.hold(None)
            self._hands.dismiss()
            self.current_job = None
            self._jobs_done += 1
            structlog.contextvars.clear_contextvars()

    def start(self, *, burst: bool = False) -> bool:
        """Wait for Redis and the database, then begin heartbeat and housekeeping.

        False: asked to stop before they answered. Raises ConfigError where health cannot be
        served as asked for.
        """
        self._health_server = wiring.serve_health(self.settings, self.health, self._hands.meter)
        if not self._availability.await_both():
            return False
        self._taking.look_at_epoch()
        self.running = True
        self._heartbeat.start()
        self._housekeeping.start()
        self._errands.start()
        if self._crew is not None:
            self._crew.start()
        if self.settings.cron and not burst:
            self._cron.start()
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

    def stop(self) -> None:
        """Leave in order: no thread, no child and no description stays behind."""
        self.running = False
        self._notifier.say("STOPPING=1")
        if self._crew is not None:
            self._crew.end()
        self._taking.give_back_popped()
        self._housekeeping.end()
        self._errands.end()
        self._cron.end()
        self._background.close()
        self._heartbeat.end()
        try:
            presence.leave(self.client, self.instance)
        except QueueUnavailable as error:
            log.info(Event.REDIS_LOST, reason=str(error))
        self.database.close()
        log.info(
            Event.WORKER_SHUTDOWN_COMPLETE,
            worker_id=self.worker_id,
            reason=self.interrupts.stop_reason or "nothing left to do",
            jobs_done=self.jobs_done,
        )
        if self._health_server is not None:
            self._health_server.close()

    @property
    def state(self) -> str:
        """ "stopping", "quiet", "working" or "idle"; a quiet one may have its last job in hand."""
        if self.interrupts.stopping:
            return "stopping"
        if self.interrupts.quiet:
            return "quiet"
        return "working" if self.jobs_in_hand else "idle"

    @property
    def jobs_done(self) -> int:
        """How many jobs it has had in hand and let go."""
        return self._jobs_done + (self._crew.jobs_done if self._crew else 0)

    @property
    def jobs_in_hand(self) -> list[str]:
        """The ids of the jobs that run now, the main loop's first."""
        own = [self.current_job] if self.current_job else []
        return [*own, *(self._crew.jobs() if self._crew else [])]

    @property
    def stage(self) -> str | None:
        """The stage that runs now, if any."""
        return self.interrupts.stage_in_hand

    def get_health_status(self) -> dict[str, Any]:
        """A fresh check of Redis and the database; see HealthCheck.status for the keys."""
        return self.health.status()

    def _is_spent(self, *, ahead: int = 0) -> bool:
        """Whether this process has done its share and is to be replaced by a fresh one."""
        limit, rss = self.settings.max_jobs, self.settings.max_rss_mb
        spent = bool(limit and self.jobs_done + ahead >= limit) or bool(rss and resident_mb() > rss)
        if spent and not ahead:
            log.info(Event.WORKER_RECYCLED, jobs_done=self.jobs_done, rss_mb=round(resident_mb()))
        return spent

    def _on_heartbeat(self) -> None:
        self._hands.renew()
        if self.health.is_live():
            self._notifier.say("WATCHDOG=1")

    def _on_order(self, order: Order) -> None:
        """On the heartbeat's thread, as long as the order stands."""
        if order is Order.STOP:
            if not self.interrupts.stopping:  # twice would mean at once
                signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)
        elif self.interrupts.quiet != (order is Order.QUIET):
            self.interrupts.quiet = order is Order.QUIET
            event = Event.WORKER_QUIETED if self.interrupts.quiet else Event.WORKER_RESUMED
            log.info(event, worker_id=self.worker_id)


def main(arguments: Arguments | None = None) -> int:
    """Start a worker, or what else the arguments ask for; returns the process's exit code."""
    wanted = arguments or parse_arguments(sys.argv[1:])
    settings = settings_or_exit()
    configure_logs(settings)
    if wanted.check:
        return EXIT_UNAVAILABLE if check_connections(settings) else 0
    if wanted.watch:
        return launch.watch(Path(__file__), wanted)
    if wanted.processes > 1:
        return launch.supervise(Path(__file__), wanted)
    if settings.health_port:
        port = settings.health_port + wanted.number - 1
        settings = settings.model_copy(update={"health_port": port})
    try:
        worker = Worker(settings, wanted.name)
        launch.spare_the_collector()
        return worker.run(burst=wanted.burst)
    except ConfigError as error:
        return exit_code_of(error)


if __name__ == "__main__":
    sys.exit(main())
