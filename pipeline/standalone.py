"""Ports for running a job without a worker: in one process, now, with nothing kept."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from jobs.states import overall_progress
from pipeline.ports import Begun, Finished, StageId
from pipeline.stage import Json


class KeptInMemory:
    """Checkpoints that last as long as the process."""

    def __init__(self, holder: str) -> None:
        self.holder = holder
        self._done: dict[str, Finished] = {}

    def begin(self, stage: StageId) -> Finished | Begun:
        return self._done.get(stage.input_hash, Begun(1))

    def finish(self, stage: StageId, data: Json, files: dict[str, Json]) -> None:
        self._done[stage.input_hash] = Finished(data, files)

    def reuse(self, stage: StageId) -> None:
        return

    def forget(self, stage: StageId) -> None:
        self._done.pop(stage.input_hash, None)

    def fail(self, stage: StageId, failures: int) -> None:
        return


class PublishedProgress:
    """Progress on the job's channel, for whoever listens; without a client, nowhere."""

    def __init__(self, job_id: str, redis_client: Any) -> None:
        self._job_id = job_id
        # This project's client hands out the plain one; a plain one is used as it is.
        get = getattr(redis_client, "get_client", None)
        self._client = get() if get is not None else redis_client

    def report(self, stage: str, fraction: float, note: str = "") -> None:
        if self._client is None:
            return
        message = {
            "job_id": self._job_id,
            "stage": stage,
            "progress": overall_progress(stage, fraction),
            "worker_id": None,
        }
        self._client.publish(f"video_generation_progress:{self._job_id}", json.dumps(message))


class NoInterrupts:
    """Nobody stops or cancels; Ctrl-C is KeyboardInterrupt, as everywhere."""

    def check(self) -> None:
        return

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    def alive(self) -> None:
        return

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        yield

    @contextmanager
    def held(self) -> Iterator[None]:
        yield


class NoObserver:
    """Nobody is told."""

    def stage_started(self, stage: str, provider: str, attempt: int) -> None:
        return

    def stage_completed(self, stage: str, seconds: float) -> None:
        return

    def stage_reused(self, stage: str) -> None:
        return

    def stage_failed(self, stage: str, error: BaseException, failures: int) -> None:
        return

    def retry_scheduled(self, stage: str, delay_s: float, failures: int, error: str) -> None:
        return
