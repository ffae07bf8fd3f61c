"""Runs one held job to its Outcome: every ending is one clause here."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import structlog

from errors import InvalidInput, JobCancelled, LeaseLost, ShutdownRequested, WorkerError
from events import Event
from jobs.outcome import Outcome
from jobs.payload import VideoJob, parse_job
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


@dataclass(frozen=True)
class Executor:
    """Everything that running a job needs; made once per worker."""

    pipeline: Callable[[], Pipeline]
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

    def run(self, record: JobRecord, lease: Lease) -> Outcome:
        """Run the job. Never raises but for a bug in this method itself."""
        try:
            job = parse_job(json.loads(record.payload), foreign=True)
            ports = self._ports(job, record, lease)
            result = self.pipeline().run(
                job, ports, generations=record.stage_generations, failures=record.failures
            )
        except InvalidInput as error:
            return Outcome.failed(str(error))
        except StageGaveUp as error:
            return Outcome.failed(str(error))
        except JobParked as error:
            return Outcome.parked(str(error), error.delay_s, error.failures)
        except JobCancelled:
            return Outcome.cancelled()
        except ShutdownRequested:
            return Outcome.handed_back()
        except LeaseLost:
            return Outcome.lost()
        except WorkerError as error:
            return Outcome.failed(str(error))
        except Exception as error:
            log.exception(Event.JOB_CRASHED, job_id=record.id)
            return Outcome.failed(f"internal error ({type(error).__name__})")
        return Outcome.completed(result)

    def _ports(self, job: VideoJob, record: JobRecord, lease: Lease) -> Ports:
        return Ports(
            storage=self.storage,
            checkpoints=JobCheckpoints(
                self.stages, job, record, lease, self.interrupts, self.patience
            ),
            progress=JobProgress(lease, self.interrupts, self.worker_id),
            interrupts=self.interrupts,
            observer=Both(LogObserver(), self.meter),
            tools=self.tools,
            references=self.references,
            calls=partial(
                JobCalls,
                store=self.calls,
                record=record,
                lease=lease,
                patience=self.patience,
                interrupts=self.interrupts,
                limits=self.limits,
                caps=replace(self.caps, job=microusd(job.max_cost_usd)),
                spent=self.meter.spent,
            ),
        )
