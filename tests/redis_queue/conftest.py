"""The queue's contract runs on a real Valkey and on fakeredis, and on TEST_REDIS_URL if set."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import fakeredis
import pytest

from redis_queue import epoch
from redis_queue.claim import Claim, Claims
from redis_queue.connection import connect
from redis_queue.hold import Holder
from redis_queue.waiting import Waiting, enqueue

_KINDS = ["valkey", "fakeredis"] + (["extern"] if os.environ.get("TEST_REDIS_URL") else [])


@pytest.fixture(params=_KINDS)
def server(request: pytest.FixtureRequest) -> Iterator[Any]:
    """A client of each kind of server, without this project's keys."""
    if request.param == "fakeredis":
        yield fakeredis.FakeRedis(version=(7, 2))
        return
    if request.param == "extern":
        opened = connect(os.environ["TEST_REDIS_URL"])
    else:
        opened = connect(request.getfixturevalue("redis_url"))
    _clear(opened)
    yield opened
    _clear(opened)
    opened.close()


def _clear(client: Any) -> None:
    """Remove the project's keys only: the server may be somebody's."""
    for pattern in ("{video_generation_queue}:*", "video_generation_queue"):
        for key in client.scan_iter(pattern, count=1000):
            client.delete(key)


class Bench:
    """One worker's claims on a server, and shorthand for what tests do most."""

    def __init__(self, client: Any, *, lease_s: float = 15.0, name: str = "w1") -> None:
        self.client = client
        self.epoch = epoch.look(client)
        self.name = name
        self.lease_s = lease_s
        self.claims = Claims(
            client,
            worker=name,
            instance=f"{name}-instance",
            queues=("video-high", "video", "video-low"),
            lease_s=lease_s,
        )

    def add(self, *job_ids: str, queue: str = "video") -> None:
        for job_id in job_ids:
            assert enqueue(self.client, Waiting(job_id, "{}", queue=queue), recorded=True)

    def claim(self) -> Claim | None:
        found = self.claims.next(self.epoch)
        assert found is None or isinstance(found, Claim)
        return found

    def hold(self, claim: Claim | None) -> Holder:
        assert claim is not None
        return Holder(self.client, claim, lease_s=self.lease_s, final_ttl_s=60)


@pytest.fixture
def bench(server: Any) -> Bench:
    """A worker's claims on each kind of server."""
    return Bench(server)
