"""Runs one held background job to its Outcome.

1. find its kind; one that this worker does not know waits for a worker that does;
2. decode its arguments; keep its kind's rate;
3. call it within its deadline, interruptible, with `current_job()` set;
4. return its result, or decide about another try: always parked, never slept in place.
"""

from __future__ import annotations

import asyncio
import json
import random
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import structlog

from background.context import Hold, JobContext, running
from background.kinds import Kind, Registry
from background.progress import JobTelling
from background.rates import Rates
from errors import InvalidInput, NotNow, PermanentError, RetryableError, WorkerError
from events import Event
from jobs.outcome import Outcome
from jobs.retry import Retry, RetryPolicy, decide
from jobs.work import PERFORM, Call, decode_call, encode_json
from runtime.interrupts import Interrupts
from runtime.lease import Lease
from runtime.patience import Patience
from store.items import Items, ItemStore
from store.records import JobRecord

#: A job whose kind nobody here knows is looked at again after this long.
_UNKNOWN_PARK_S = 5.0
#: Said so often at most, per kind.
_UNKNOWN_SAY_S = 60.0
_MAX_ERROR = 500
#: What most jobs return, as it is kept.
_NOTHING = '{"value":null}'

log = structlog.get_logger()


@dataclass
class BackgroundRunner:
    """Made once per worker; `run` may be called from several threads."""

    registry: Registry
    items: ItemStore
    patience: Patience
    rates: Rates
    worker_id: str
    #: Seconds: of a kind that names none, by queue, and of any other queue.
    timeout_s: float
    queue_timeouts_s: Mapping[str, float]
    result_ttl_s: float
    rng: random.Random = field(default_factory=random.Random)
    _said: dict[str, float] = field(default_factory=dict)
    _own: threading.local = field(default_factory=threading.local)
    _loops: list[asyncio.Runner] = field(default_factory=list)

    def run(self, record: JobRecord, lease: Lease, interrupts: Interrupts) -> Outcome:
        """Run it. Raises ControlFlow alone."""
        kind = self.registry.get(record.kind)
        if kind is None:
            return self._unknown(record)
        try:
            call = decode_call(record.payload)
            kind.check(call.args, call.kwargs or {})
            self.rates.keep(kind)
            value = self._perform(kind, call, record, lease, interrupts)
            text, result = _NOTHING, {"value": None}
            if value is not None:
                text = encode_json({"value": value}, "result")
                result = json.loads(text)
        except Exception as error:  # noqa: BLE001  # whatever the job's own code raises
            return self._failed(kind, record, error)
        ttl_s = kind.options.result_ttl_s
        if ttl_s is None:
            ttl_s = self.result_ttl_s
        return Outcome.completed(result, ttl_s=ttl_s, text=text)

    def close(self) -> None:
        """Close the loops of async jobs; called when no job runs any more."""
        while self._loops:
            kept = self._loops.pop()
            if not kept.get_loop().is_running():  # else a deaf thread's, which ends with us
                kept.close()

    def _perform(
        self, kind: Kind, call: Call, record: JobRecord, lease: Lease, interrupts: Interrupts
    ) -> Any:
        context = JobContext(
            record.id,
            attempt=record.failures + 1,
            cursor=json.loads(record.cursor) if record.cursor else None,
            items=_items(record) if record.cursor else Items(),
            telling=JobTelling(
                record, lease, interrupts, self.items, self.patience, self.worker_id
            ),
            hold=Hold(record, lease, interrupts),
        )
        timeout_s = kind.options.timeout_s or self.queue_timeouts_s.get(
            record.queue, self.timeout_s
        )
        with running(context), interrupts.stage(PERFORM, timeout_s):
            if kind.is_async:
                return self._run_async(kind, call, interrupts)
            return kind.function(*call.args, **(call.kwargs or {}))

    def _run_async(self, kind: Kind, call: Call, interrupts: Interrupts) -> Any:
        """On this thread's own loop, which is kept: making one costs more than a short job."""
        kept: asyncio.Runner | None = getattr(self._own, "runner", None)
        if kept is None:
            kept = self._own.runner = asyncio.Runner()
            self._loops.append(kept)
        interrupts.wake_loop = partial(kept.get_loop().call_soon_threadsafe, _nothing)
        try:
            return kept.run(kind.function(*call.args, **(call.kwargs or {})))
        except BaseException as error:
            if not isinstance(error, Exception):
                # It was torn out of its loop; what is left there is called off with it.
                self._own.runner = None
                self._loops.remove(kept)
                kept.close()
            raise
        finally:
            interrupts.wake_loop = None

    def _failed(self, kind: Kind, record: JobRecord, error: Exception) -> Outcome:
        failures = record.failures + 1
        options = kind.options
        policy = RetryPolicy(
            base_s=options.retry_delay_s,
            max_failures=options.max_retries,
            max_s=options.retry_backoff_max,
            doubles=options.retry_backoff,
            park_after_s=-1.0,
        )
        told = public_message(error)
        if not isinstance(error, NotNow):
            log.warning(
                Event.JOB_TRY_FAILED,
                job_id=record.id,
                kind=kind.name,
                failures=failures,
                error=told,
                exc_info=None if isinstance(error, WorkerError) else error,
            )
        decision = decide(error, failures, policy, self.rng)
        if not isinstance(decision, Retry):
            return Outcome.failed(told)
        counted = record.failures if isinstance(error, NotNow) else failures
        return Outcome.parked(told, decision.delay_s, counted)

    def _unknown(self, record: JobRecord) -> Outcome:
        now = time.monotonic()
        if now - self._said.get(record.kind, -_UNKNOWN_SAY_S) >= _UNKNOWN_SAY_S:
            self._said[record.kind] = now
            log.warning(
                Event.JOB_KIND_UNKNOWN,
                job_id=record.id,
                kind=record.kind,
                hint="name its module in WORKER_BACKGROUND_MODULES; the job waits",
            )
        told = f"no worker of this queue knows the kind {record.kind}"
        return Outcome.parked(told, _UNKNOWN_PARK_S, record.failures)


def _items(record: JobRecord) -> Items:
    return Items(record.processed_items or 0, record.total_items, record.failed_items or 0)


def _nothing() -> None:
    """What a loop is woken with."""


def public_message(error: Exception) -> str:
    """What is kept of an error: our own words, or the class and message of the job's own code."""
    if isinstance(error, (InvalidInput, PermanentError, RetryableError)):
        return str(error)[:_MAX_ERROR]
    return f"{type(error).__name__}: {error}"[:_MAX_ERROR].rstrip(": ")
