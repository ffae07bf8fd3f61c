"""Batches: many jobs, one completion callback, partial failure shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from background import Batch, job
from background.enqueue import backend
from errors import InvalidInput, PermanentError
from worker import Worker


@job("test_row", max_retries=0)
def row(number: int) -> int:
    if number < 0:
        raise PermanentError("negative")
    return number


@job("test_done")
def done(batch_id: str) -> dict[str, int]:
    return Batch.find(batch_id).status().states


def idle(worker: Worker, work: Callable[[], None]) -> None:
    worker._housekeeping._patience_s = 0.0
    work()
    worker._housekeeping.tick()
    work()


def test_the_callback_comes_once_when_all_have_ended(
    worker: Worker, work: Callable[[], None]
) -> None:
    with Batch("rows", on_complete=done) as batch:
        batch.add_bulk(row, [[number] for number in range(5)])
        failing = batch.add(row, -1)
        assert batch.status().sealed is False
    assert batch.status().total == 6 and batch.status().pending == 6
    idle(worker, work)
    found = batch.status()
    assert (found.pending, found.states) == (0, {"completed": 5, "failed": 1})
    assert found.finished_at is not None and found.callback_job == f"{batch.id}.done"
    told = backend().find(found.callback_job)
    assert told is not None and told.result == {"value": {"completed": 5, "failed": 1}}
    # A replay of the failed one changes what is shown, and calls nobody again.
    jobs: Any = backend()
    jobs._jobs.replay(failing.id)
    idle(worker, work)
    assert worker.database.jobs.count_by_state() == {"completed": 6, "failed": 1}


def test_jobs_that_end_before_the_seal_count(worker: Worker, work: Callable[[], None]) -> None:
    batch = Batch("early", on_complete=done)
    batch.add(row, 1)
    work()
    assert batch.status().finished_at is None
    batch.add(row, 2)
    batch.seal()
    batch.seal()
    idle(worker, work)
    assert batch.status().states == {"completed": 2}
    assert batch.status().finished_at is not None


def test_a_cancelled_job_ends_a_batch_too(worker: Worker, work: Callable[[], None]) -> None:
    with Batch("cancelled") as batch:
        handle = batch.add(row, 1)
    assert handle.cancel()
    assert batch.status().states == {"cancelled": 1}
    assert batch.status().finished_at is not None


def test_an_empty_batch_has_ended(worker: Worker, work: Callable[[], None]) -> None:
    with Batch("empty", on_complete=done) as batch:
        pass
    idle(worker, work)
    assert batch.status().total == 0
    assert worker.database.jobs.count_by_state() == {"completed": 1}


def test_a_block_that_raises_leaves_the_batch_open(worker: Worker) -> None:
    with pytest.raises(ZeroDivisionError), Batch("broken", on_complete=done) as batch:
        batch.add(row, 1)
        _ = 1 / 0
    assert batch.status().sealed is False


def test_what_cannot_be_counted_is_refused(worker: Worker) -> None:
    once = job("test_batch_once", unique_for_s=60.0)(lambda: None)
    with Batch("odd") as batch:
        for wrong in (once, print):
            with pytest.raises(InvalidInput, match="job"):
                batch.add(wrong)
    with pytest.raises(InvalidInput, match="batch_id"):
        Batch.find("nobody")
