"""Runs one held job to its Outcome: every ending is one clause here."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol

import structlog

from errors import ControlFlow, InvalidInput, JobCancelled, ShutdownRequested, WorkerError
from events import Event
from jobs.outcome import Outcome
from jobs.payload import VideoJob, parse_job
from jobs.work import VIDEO
from pipeline.orchestrator import JobParked, Pipeline, Ports, StageGaveUp
from pipeline.ports import ArtifactStorage, References, Tools
from runtime.calls import JobCalls, microusd
from runtime.checkpoints import JobCheckpoints
from runtime.interrupts import Interrupts
from runtime.lease import Lease
from runtime.meter import Meter
from runtime.observer import Both, LogObserver
from runtime.patience import Patience
from runtime.progress import JobProgress
from runtime.provider_limits import ProviderLimits
from store.calls import CallStore, Caps
from store.records import JobRecord
from store.stage_runs import StageStore

log = structlog.get_logger()


class BackgroundPort(Protocol):
    """What runs background jobs; it lives above this room."""

    def run(self, record: JobRecord, lease: Lease, interrupts: Interrupts) -> Outcome:
        """Run the job. Raises ControlFlow alone."""


@dataclass(frozen=True)
class Executor:
    """Everything that running a job needs; made once per worker."""

    pipeline: Callable[[], Pipeline]
    #: Runs every kind but videos.
    background: BackgroundPort
    stages: StageStore
    storage: ArtifactStorage
    tools: Tools
    interrupts: Interrupts
    patience: Patience
    references: References
    worker_id: str
    calls: CallStore
    limits: ProviderLimits
    #: Caps per day and per tenant and day; a job's own comes with it.
    caps: Caps
    meter: Meter

    def run(self, record: JobRecord, lease: Lease, interrupts: Interrupts | None = None) -> Outcome:
        """Run the job. Never raises but for a bug in this method itself.

        `interrupts`: those of the thread that a background job runs on, if not the main one.
        """
        own = interrupts or self.interrupts
        try:
            if record.kind != VIDEO:
                return self.background.run(record, lease, own)
            job = parse_job(json.loads(record.payload), foreign=True)
            ports = self._ports(job, record, lease, own)
            result = self.pipeline().run(
                job, ports, generations=record.stage_generations, failures=record.failures
            )
        except InvalidInput as error:
            return Outcome.failed(str(error))
        except StageGaveUp as error:
            return Outcome.failed(str(error))
        except JobParked as error:
            return Outcome.parked(str(error), error.delay_s, error.failures)
        except ControlFlow as flow:
            return _after(own.meaning(flow))
        except WorkerError as error:
            return Outcome.failed(str(error))
        except Exception as error:
            log.exception(Event.JOB_CRASHED, job_id=record.id)
            return Outcome.failed(f"internal error ({type(error).__name__})")
        return Outcome.completed(result)

    def prepare(
        self, job: VideoJob, record: JobRecord, lease: Lease, interrupts: Interrupts
    ) -> dict[str, Any]:
        """Script and voice of a video, within another held job: the video's own job, with equal
        inputs, finds them finished. Raises StageGaveUp, JobParked, and ControlFlow."""
        ports = self._ports(job, record, lease, interrupts)
        return self.pipeline().until("voice_gen").run(job, ports)

    def _ports(
        self, job: VideoJob, record: JobRecord, lease: Lease, interrupts: Interrupts
    ) -> Ports:
        return Ports(
            storage=self.storage,
            checkpoints=JobCheckpoints(self.stages, job, record, lease, interrupts, self.patience),
            progress=JobProgress(lease, interrupts, self.worker_id),
            interrupts=interrupts,
            observer=Both(LogObserver(), self.meter),
            tools=self.tools,
            references=self.references,
            calls=partial(
                JobCalls,
                store=self.calls,
                record=record,
                lease=lease,
                patience=self.patience,
                interrupts=interrupts,
                limits=self.limits,
                caps=replace(self.caps, job=microusd(job.max_cost_usd)),
                spent=self.meter.spent,
            ),
        )


def _after(meaning: type[ControlFlow]) -> Outcome:
    """How a run ends that was told to."""
    if meaning is JobCancelled:
        return Outcome.cancelled()
    if meaning is ShutdownRequested:
        return Outcome.handed_back()
    return Outcome.lost()
