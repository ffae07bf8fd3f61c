"""How soon work begins, and ends: on an idle worker, after a kill, after Redis's return, in a long
queue; at a cancellation and at SIGTERM.

    .venv/bin/python -m benchmarks.pickup [--jobs 300] [--database URL] [--only idle,claim]

* idle: from the return of `submit` to `started_at` of the row, both by this host's clock (0 where
  the worker was sooner than the return), and from its call; the worker waits in BLPOP before each;
* takeover: from SIGKILL of a worker with default settings to `job_processing_started` on another;
* return: from Redis's first answer after two seconds away to the next claim, under load;
* claim: round trip of one claim with 100 and with 100,000 jobs waiting;
* stop: in a stage of a minute, from the cancellation to `cancelled` in the row, and from SIGTERM to
  the end of the process, its job `pending` again.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import structlog
from rich.console import Console
from rich.table import Table

from benchmarks.fleet import Fleet, Member, checked_url, wait_for
from database import Database
from redis_queue import epoch
from redis_queue.claim import Claim, Claims
from redis_queue.connection import Client, connect
from redis_queue.waiting import Waiting, enqueue
from runtime.embedded import EmbeddedRedis
from runtime.submit import Jobs

_QUIET_S = 0.03
_SHORT, _LONG = 100, 100_000

Row = tuple[str, str, str]


def idle(jobs: int, database_url: str, folder: Path) -> list[Row]:
    """Pick-up by a worker that has nothing else to do."""
    with _stack(database_url, folder) as (fleet, database, producer):
        wait_for(fleet.start("idle"))
        waits_ms = []
        for number in range(jobs + 5):
            name = f"idle-{number}"
            time.sleep(_QUIET_S)
            called = time.time()
            producer.submit({"id": name, "product_name": name})
            returned = time.time()
            _until(lambda name=name: _state(database, name) == "completed")  # type: ignore[misc]
            row = database.jobs.get(name)
            assert row is not None and row.started_at is not None
            started = row.started_at.timestamp()
            waits_ms.append((max(0.0, started - returned) * 1000, (started - called) * 1000))
    warm = waits_ms[5:]  # the first ones import the pipeline
    kind = "PostgreSQL" if database_url.startswith("postgres") else "SQLite"
    rows = []
    for since, part, targets in (("return", 0, ("3 ms", "15 ms")), ("call", 1, ("", ""))):
        waits = sorted(pair[part] for pair in warm)
        median, p99 = statistics.median(waits), waits[int(len(waits) * 0.99)]
        name = f"{kind}, {since} of submit to start"
        rows.append((f"{name}, median", f"{median:.1f} ms", targets[0]))
        rows.append((f"{name}, p99", f"{p99:.1f} ms", targets[1]))
    return rows


def takeover(database_url: str, folder: Path) -> list[Row]:
    """A killed worker's job on another, with default settings."""
    waits_s = []
    with _stack(database_url, folder) as (fleet, _database, producer):
        for number in range(3):
            victim = fleet.start(f"victim-{number}", NULL_STAGE_SECONDS=120)
            wait_for(victim)
            producer.submit({"id": f"t-{number}", "product_name": f"t-{number}"})
            _until(lambda: b"stage_started" in victim.log.read_bytes())  # noqa: B023
            other = fleet.start(f"other-{number}")
            wait_for(other)
            killed_at = victim.kill()
            _until(lambda: _begun(fleet, other), within_s=60)  # noqa: B023
            waits_s.append(min(_begun(fleet, other)) - killed_at)
            other.kill()
    return [("takeover after SIGKILL, longest of 3", f"{max(waits_s):.1f} s", "20 s")]


def redis_return(database_url: str, folder: Path) -> list[Row]:
    """The next claim after Redis was away for two seconds, with work waiting in it."""
    waits_s = []
    server = EmbeddedRedis(folder / "valkey", fsync="always")
    server.__enter__()
    with Fleet(server.url, database_url, folder) as fleet:
        database = Database(database_url)
        database.init()
        producer = Jobs(database, connect(server.url), final_ttl_s=3600)
        worker = fleet.start("worker", NULL_STAGE_SECONDS=0.05)
        wait_for(worker)
        for number in range(3):
            for job in range(40):
                name = f"r-{number}-{job}"
                producer.submit({"id": name, "product_name": name})
            _until(lambda: _begun(fleet, worker))
            server.__exit__(None, None, None)
            time.sleep(2)
            server.__enter__()
            back = time.time()
            _until(lambda: any(at > back for at in _begun(fleet, worker)))  # noqa: B023
            waits_s.append(min(at for at in _begun(fleet, worker) if at > back) - back)
        database.close()
    server.__exit__(None, None, None)
    return [("Redis's return to the next claim, longest of 3", f"{max(waits_s):.2f} s", "1 s")]


def claim(folder: Path) -> list[Row]:
    """One claim in a short and in a long queue, in turns: what disturbs one disturbs both."""
    took: dict[int, list[float]] = {_SHORT: [], _LONG: []}
    with EmbeddedRedis(folder / "short") as short, EmbeddedRedis(folder / "long") as long:
        sides = [_Side(_SHORT, connect(short.url)), _Side(_LONG, connect(long.url))]
        for side in sides:
            side.fill()
        for _ in range(1000):
            for side in sides:
                took[side.depth].append(side.claim_us())
    typical = {depth: statistics.median(times) for depth, times in took.items()}
    return [
        (f"claim, {_SHORT} waiting, median", f"{typical[_SHORT]:.0f} us", ""),
        (f"claim, {_LONG:,} waiting, median", f"{typical[_LONG]:.0f} us", ""),
        ("claim, long to short", f"{typical[_LONG] / typical[_SHORT]:.2f}", "1.20"),
    ]


