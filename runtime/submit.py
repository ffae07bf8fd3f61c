"""Submitting, cancelling and replaying jobs: the one way in for CLI, API and Python.

Row first, queue second. A push that is lost in between is made up for by housekeeping, so an
accepted job is one whose row is committed.
"""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import structlog

from config import Settings
from database import Database
from errors import InvalidInput, QueueUnavailable, StoreUnavailable
from events import Event
from jobs.payload import VideoJob, parse_job
from jobs.states import FINAL, STAGES
from jobs.work import PERFORM, VIDEO
from pipeline.public_http import Forbidden, check_url
from redis_queue import keys, waiting
from redis_queue.connection import Client
from runtime.mirror import waiting_of, waiting_of_new
from store.records import JobRecord, NewJob

#: A job that moves between waiting and running is looked at so often before giving up.
_CANCEL_LOOKS = 3
#: How long a replay waits for a holder that has ended the row alone; housekeeping comes after it.
_LETTING_GO_S = 1.0
_LOOK_S = 0.01

log = structlog.get_logger()


@dataclass(frozen=True)
class Submitted:
    """What became of a submit: `created` is False when the idempotency key was known."""

    job_id: str
    created: bool
    #: False while Redis is away; the job is accepted and will be pushed.
    pushed: bool


class Jobs:
    """The face of jobs for producers and operators. Raises StoreUnavailable, InvalidInput."""

    def __init__(
        self,
        database: Database,
        client: Client,
        *,
        final_ttl_s: int,
        trusted_hosts: Collection[str] = (),
        callbacks: bool = False,
    ) -> None:
        """`callbacks`: whether there is a secret to sign them with."""
        self._store = database.jobs
        self._groups = database.groups
        self.batches = database.batches
        self._client = client
        self._final_ttl_s = final_ttl_s
        self._trusted_hosts = trusted_hosts
        self._callbacks = callbacks

    @classmethod
    def by_settings(cls, settings: Settings, database: Database, client: Client) -> Jobs:
        """As a producer's own settings have it."""
        return cls(
            database,
            client,
            final_ttl_s=settings.final_ttl_s,
            trusted_hosts=settings.fetch_trusted_hosts,
            callbacks=settings.webhook_secret is not None,
        )

    def submit(self, data: Mapping[str, Any]) -> Submitted:
        """Accept a video job. An id that is taken is an error; a known idempotency key is not."""
        job = parse_job(data)
        self._check_urls(job)
        known = self._by_key(job)
        if known is not None:
            return Submitted(known.id, created=False, pushed=True)
        record = NewJob(
            job.id,
            json.dumps(dict(data), ensure_ascii=False, default=str),
            queue=keys.queue_for_priority(job.priority),
            tenant=job.tenant,
            idempotency_key=job.idempotency_key,
            due_at=job.run_at,
        )
        if not self._store.accept(record):
            known = self._by_key(job)
            if known is not None:
                return Submitted(known.id, created=False, pushed=True)
            raise InvalidInput("id", f"{job.id} is taken by another job")
        log.info(Event.JOB_SUBMITTED, job_id=job.id, queue=record.queue)
        row = self._store.get(job.id)
        return Submitted(job.id, created=True, pushed=row is not None and self._push(row))

    def enqueue(self, jobs: Sequence[NewJob]) -> list[str]:
        """Accept background jobs in one transaction, then tell the queue.

        Returns for each the id of the job that stands for it: its own, or that of an equal,
        unfinished one. Raises InvalidInput for an id that is taken; then the others are accepted.
        """
        refused = self._groups.accept(jobs)
        fresh = [job for job in jobs if job.id not in refused]
        try:
            waiting.enqueue_all(self._client, [waiting_of_new(job) for job in fresh])
            pushed = True
        except QueueUnavailable:
            pushed = False
        if pushed:
            with suppress(StoreUnavailable):  # told again later, which changes nothing
                self._groups.mark_pushed([job.id for job in fresh])
        kinds = sorted({job.kind for job in fresh})
        log.info(Event.JOB_SUBMITTED, count=len(fresh), kinds=kinds, pushed=pushed)
        taken = [job_id for job_id, holder in refused.items() if not holder]
        if taken:
            raise InvalidInput("id", f"{taken[0]} is taken by another job")
        return [refused.get(job.id) or job.id for job in jobs]

    def find(self, job_id: str) -> JobRecord | None:
        """The job's row, or None."""
        return self._store.get(job_id)

    def _check_urls(self, job: VideoJob) -> None:
        """Now, by their form; what their hosts stand for is looked at when they are used."""
        named = {f"images.{index}": image for index, image in enumerate(job.images)}
        named |= {"logo": job.logo or "", "music": job.music}
        urls = {field: text for field, text in named.items() if "://" in text}
        if job.callback_url is not None:
            if not self._callbacks:
                raise InvalidInput("callback_url", "needs WEBHOOK_SECRET to be set, to sign it")
            urls["callback_url"] = job.callback_url
        for field, url in urls.items():
            try:
                check_url(url, self._trusted_hosts)
            except Forbidden as error:
                raise InvalidInput(field, f"its URL {error}") from None

    def cancel(self, job_id: str) -> str | None:
        """Cancel a job: waiting at once, running within a second; the state before, or None.

        Row first; of a cancel and a settle at the same moment, the first write wins.
        """
        before = self._store.get(job_id)
        if before is not None and before.state in FINAL:
            return before.state
        recorded = before is not None and self._record_cancel(job_id)
        try:
            # Not recorded: the queue remembers it, and housekeeping carries it to the row.
            seen = waiting.cancel(
                self._client, job_id, recorded=recorded, final_ttl_s=self._final_ttl_s
            )
        except QueueUnavailable:
            seen = None
        return before.state if before is not None else seen

    def replay(self, job_id: str, *, from_stage: str | None = None) -> JobRecord:
        """Run a finished job again: from a stage on, or from where it failed.

        Raises InvalidInput for an unknown job, stage, or one that is not finished.
        """
        if from_stage is not None and from_stage not in (*STAGES, PERFORM):
            raise InvalidInput("from_stage", f"must be one of {', '.join(STAGES)}")
        before = self._store.get(job_id)
        if before is None:
            raise InvalidInput("job_id", f"{job_id} is not known")
        stages = STAGES if before.kind == VIDEO else (PERFORM,)
        if from_stage is not None and from_stage not in stages:
            raise InvalidInput("from_stage", f"of this job must be one of {', '.join(stages)}")
        record = self._store.change.replay(job_id, from_stage=from_stage)
        if record is None:
            raise InvalidInput(
                "job_id", f"{job_id} is {before.state}: only ended jobs can be replayed"
            )
        self._push(record)
        return record

    def _record_cancel(self, job_id: str) -> bool:
        """Tell the row, which may be claimed or handed back between two looks at it."""
        for _ in range(_CANCEL_LOOKS):
            if self._store.change.cancel_waiting(job_id) or self._store.request_cancel(job_id):
                return True
        return False

    def _by_key(self, job: VideoJob) -> JobRecord | None:
        if job.idempotency_key is None:
            return None
        return self._store.by_idempotency_key(job.tenant, job.idempotency_key)

    def _push(self, record: JobRecord) -> bool:
        try:
            pushed = push_row(self._client, record)
            deadline = time.monotonic() + _LETTING_GO_S
            while not pushed and time.monotonic() < deadline:
                time.sleep(_LOOK_S)
                pushed = push_row(self._client, record)
        except QueueUnavailable:
            return False
        if pushed:
            with suppress(StoreUnavailable):  # as above
                self._store.mark_pushed([record])
        return pushed


def push_row(client: Client, record: JobRecord) -> bool:
    """Make Redis know a waiting row; False: not yet, its last holder is about to let go of it.

    Idempotent.
    """
    if record.generation:
        return waiting.replay(client, waiting_of(record), fence=record.fence)
    waiting.enqueue(client, waiting_of(record), recorded=True)
    return True
