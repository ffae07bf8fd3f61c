"""Many workers and one provider: its limit is kept by all together."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.processes.conftest import Stack, wait_until
from tests.stubs.elevenlabs import ElevenLabsStub
from tests.stubs.media import make_mp3

WORKERS, JOBS, PLACES = 20, 40, 5


@pytest.fixture
def elevenlabs(tmp_path: Path) -> Iterator[ElevenLabsStub]:
    folder = tmp_path / "media"
    folder.mkdir()
    with ElevenLabsStub(make_mp3(folder, 1.0)) as stub:
        yield stub


@pytest.mark.slow
def test_twenty_workers_never_pass_a_providers_limit(
    stack: Stack, elevenlabs: ElevenLabsStub
) -> None:
    """The vendor answers the sixth request at once with a 429: none is ever sent."""
    elevenlabs.concurrency_limit, elevenlabs.latency_s = PLACES, 0.3
    settings = {
        **elevenlabs.settings,
        # Its words hold the product's name, so each job asks for a sound of its own.
        "SCRIPT_PROVIDER": "template",
        "PROVIDER_CONCURRENCY": f"elevenlabs={PLACES}",
        # Twenty processes that start on a small machine are slow to renew.
        "WORKER_LEASE_S": "15",
    }
    workers = [stack.start(f"worker-{number}", **settings) for number in range(WORKERS)]
    for worker in workers:
        wait_until(partial(stack.events, worker, "worker_started"), within_s=60)
    jobs = [stack.submit(f"job-{number}") for number in range(JOBS)]
    for job in jobs:
        stack.wait_state(job, "completed", within_s=90)
    assert elevenlabs.most_in_flight == PLACES
    assert elevenlabs.busy_at == []
    assert elevenlabs.created == JOBS
    assert sum(bool(stack.events(worker, "job_completed")) for worker in workers) > PLACES
