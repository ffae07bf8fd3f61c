"""Callbacks: queued with the job's end, signed, sent until the receiver has them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from database import Database
from errors import InvalidInput
from pipeline.public_http import PublicHttp
from pipeline.storage import ObjectStorage
from runtime.callbacks import Callbacks
from runtime.submit import Jobs
from store.engine import writing
from store.models import DELIVERIES
from store.records import NewJob, utc_now
from tests.stubs.receiver import SECRET, Receiver
from tests.stubs.server import Fault


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as stub:
        yield stub


class Bench:
    def __init__(self, database: Database, receiver: Receiver, folder: Path) -> None:
        self.database = database
        self.receiver = receiver
        self.callbacks = Callbacks(
            database,
            ObjectStorage(folder.as_uri()),
            PublicHttp([receiver.url.removeprefix("http://")]),
            SECRET,
            5.0,
        )

    def complete(self, job_id: str, url: str | None = None) -> None:
        payload = f'{{"id": "{job_id}", "callback_url": "{url or self.receiver.url + "/hook"}"}}'
        jobs = self.database.jobs
        assert jobs.accept(NewJob(job_id, payload))
        assert jobs.change.claim(job_id, fence=5, worker_id="w", instance="i")
        assert jobs.change.complete(job_id, fence=5, result={"artifacts": {}, "stages": {}})

    def make_due(self) -> None:
        with writing(self.database.engine) as connection:
            connection.execute(update(DELIVERIES).values(due_at=utc_now() - timedelta(seconds=1)))

    def states(self, job_id: str = "a") -> list[tuple[str, int]]:
        return [(d.state, d.attempts) for d in self.database.deliveries.of_job(job_id)]


@pytest.fixture
def bench(any_database: Database, receiver: Receiver, tmp_path: Path) -> Bench:
    return Bench(any_database, receiver, tmp_path)


def test_a_completed_job_is_told_once_and_signed(bench: Bench) -> None:
    bench.complete("a")
    assert bench.callbacks.round() == 1
    assert bench.callbacks.round() == 0
    [message] = bench.receiver.messages
    assert message["type"] == "job.completed"
    assert message["data"]["job_id"] == "a"
    assert message["data"]["result"] == {"artifacts": {}, "stages": {}}
    assert bench.states() == [("delivered", 1)]


def test_failed_and_cancelled_jobs_are_told_too_and_a_replay_is_told_again(bench: Bench) -> None:
    jobs = bench.database.jobs
    payload = f'{{"callback_url": "{bench.receiver.url}/hook"}}'
    for job_id in ("failed", "cancelled"):
        jobs.accept(NewJob(job_id, payload))
    jobs.change.claim("failed", fence=1, worker_id="w", instance="i")
    jobs.change.fail("failed", fence=1, error="voice_gen: no")
    jobs.change.cancel_waiting("cancelled")
    bench.callbacks.round()
    told = {m["data"]["job_id"]: (m["type"], m["data"]["error"]) for m in bench.receiver.messages}
    assert told == {
        "failed": ("job.failed", "voice_gen: no"),
        "cancelled": ("job.cancelled", "cancelled"),
    }
    row = jobs.change.replay("cancelled", from_stage=None)
    assert row is not None
    jobs.change.cancel_waiting("cancelled")
    bench.callbacks.round()
    assert sorted(bench.receiver.ids) == [
        "cancelled.0.cancelled",
        "cancelled.1.cancelled",
        "failed.0.failed",
    ]


def test_a_receiver_that_fails_is_asked_again_later_and_later(bench: Bench) -> None:
    bench.complete("a")
    waits = []
    for fault in (Fault("status", 500), Fault("cut_before"), Fault("status", 302)):
        bench.receiver.plan("create", fault)
        assert bench.callbacks.round() == 1
        [delivery] = bench.database.deliveries.of_job("a")
        waits.append((delivery.due_at - utc_now()).total_seconds())
        assert bench.callbacks.round() == 0
        bench.make_due()
    assert bench.callbacks.round() == 1
    assert bench.states() == [("delivered", 4)]
    for wait, expected in zip(waits, (5, 20, 80), strict=True):
        assert expected * 0.85 < wait < expected * 1.15


def test_a_worker_that_dies_before_noting_the_answer_leads_to_the_same_id_again(
    bench: Bench,
) -> None:
    bench.complete("a")
    [lost] = bench.database.deliveries.take_due(turn_s=60, limit=10)
    bench.callbacks._sent(lost)  # sent, and then the process is gone
    assert bench.callbacks.round() == 0  # its turn has not lapsed
    bench.make_due()
    assert bench.callbacks.round() == 1
    assert bench.receiver.ids == ["a.0.completed", "a.0.completed"]
    # The one that was away comes back and notes a failure: too late to matter.
    bench.database.deliveries.retry(lost, "late", delay_s=0)
    assert bench.states() == [("delivered", 2)]


@pytest.mark.parametrize(
    ("url", "faults"),
    [("https://127.0.0.1/hook", []), ("file:///etc/passwd", []), ("", [Fault("status", 410)])],
)
def test_an_address_inside_or_a_receiver_that_is_gone_is_given_up(
    bench: Bench, url: str, faults: list[Fault]
) -> None:
    bench.receiver.plan("create", *faults)
    bench.complete("a", url)
    bench.callbacks.round()
    assert bench.states() == [("given_up", 1)]
    assert bench.database.deliveries.again("a") == 1
    assert bench.states() == [("waiting", 0)]


def test_twelve_tries_are_made(bench: Bench) -> None:
    bench.receiver.plan("create", *[Fault("status", 500)] * 20)
    bench.complete("a")
    for _ in range(15):
        bench.callbacks.round()
        bench.make_due()
    assert bench.states() == [("given_up", 12)]


def test_two_workers_do_not_send_the_same_callback(bench: Bench) -> None:
    bench.complete("a")
    store = bench.database.deliveries
    assert [len(store.take_due(turn_s=60, limit=5)) for _ in range(2)] == [1, 0]


def test_a_callback_that_could_never_be_signed_or_sent_is_refused_at_submit(
    database: Database, client: Any
) -> None:
    job = {"id": "a", "product_name": "Mug", "callback_url": "https://example.com/hook"}
    with pytest.raises(InvalidInput, match="WEBHOOK_SECRET"):
        Jobs(database, client, final_ttl_s=60).submit(job)
    jobs = Jobs(database, client, final_ttl_s=60, callbacks=True)
    for url in ("http://example.com/hook", "https://10.0.0.1/hook"):
        with pytest.raises(InvalidInput, match="callback_url"):
            jobs.submit({**job, "callback_url": url})
    with pytest.raises(InvalidInput, match=r"images\.0"):
        jobs.submit({**job, "images": ["http://example.com/mug.png"]})
    assert jobs.submit(job).created
