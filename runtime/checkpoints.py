"""The orchestrator's checkpoints over the database, for one held job."""

from __future__ import annotations

from jobs.payload import VideoJob
from jobs.states import overall_progress
from pipeline.ports import Begun, Finished, StageId
from pipeline.stage import Json
from runtime.interrupts import Interrupts
from runtime.lease import Lease
from runtime.patience import Patience
from runtime.steps import reached
from store.records import JobRecord
from store.stage_runs import Busy, Done, StageKey, StageStore

#: How often a stage that another job's worker runs is asked after, in s.
_BUSY_PAUSE_S = 0.25


class JobCheckpoints:
    """Implements pipeline.ports.Checkpoints; each write waits for an absent database."""

    def __init__(
        self,
        store: StageStore,
        job: VideoJob,
        record: JobRecord,
        lease: Lease,
        interrupts: Interrupts,
        patience: Patience,
    ) -> None:
        self.holder = str(lease.claim.fence)
        self._store = store
        self._job = job
        self._record = record
        self._lease = lease
        self._interrupts = interrupts
        self._patience = patience
        self._found: dict[str, Done] = {}

    def begin(self, stage: StageId) -> Finished | Begun:
        """See Checkpoints."""
        while True:
            answer = self._patience(lambda: self._store.begin(self._key(stage)), self._lease)
            if isinstance(answer, Busy):
                self._interrupts.sleep(_BUSY_PAUSE_S)
            elif isinstance(answer, Done):
                self._found[stage.input_hash] = answer
                return Finished(answer.data, answer.files)
            else:
                reached("stage_begun")
                return Begun(answer.attempts)

    def finish(self, stage: StageId, data: Json, files: dict[str, Json]) -> None:
        """See Checkpoints."""
        reached("published")
        done = overall_progress(stage.stage, 1.0)
        self._patience(
            lambda: self._store.finish(self._key(stage), data=data, files=files, progress=done),
            self._lease,
        )
        reached("checkpointed")

    def reuse(self, stage: StageId) -> None:
        """See Checkpoints."""
        done = overall_progress(stage.stage, 1.0)
        self._patience(lambda: self._store.reuse(self._key(stage), progress=done), self._lease)

    def forget(self, stage: StageId) -> None:
        """See Checkpoints."""
        found = self._found.pop(stage.input_hash)
        self._patience(
            lambda: self._store.forget(self._job.tenant, stage.input_hash, found), self._lease
        )

    def fail(self, stage: StageId, failures: int) -> None:
        """See Checkpoints."""
        self._patience(lambda: self._store.fail(self._key(stage), failures=failures), self._lease)

    def _key(self, stage: StageId) -> StageKey:
        return StageKey(
            job_id=self._record.id,
            fence=self._lease.claim.fence,
            generation=self._record.generation,
            tenant=self._job.tenant,
            stage=stage.stage,
            provider=stage.provider,
            input_hash=stage.input_hash,
        )