def stop(database_url: str, folder: Path) -> list[Row]:
    """A long stage, cancelled; and one whose worker is asked to stop."""
    cancelled_s, stopped_s = [], []
    with _stack(database_url, folder) as (fleet, database, producer):
        for number in range(3):
            worker = fleet.start(f"worker-{number}", NULL_STAGE_SECONDS=60)
            wait_for(worker)
            off, back = f"off-{number}", f"back-{number}"
            producer.submit({"id": off, "product_name": off})
            _until(lambda: len(_stages(fleet, worker)) == 1)  # noqa: B023
            began = time.monotonic()
            producer.cancel(off)
            _until(lambda: _state(database, off) == "cancelled")  # noqa: B023
            cancelled_s.append(time.monotonic() - began)
            producer.submit({"id": back, "product_name": back})
            _until(lambda: len(_stages(fleet, worker)) == 2)  # noqa: B023
            began = time.monotonic()
            worker.process.terminate()
            worker.process.wait(timeout=60)
            stopped_s.append(time.monotonic() - began)
            assert _state(database, back) == "pending"
            producer.cancel(back)
    return [
        ("cancellation to `cancelled`, longest of 3", f"{max(cancelled_s):.2f} s", "1 s"),
        ("SIGTERM to the end, job handed back, longest of 3", f"{max(stopped_s):.2f} s", "2 s"),
    ]


class _Side:
    """A queue that stays as long as it is: each claim is followed by a new job."""

    def __init__(self, depth: int, client: Client) -> None:
        self.depth = depth
        self._client = client
        self._epoch = epoch.look(client)
        self._claims = Claims(client, worker="w", instance="w", queues=("video",), lease_s=600)
        self._added = 0

    def fill(self) -> None:
        for _ in range(self.depth):
            self._add()

    def claim_us(self) -> float:
        began = time.perf_counter()
        found = self._claims.next(self._epoch)
        took_us = (time.perf_counter() - began) * 1e6
        assert isinstance(found, Claim)
        self._add()
        return took_us

    def _add(self) -> None:
        enqueue(self._client, Waiting(f"job-{self._added:06d}", "{}"), recorded=True)
        self._added += 1


@contextmanager
def _stack(database_url: str, folder: Path) -> Iterator[tuple[Fleet, Database, Jobs]]:
    """A Redis of its own, workers to be started on it, the record, and who submits."""
    with (
        EmbeddedRedis(folder / "valkey") as redis,
        Fleet(redis.url, database_url, folder) as fleet,
        closing(Database(database_url)) as database,
    ):
        database.init()
        yield fleet, database, Jobs(database, connect(redis.url), final_ttl_s=3600)


def _state(database: Database, job_id: str) -> str:
    row = database.jobs.get(job_id)
    return row.state if row else ""


def _begun(fleet: Fleet, worker: Member) -> list[float]:
    return _told(fleet, worker, "job_processing_started")


def _stages(fleet: Fleet, worker: Member) -> list[float]:
    return _told(fleet, worker, "stage_started")


def _told(fleet: Fleet, worker: Member, event: str) -> list[float]:
    return [
        datetime.fromisoformat(line["timestamp"]).timestamp()
        for member, line in fleet.lines()
        if member is worker and line["event"] == event
    ]


def _until(condition: Callable[[], object], *, within_s: float = 30.0) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("the worker does not do what is measured")
        time.sleep(0.005)


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print; the targets are for a machine that does nothing else."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--jobs", type=int, default=300, help="for the idle pick-up")
    parser.add_argument("--database", default="", help="a PostgreSQL URL, measured besides SQLite")
    parser.add_argument(
        "--only", default="idle,takeover,return,claim,stop", help="which, by commas"
    )
    wanted = parser.parse_args(argv)
    only = wanted.only.split(",")
    structlog.configure(processors=[_drop])
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="pickup-") as name:

        def fresh(part: str) -> tuple[str, Path]:
            folder = Path(name) / part
            folder.mkdir()
            return f"sqlite:///{folder / 'pickup.db'}", folder

        if "idle" in only:
            rows += idle(wanted.jobs, *fresh("idle"))
            if wanted.database:
                rows += idle(wanted.jobs, checked_url(wanted.database), fresh("idle-other")[1])
        if "takeover" in only:
            rows += takeover(*fresh("takeover"))
        if "return" in only:
            rows += redis_return(*fresh("return"))
        if "claim" in only:
            rows += claim(fresh("claim")[1])
        if "stop" in only:
            rows += stop(*fresh("stop"))
    table = Table("", "measured", "target")
    for row in rows:
        table.add_row(*row)
    Console().print(table)
    return 0


def _drop(_logger: object, _method: str, _event: object) -> dict[str, Any]:
    raise structlog.DropEvent


if __name__ == "__main__":
    sys.exit(main())
