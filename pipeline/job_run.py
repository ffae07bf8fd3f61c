"""Runs a job's stages in order. It alone knows order, checkpoint, progress, timing and retry.

For each stage:
 1. hash its inputs;
 2. ask the checkpoints: finished before -> fetch the files, go on;
 3. run it in a folder of its own, interruptible, within its deadline;
 4. on a failure decide: wait here and run it again, park the job, or give up;
 5. publish its files under the holder's own folder, create-only;
 6. make the outputs durable in one checkpoint, before the next stage begins.
"""

from __future__ import annotations

import json
import random
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from errors import InvalidInput, PermanentError, StorageUnavailable
from jobs.payload import VideoJob
from jobs.retry import RetryPolicy
from pipeline.attempts import Attempts, StageGaveUp
from pipeline.calls import Calls, CallsInMemory
from pipeline.context import RunContext
from pipeline.hashing import job_content, stage_hash
from pipeline.manifest import inputs_of, manifest, stage_lines
from pipeline.media.own_music import is_own
from pipeline.ports import (
    OWN_FILES,
    Artifact,
    ArtifactMissing,
    ArtifactStorage,
    Begun,
    Checkpoints,
    Finished,
    Interrupts,
    Observer,
    Progress,
    References,
    StageId,
    Tools,
)
from pipeline.stage import Json, Stage, StageInputs, StageOutput
from pipeline.storage import file_digest


def _in_memory() -> Callable[[StageId], Calls]:
    kept = CallsInMemory()
    return lambda _stage: kept


@dataclass(frozen=True)
class Ports:
    """Everything that running a job needs from outside, wired once per job."""

    storage: ArtifactStorage
    checkpoints: Checkpoints
    progress: Progress
    interrupts: Interrupts
    observer: Observer
    tools: Tools
    references: References
    #: The paid calls of one stage run; without a worker they are kept in memory.
    calls: Callable[[StageId], Calls] = field(default_factory=_in_memory)


