"""Event streams: replayed, then live; across reconnects nothing is missing and nothing doubled."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from api.hub import Hub
from errors import QueueUnavailable
from redis_queue import waiting
from redis_queue.messages import progress_message
from store.records import NewJob
from tests.api.conftest import ACME, OPERATE, OTHER, bearer
from tests.api.served import Served, end, tell
from tests.processes.conftest import wait_until


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
        with httpx.stream("GET", self.url, headers=headers, timeout=60) as answer:
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
    reader.join(timeout=60)
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
        reader.join(timeout=60)
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


@pytest.mark.parametrize("path", ["/events", "/jobs/a/events"])
def test_an_open_stream_goes_on_when_redis_answers_again(
    served: Served, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    holder = served.held("a")
    tell(holder, 1)
    end(holder)
    kept, status, away = Hub.after, waiting.status, ["log", "status"]

    def no_longer(hub: Hub, last: Any) -> Any:
        return None if "log" in away else kept(hub, last)

    def refuse(*_args: Any, **_more: Any) -> Any:
        away.remove("log")
        raise QueueUnavailable("Redis: TimeoutError")

    def at_times(*args: Any) -> Any:
        if "status" in away:
            away.remove("status")
            raise QueueUnavailable("Redis: TimeoutError")
        return status(*args)

    monkeypatch.setattr(Hub, "after", no_longer)
    monkeypatch.setattr("api.routes_events._from_log", refuse)
    monkeypatch.setattr(waiting, "status", at_times)
    stream = Stream(served, path)
    stream.last_id = "0-1"
    told = stream.read(2 if path == "/events" else 3)
    assert percents(told[:1]) == [1]
    assert away == (["status"] if path == "/events" else [])


def test_redis_away_before_a_stream_begins_is_a_503(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = served.shop.database.jobs
    jobs.accept(NewJob("over", "{}"))
    assert jobs.change.cancel_waiting("over")
    assert Stream(served, "/jobs/over/events").read(1)[0]["event"] == "end"

    def away(*_args: Any, **_more: Any) -> Any:
        raise QueueUnavailable("Redis: TimeoutError")

    monkeypatch.setattr(waiting, "events", away)
    answer = httpx.get(f"{served.url}/jobs/over/events", headers=bearer(OPERATE), timeout=60)
    assert answer.status_code == 503


def test_as_many_requests_as_are_served_at_once_find_a_connection(served: Served) -> None:
    with ThreadPoolExecutor(48) as threads:
        asked = [
            threads.submit(httpx.get, f"{served.url}/queues", headers=bearer(OPERATE), timeout=60)
            for _ in range(200)
        ]
        assert {answer.result().status_code for answer in asked} == {200}
