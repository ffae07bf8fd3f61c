"""The pipeline: its stages, and the two ways to run a job through them.

The worker wires `Pipeline` by ports, with leases, fences and durable checkpoints.
`PipelineOrchestrator` is for callers who want one job run here and now, without a worker.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from config import Settings, settings
from jobs.payload import VideoJob, parse_job
from jobs.retry import RetryPolicy
from pipeline.assembly import build_fallbacks, build_stages, retry_policy, tools_of
from pipeline.attempts import JobParked, StageGaveUp, public_message
from pipeline.inputs import InputFiles
from pipeline.job_run import JobRun, Ports
from pipeline.public_http import PublicHttp
from pipeline.stage import Json, Stage
from pipeline.standalone import (
    KeptInMemory,
    NoInterrupts,
    NoObserver,
    PublishedProgress,
)
from pipeline.storage import ObjectStorage

__all__ = [
    "JobParked",
    "Pipeline",
    "PipelineOrchestrator",
    "Ports",
    "StageGaveUp",
    "public_message",
]


class Pipeline:
    """The stages of a video job, and how they are run. One instance serves many jobs."""

    def __init__(
        self,
        stages: Sequence[Stage],
        *,
        policy: RetryPolicy,
        fallbacks: Mapping[str, Stage] | None = None,
        rng: random.Random | None = None,
    ) -> None:
        self._stages = stages
        self._fallbacks = fallbacks or {}
        self._policy = policy
        self._rng = rng or random.Random()

    def until(self, stage: str) -> Pipeline:
        """The same, ending with that stage."""
        names = [each.name for each in self._stages]
        some = self._stages[: names.index(stage) + 1]
        return Pipeline(some, policy=self._policy, fallbacks=self._fallbacks, rng=self._rng)

    def run(
        self,
        job: VideoJob,
        ports: Ports,
        *,
        generations: Mapping[str, int] | None = None,
        failures: int = 0,
    ) -> Json:
        """Run every unfinished stage; returns the job's result.

        `generations` names the stages whose earlier results may not be used; `failures` is
        what the stage in hand has used of its budget already. Raises StageGaveUp, JobParked,
        and whatever ControlFlow arrives.
        """
        return JobRun(
            self._stages,
            self._policy,
            self._rng,
            job,
            ports,
            fallbacks=self._fallbacks,
            generations=generations or {},
            failures=failures,
        ).execute()


class PipelineOrchestrator:
    """Runs one job in the calling process: no queue, no lease, no resume after a crash.

    `redis_client` (this project's, or a plain one) gets the progress messages. `db_session` is
    taken for callers' sake and not written to: the record of jobs is kept by the worker.
    """

    def __init__(
        self,
        job_id: str,
        redis_client: Any = None,
        db_session: Any = None,
        *,
        using: Settings | None = None,
    ) -> None:
        self.job_id = job_id
        self.db_session = db_session
        self._settings = using or settings()
        self._progress = PublishedProgress(job_id, redis_client)

    def execute_pipeline(self, job_data: Mapping[str, Any]) -> Json:
        """Make the video; returns the result with its artefacts.

        Raises InvalidInput, StageGaveUp; JobParked when a provider asks for a long pause.
        """
        job = parse_job({**job_data, "id": self.job_id}, foreign=True)
        folders = [Path(folder) for folder in self._settings.image_folders]
        storage = ObjectStorage(self._settings.artifact_url)
        ports = Ports(
            storage=storage,
            checkpoints=KeptInMemory(uuid.uuid4().hex),
            progress=self._progress,
            interrupts=NoInterrupts(),
            observer=NoObserver(),
            tools=tools_of(self._settings),
            references=InputFiles(folders, storage, PublicHttp(self._settings.fetch_trusted_hosts)),
        )
        pipeline = Pipeline(
            build_stages(self._settings),
            policy=retry_policy(self._settings),
            fallbacks=build_fallbacks(self._settings),
        )
        return pipeline.run(job, ports)
