"""The parts by which a worker takes jobs, runs them and settles them, put together once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from config import Settings
from database import Database
from jobs.work import VIDEO_QUEUES
from redis_queue.connection import Client, connect
from runtime import wiring
from runtime.availability import Availability
from runtime.executor import BackgroundPort, Executor
from runtime.interrupts import Interrupts
from runtime.meter import Meter
from runtime.patience import Patience
from runtime.provider_limits import ProviderLimits
from runtime.queue_limits import QueueLimits
from runtime.settle import Settler
from runtime.taking import Taking
from store.records import JobRecord

if TYPE_CHECKING:
    from runtime.crew import Crew

#: Connections that a crew may use beside one for each of its threads.
_SPARE_CONNECTIONS = 16


@dataclass(frozen=True)
class Ground:
    """What every part of one worker stands on."""

    settings: Settings
    client: Client
    database: Database
    interrupts: Interrupts
    patience: Patience
    worker_id: str
    instance: str

    def connect(self, purpose: str, connections: int = 16) -> Client:
        """A further client of the queue's Redis, named by what it is for."""
        url = self.settings.redis_url.get_secret_value()
        return connect(url, name=f"{purpose}:{self.worker_id}", max_connections=connections)

    def taking(self, client: Client, queues: list[str], places: QueueLimits) -> Taking:
        """A way to the jobs of these queues."""
        return Taking(
            self.settings,
            client,
            self.database,
            self.interrupts,
            worker_id=self.worker_id,
            instance=self.instance,
            queues=queues,
            limits=places,
        )


@dataclass(frozen=True)
class Hands:
    """The main loop's way to jobs, and the crew beside it, if there is one."""

    taking: Taking
    executor: Executor
    settler: Settler
    crew: Crew | None
    #: Whether the main loop serves any queue itself.
    serves: bool
    meter: Meter
    limits: ProviderLimits
    places: QueueLimits

    @property
    def are_waited_for(self) -> bool:
        """A job of the crew's that may kill the process is to be alone: begin none now."""
        return self.crew is not None and self.crew.is_waited_for

    def admit(self, record: JobRecord) -> bool:
        """Whether the main loop may run this job beside the crew; then `dismiss` must follow."""
        return self.crew is None or self.crew.admit(record)

    def dismiss(self) -> None:
        """The main loop's job is over."""
        if self.crew is not None:
            self.crew.dismiss()

    def renew(self) -> None:
        """Called by the heartbeat: keep the places that running jobs hold."""
        self.limits.renew()
        self.places.renew()


def build_hands(ground: Ground, background: BackgroundPort, busy: Callable[[], bool]) -> Hands:
    """`busy`: whether a job is in hand, for the metrics."""
    settings = ground.settings
    own, others = split_queues(settings)
    places = wiring.build_places(settings, ground.connect("places"))
    limits = wiring.build_limits(settings, ground.connect("limits"), ground.interrupts)
    meter = wiring.build_meter(settings, limits, busy)
    executor = wiring.build_executor(
        settings,
        ground.database,
        ground.interrupts,
        ground.patience,
        ground.worker_id,
        limits,
        meter,
        background,
    )
    settler = Settler(
        ground.database.jobs,
        ground.client,
        ground.interrupts,
        ground.patience,
        worker_id=ground.worker_id,
        final_ttl_s=settings.final_ttl_s,
        meter=meter,
    )
    return Hands(
        taking=ground.taking(ground.client, own, places),
        executor=executor,
        settler=settler,
        crew=_crew(ground, executor, settler, meter, places, others) if others else None,
        serves=bool(own),
        meter=meter,
        limits=limits,
        places=places,
    )


def split_queues(settings: Settings) -> tuple[list[str], list[str]]:
    """The queues that the main loop serves, and those that threads do beside it."""
    if settings.concurrency == 1:
        return list(settings.queues), []
    own = [queue for queue in settings.queues if queue in VIDEO_QUEUES]
    return own, [queue for queue in settings.queues if queue not in VIDEO_QUEUES]


def _crew(
    ground: Ground,
    executor: Executor,
    settler: Settler,
    meter: Meter,
    places: QueueLimits,
    queues: list[str],
) -> Crew:
    from runtime.crew import Crew
    from runtime.group_settle import GroupSettler

    settings = ground.settings
    client = ground.connect("crew", settings.concurrency + _SPARE_CONNECTIONS)
    return Crew(
        settings.concurrency,
        ground.taking(client, queues, places),
        Availability(settings, client, ground.database, ground.interrupts),
        executor,
        GroupSettler(
            ground.database.groups,
            client,
            ground.interrupts,
            settler,
            worker_id=ground.worker_id,
            final_ttl_s=settings.final_ttl_s,
        ),
        ground.interrupts,
        meter,
        worker_id=ground.worker_id,
        stage_timeout_s=settings.stage_timeout_s,
        max_crashes=settings.max_crashes,
    )
