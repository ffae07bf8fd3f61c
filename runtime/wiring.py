"""What a worker runs its jobs with, by its settings."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from config import Settings
from database import Database
from pipeline.assembly import build_stages, retry_policy, tools_of
from pipeline.orchestrator import Pipeline
from pipeline.storage import ObjectStorage
from runtime.executor import Executor
from runtime.interrupts import Interrupts
from runtime.patience import Patience


def build_executor(
    settings: Settings,
    database: Database,
    interrupts: Interrupts,
    patience: Patience,
    worker_id: str,
) -> Executor:
    """The executor; its pipeline is put together at the first job, which imports the rest."""

    @lru_cache(maxsize=1)
    def pipeline() -> Pipeline:
        return Pipeline(build_stages(settings), policy=retry_policy(settings))

    return Executor(
        pipeline=pipeline,
        stages=database.stages,
        storage=ObjectStorage(settings.artifact_url),
        tools=tools_of(settings),
        interrupts=interrupts,
        patience=patience,
        image_folders=[Path(folder) for folder in settings.image_folders],
        worker_id=worker_id,
    )
