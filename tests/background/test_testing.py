"""The helpers that users test their own jobs with."""

from __future__ import annotations

import pytest

from background import BackgroundJob, Batch, JobFailedError, job, testing
from errors import InvalidInput


class Welcome(BackgroundJob):
    @classmethod
    def perform(cls, address: str, *, formal: bool = False) -> str:
        if "@" not in address:
            raise ValueError("no address")
        return f"{'Dear' if formal else 'Hi'} {address}"


@job("test_follow_up")
async def follow_up(address: str) -> str:
    Welcome.perform_async(address, formal=True)
    return address


@job("test_report")
def report(batch_id: str) -> dict[str, int]:
    return Batch.find(batch_id).status().states


def test_inline_runs_each_job_at_once() -> None:
    with testing.inline():
        assert Welcome.perform_async("a@b").result == "Hi a@b"
        assert follow_up.perform_async("a@b").get() == "a@b"
        failed = Welcome.perform_async("nobody")
        assert failed.status == "failed"
        with pytest.raises(JobFailedError, match="no address"):
            failed.get()


def test_a_fake_queue_collects_and_drains() -> None:
    with testing.fake() as queue:
        handle = follow_up.perform_in(60, "a@b")
        assert handle.status == "scheduled"
        assert queue.assert_enqueued(follow_up, "a@b").run_at is not None
        queue.assert_not_enqueued(Welcome)
        with pytest.raises(AssertionError, match="no test_follow_up with"):
            queue.assert_enqueued(follow_up, "other")
        assert queue.drain() == 2
        queue.assert_enqueued(Welcome, "a@b", formal=True)
        with pytest.raises(AssertionError, match="welcome was enqueued"):
            queue.assert_not_enqueued(Welcome)
        assert handle.result == "a@b"


def test_a_fake_queue_checks_arguments_too() -> None:
    with testing.fake() as queue:
        with pytest.raises(InvalidInput, match="arguments"):
            Welcome.perform_async()
        assert queue.jobs == []


def test_a_fake_queue_knows_uniqueness_cancelling_and_batches() -> None:
    once = job("test_once", unique_for_s=60.0)(lambda number: number)
    with testing.fake() as queue:
        assert once.perform_async(1) == once.perform_async(1) != once.perform_async(2)
        called_off = Welcome.perform_async("a@b")
        assert called_off.cancel() and not called_off.cancel()
        with Batch("two", on_complete=report) as batch:
            batch.add(Welcome, "a@b")
            batch.add(Welcome, "nobody")
        queue.drain()
        assert queue.of(report)[0].args == (batch.id,)
        (callback,) = queue.of(report)
        record = queue.find(callback.id)
        assert record is not None and record.result == {"value": {"completed": 1, "failed": 1}}
