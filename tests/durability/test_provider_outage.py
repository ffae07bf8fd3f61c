"""A provider is down for a while: once that is noticed, no job pays for it with an attempt.

`TEST_OUTAGE_S` is how long; from a minute on, the breaker rests as long as it does by default.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.processes.conftest import Stack, wait_until
from tests.stubs.chat import AnthropicStub
from tests.stubs.elevenlabs import ElevenLabsStub
from tests.stubs.media import make_mp3
from tests.stubs.server import Stub

OUTAGE_S = float(os.environ.get("TEST_OUTAGE_S", "12"))
RESET_S = 30.0 if OUTAGE_S >= 60 else 3.0
#: Fewer than a job has attempts: one job alone opens the breaker before it fails.
FAILURES = 3
WORKERS, JOBS = 2, 6
#: A request under way when the breaker opens ends within this.
UNDER_WAY_S = 1.0


@pytest.fixture
def vendors(tmp_path: Path) -> Iterator[dict[str, Stub]]:
    """By the priority of the jobs that need it: one that cannot be asked, and one that can."""
    media = tmp_path / "media"
    media.mkdir()
    with ExitStack() as opened:
        yield {
            "high": opened.enter_context(AnthropicStub()),
            "normal": opened.enter_context(ElevenLabsStub(make_mp3(media, 1.0))),
        }


@pytest.mark.slow
def test_an_outage_costs_no_attempt_once_it_is_noticed(
    stack: Stack, vendors: dict[str, Stub]
) -> None:
    queues = {"high": "video-high", "normal": "video"}
    workers: dict[str, list[Any]] = {priority: [] for priority in vendors}
    for priority, stub in vendors.items():
        stub.down_with = 503
        settings = {
            "SCRIPT_PROVIDER": "template",
            **stub.settings,
            "WORKER_QUEUES": queues[priority],
            "BREAKER_FAILURES": FAILURES,
            "BREAKER_RESET_S": RESET_S,
            "WORKER_LEASE_S": 15,
            "WORKER_RETRY_BASE_S": 0.5,
        }
        for number in range(WORKERS):
            workers[priority].append(stack.started(f"{priority}-{number}", **settings))
    began = time.monotonic()
    jobs = {
        priority: [stack.submit(f"{priority}-{n}", priority=priority) for n in range(JOBS)]
        for priority in vendors
    }
    every = [job for names in jobs.values() for job in names]
    wait_until(
        lambda: {stack.state(job) for job in every} == {"scheduled"},
        within_s=OUTAGE_S,
        what="all jobs parked",
    )
    wait_until(lambda: time.monotonic() - began > OUTAGE_S, within_s=OUTAGE_S + 1)
    requests = {priority: len(stub.requests) for priority, stub in vendors.items()}
    for stub in vendors.values():
        stub.down_with = 0
    wait_until(
        lambda: {stack.state(job) for job in every} <= {"completed", "failed"},
        within_s=2 * RESET_S + 60,
        what="all jobs ended",
    )
    print(f"\n{OUTAGE_S:.0f} s down, all done {time.monotonic() - began - OUTAGE_S:.1f} s later")
    for priority, stub in vendors.items():
        assert {stack.state(job) for job in jobs[priority]} == {"completed"}, priority
        events = [event for worker in workers[priority] for event in stack.events(worker)]
        parked = [_at(event) for event in events if event["event"] == "job_parked"]
        tries = [
            event
            for event in events
            if event["event"] == "stage_failed" and event["kind"] != "NotNow"
        ]
        late = [event for event in tries if _at(event) > min(parked) + UNDER_WAY_S]
        print(
            f"{type(stub).__name__}: {requests[priority]} requests while down, "
            f"{len(tries)} attempts used by {JOBS} jobs, {len(late)} once the breaker was open; "
            f"parked {len(parked)} times"
        )
        assert late == []
        assert stub.created == JOBS


def _at(event: dict[str, Any]) -> float:
    return datetime.fromisoformat(event["timestamp"]).timestamp()