class JobRun:
    """One job's way through the stages."""

    def __init__(
        self,
        stages: Sequence[Stage],
        policy: RetryPolicy,
        rng: random.Random,
        job: VideoJob,
        ports: Ports,
        *,
        fallbacks: Mapping[str, Stage],
        generations: Mapping[str, int],
        failures: int,
    ) -> None:
        self._stages = stages
        self._job = self._submitted = job
        self._ports = ports
        self._fallbacks = fallbacks
        self._generations = generations
        self._attempts = Attempts(
            policy,
            rng,
            ports.checkpoints,
            ports.interrupts,
            ports.observer,
            failures=failures,
        )
        self._root = ports.tools.work_root / f"{job.id}-{ports.checkpoints.holder}"
        self._artifacts: dict[str, dict[str, Json]] = {}
        #: By stage: who served it in the end, and by what inputs.
        self._identities: dict[str, StageId] = {}
        self._told: list[Json] = []

    def execute(self) -> Json:
        """Run every unfinished stage; returns the job's result.

        Raises StageGaveUp, JobParked, and whatever ControlFlow arrives.
        """
        try:
            return self._run_stages()
        except StorageUnavailable as error:
            # A finished stage is not run again for that: the job waits until it can be read.
            raise self._attempts.park("storage", error) from error
        finally:
            shutil.rmtree(self._root, ignore_errors=True)

    def _run_stages(self) -> Json:
        earlier: dict[str, StageOutput] = {}
        history: list[Any] = []
        timings: dict[str, Json] = {}
        self._job = self._localised()
        digests = {path: file_digest(Path(path))[0] for path in _local_files(self._job)}
        content = job_content(self._job, digests)
        for stage in self._stages:
            self._ports.interrupts.check()
            began = time.monotonic()
            used, output, reused, gave_up = self._run_or_fall_back(stage, content, history, earlier)
            earlier[stage.name] = output
            files = self._artifacts[stage.name]
            hashes = {name: file["sha256"] for name, file in files.items()}
            history.append([stage.name, output.data, hashes])
            self._told.append(
                stage_lines(
                    self._identities[stage.name],
                    files,
                    self._ports.calls(self._identities[stage.name]),
                    reused=reused,
                )
            )
            timings[stage.name] = {
                "provider": used.provider,
                "seconds": round(time.monotonic() - began, 3),
                "reused": reused,
                **({"instead_of": stage.provider, "because": gave_up} if gave_up else {}),
            }
            self._attempts.failures = 0
        last = self._stages[-1].name
        artifacts = {**self._artifacts[last], "manifest.json": self._publish_manifest(digests)}
        return {
            "artifacts": artifacts,
            "stages": timings,
            **{key: value for key, value in earlier[last].data.items() if key != "report"},
        }

    def _publish_manifest(self, digests: Mapping[str, str]) -> Json:
        told = manifest(
            self._submitted,
            inputs=inputs_of(self._job, digests),
            stages=self._told,
            ffmpeg=self._ports.tools.ffmpeg,
        )
        self._root.mkdir(parents=True, exist_ok=True)
        path = self._root / "manifest.json"
        path.write_text(json.dumps(told, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
        holder = self._ports.checkpoints.holder
        key = f"{self._job.tenant}/{OWN_FILES}/{self._job.id}/manifest-{holder}.json"
        return self._ports.storage.publish(path, key).as_json()

    def _localised(self) -> VideoJob:
        job, interrupts = self._job, self._ports.interrupts
        if not job.images and job.logo is None and not is_own(job.music):
            return job
        # In a stage's window, so that a stop need not wait for a slow host.
        with interrupts.stage("inputs"):
            return self._ports.references.localise(job, self._root / "inputs", interrupts)

    def _run_or_fall_back(
        self,
        stage: Stage,
        content: Json,
        history: Sequence[Any],
        earlier: Mapping[str, StageOutput],
    ) -> tuple[Stage, StageOutput, bool, str | None]:
        """(who did it, the output, whether it was reused, why not the chosen provider)."""
        try:
            identity = self._identity(stage, content, history)
            return stage, *self._obtain(stage, identity, earlier), None
        except StageGaveUp as error:
            fallback = self._fallbacks.get(stage.name)
            # Bad input is bad for every provider, and so is storage that is away.
            if fallback is None or isinstance(error.cause, InvalidInput | StorageUnavailable):
                raise
            self._attempts.failures = 0
            identity = self._identity(fallback, content, history)
            return fallback, *self._obtain(fallback, identity, earlier), str(error)

    def _identity(self, stage: Stage, content: Json, history: Sequence[Any]) -> StageId:
        return StageId(
            stage.name,
            stage.provider,
            stage_hash(
                stage=stage.name,
                provider=stage.provider,
                generation=self._generations.get(stage.name, 0),
                content=content,
                earlier=history,
            ),
        )

    def _obtain(
        self, stage: Stage, identity: StageId, earlier: Mapping[str, StageOutput]
    ) -> tuple[StageOutput, bool]:
        """The stage's output: found, or made and made durable."""
        self._identities[stage.name] = identity
        ports = self._ports
        while True:
            found = ports.checkpoints.begin(identity)
            if isinstance(found, Begun):
                attempt = partial(self._attempt, stage, identity, earlier)
                return self._attempts.run(identity, attempt), False
            try:
                output = self._restore(stage.name, found)
            except ArtifactMissing:
                ports.checkpoints.forget(identity)
                continue
            ports.checkpoints.reuse(identity)
            ports.observer.stage_reused(stage.name)
            ports.progress.report(stage.name, 1.0)
            return output, True

    def _attempt(
        self, stage: Stage, identity: StageId, earlier: Mapping[str, StageOutput], tries: int
    ) -> StageOutput:
        ports = self._ports
        folder = self._root / f"{stage.name}-{tries}"
        folder.mkdir(parents=True)
        ports.observer.stage_started(stage.name, stage.provider, tries)
        ports.progress.report(stage.name, 0.0)
        context = RunContext(
            job_id=self._job.id,
            stage=stage.name,
            workdir=folder,
            seed=self._job.seed,
            tools=ports.tools,
            progress=ports.progress,
            interrupts=ports.interrupts,
            calls=ports.calls(identity),
        )
        began = time.monotonic()
        with closing(context), ports.interrupts.stage(stage.name):
            output = stage.run(context, StageInputs(self._job, earlier))
        ports.interrupts.check()
        files = self._publish(identity, output, tries)
        ports.checkpoints.finish(identity, dict(output.data), files)
        self._artifacts[stage.name] = files
        ports.observer.stage_completed(stage.name, time.monotonic() - began)
        ports.progress.report(stage.name, 1.0)
        return output

    def _publish(self, identity: StageId, output: StageOutput, tries: int) -> dict[str, Json]:
        folder = f"{self._job.tenant}/{identity.input_hash[:2]}/{identity.input_hash}"
        holder = f"{self._ports.checkpoints.holder}-{tries}"
        return {
            name: self._ports.storage.publish(path, f"{folder}/{holder}/{name}").as_json()
            for name, path in output.files.items()
        }

    def _restore(self, stage: str, found: Finished) -> StageOutput:
        folder = self._root / f"{stage}-found"
        folder.mkdir(parents=True, exist_ok=True)
        paths = {}
        for name, fields in found.files.items():
            paths[name] = folder / name  # a stage's own name for it, which may lie in a folder
            paths[name].parent.mkdir(parents=True, exist_ok=True)
            self._ports.storage.fetch(Artifact(**fields), paths[name])
        self._artifacts[stage] = found.files
        return StageOutput(found.data, paths)


def _local_files(job: VideoJob) -> list[str]:
    paths = [*job.images, *([job.logo] if job.logo else [])]
    paths += [job.music] if is_own(job.music) else []
    missing = [path for path in paths if not Path(path).is_file()]
    if missing:
        raise PermanentError(f"{len(missing)} of the job's files cannot be read on this host")
    return paths
