"""Event streams: replayed, then live; across reconnects nothing is missing and nothing doubled."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import uvicorn

from api.app import create_app
from api.shop import Shop, open_shop
from config import Settings
from redis_queue import epoch, waiting
from redis_queue.claim import Claim, Claims, Holder
from redis_queue.messages import progress_message
from redis_queue.waiting import Waiting
from store.records import NewJob
from tests.api.conftest import ACME, OPERATE, OTHER, bearer
from tests.processes.conftest import wait_until


class Served:
    """The API on a port of its own, as browsers meet it."""

    def __init__(self, settings: Settings) -> None:
        self.shop: Shop = open_shop(settings)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        config = uvicorn.Config(
            create_app(settings, self.shop), log_level="error", timeout_graceful_shutdown=1
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],))

    def __enter__(self) -> Served:
        self._thread.start()
        wait_until(lambda: self._server.started)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join()

    def held(self, job_id: str, tenant: str = "default") -> Holder:
        """A job that is held, so that progress of it can be told."""
        self.shop.database.jobs.accept(NewJob(job_id, "{}", tenant=tenant))
        waiting.enqueue(self.shop.client, Waiting(job_id, "{}", tenant=tenant), recorded=True)
        known = epoch.look(self.shop.client)
        claims = Claims(self.shop.client, worker="w", instance="i", queues=["video"], lease_s=60)
        found = claims.next(known)
        assert isinstance(found, Claim)
        return Holder(self.shop.client, found, lease_s=60, final_ttl_s=60)


def tell(holder: Holder, percent: int) -> None:
    message = progress_message(holder.claim.job_id, "script_gen", percent, "w")
    assert holder.progress("script_gen", percent, message)


def end(holder: Holder) -> None:
    message = progress_message(holder.claim.job_id, None, 100, "w", status="completed")
    holder.settle("completed", error="", percent=100, message=message, then=None, epoch="")


@pytest.fixture
def served(api_settings: Settings, client: Any) -> Iterator[Served]:
    with Served(api_settings) as opened:
        yield opened


class Stream:
    """A reader of an event stream that can be cut off and goes on where it was."""

    def __init__(self, served: Served, path: str, token: str = OPERATE) -> None:
        self.url, self.token = served.url + path, token
        self.events: list[dict[str, str]] = []
        self.last_id: str | None = None

    def read(self, count: int) -> list[dict[str, str]]:
        """Connect, read so many further events, and hang up."""
        headers = bearer(self.token) | ({"Last-Event-ID": self.last_id} if self.last_id else {})
        got: list[dict[str, str]] = []
        event: dict[str, str] = {}
        with httpx.stream("GET", self.url, headers=headers, timeout=10) as answer:
            assert answer.status_code == 200
            for line in answer.iter_lines():
                name, _, value = line.partition(": ")
                if line and not line.startswith(":"):
                    event[name] = value
                elif event:
                    self.last_id = event.get("id", self.last_id)
                    got.append(event)
                    event = {}
                if len(got) == count:
                    break
        self.events += got
        return got


def percents(events: list[dict[str, str]]) -> list[int]:
    return [json.loads(event["data"])["progress"] for event in events if event["event"] != "end"]


def test_a_jobs_stream_begins_at_its_beginning_and_goes_on_live(served: Served) -> None:
    holder = served.held("a")
    for percent in (1, 2, 3):
        tell(holder, percent)
    stream = Stream(served, "/jobs/a/events")
    assert percents(stream.read(3)) == [1, 2, 3]
    reader = threading.Thread(target=stream.read, args=(3,))
    reader.start()
    for percent in (4, 5, 6):
        tell(holder, percent)
    reader.join(timeout=10)
    assert percents(stream.events) == [1, 2, 3, 4, 5, 6]


def test_a_jobs_stream_says_when_it_is_over(served: Served) -> None:
    holder = served.held("a")
    tell(holder, 50)
    end(holder)
    events = Stream(served, "/jobs/a/events").read(3)
    assert percents(events) == [50, 100]
    assert events[-1] == {"event": "end", "data": "completed"}
    served.shop.database.jobs.change.claim("a", fence=1, worker_id="w", instance="i")
    served.shop.database.jobs.change.complete("a", fence=1, result={})
    again = Stream(served, "/jobs/a/events").read(3)
    assert [event["event"] for event in again] == ["progress", "progress", "end"]


@pytest.mark.parametrize("path", ["/events", "/jobs/a/events"])
def test_across_reconnects_nothing_is_missing_and_nothing_doubled(
    served: Served, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ring is made short, so that some reconnects are served by Redis, some by the ring."""
    monkeypatch.setattr("api.hub._RING", 10)
    holder = served.held("a")
    total = 150  # within what a job's own log keeps
    stream = Stream(served, path)
    tell(holder, 0)
    if path == "/events":  # its first connection starts at the present end
        stream.last_id = "0-1"

    def write() -> None:
        for number in range(1, total):
            tell(holder, number % 100)

    writer = threading.Thread(target=write)
    writer.start()
    while len(stream.events) < total:
        stream.read(min(37, total - len(stream.events)))
    writer.join()
    assert percents(stream.events) == [n % 100 for n in range(total)]
    assert len({event["id"] for event in stream.events}) == total


def test_all_jobs_stream_shows_a_tenant_its_own_only(served: Served) -> None:
    acme, other = served.held("a", "acme"), served.held("b", "other")
    stream, theirs = Stream(served, "/events", ACME), Stream(served, "/events", OTHER)
    stream.last_id = theirs.last_id = "0-1"
    for percent in range(5):
        tell(acme, percent)
        tell(other, percent + 50)
    assert percents(stream.read(5)) == [0, 1, 2, 3, 4]
    assert percents(theirs.read(5)) == [50, 51, 52, 53, 54]


def test_many_readers_are_served_by_one_connection_to_redis(served: Served) -> None:
    holder = served.held("a")
    streams = [Stream(served, "/jobs/a/events") for _ in range(30)]
    readers = [threading.Thread(target=stream.read, args=(20,)) for stream in streams]
    for reader in readers:
        reader.start()
    for percent in range(20):
        tell(holder, percent)
    for reader in readers:
        reader.join(timeout=20)
    assert all(percents(stream.events) == list(range(20)) for stream in streams)

    def connections() -> int:
        names = [entry["name"] for entry in served.shop.client.client_list()]
        return names.count("api-events")

    # Those of servers that have just been stopped end with their last read.
    wait_until(lambda: connections() <= 1, what="one connection")
    assert connections() == 1


def test_the_stream_of_a_replayed_job_goes_on_after_its_earlier_end(served: Served) -> None:
    holder = served.held("a")
    record = served.shop.database.jobs.change
    record.claim("a", fence=1, worker_id="w", instance="i")
    tell(holder, 50)
    record.fail("a", fence=1, error="broken")
    message = progress_message("a", None, 50, "w", status="failed")
    holder.settle("failed", error="", percent=50, message=message, then=None, epoch="")
    served.shop.jobs.replay("a")
    events = Stream(served, "/jobs/a/events").read(2)
    assert percents(events) == [50, 50]
    assert served.shop.jobs.cancel("a") == "pending"
    assert Stream(served, "/jobs/a/events").read(4)[-1]["data"] == "cancelled"
