"""What watching costs the workers: throughput alone, and with readers and requests at the API.

    .venv/bin/python -m benchmarks.readers [--readers 200] [--rate 50] [--database URL]

Two kinds of jobs, each measured alone and watched, in turns: `waiting` jobs, whose stages wait as
on a remote provider, and `busy` jobs, whose stages do nothing, so that workers are never idle.
Every reader follows all jobs' events, is cut off now and then, and goes on where it was; what it
has seen is compared with the log: nothing may be missing, nothing there twice.
"""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import structlog

from benchmarks.fleet import Fleet, checked_url, wait_for
from config import ROOT, child_environment
from database import Database
from redis_queue import waiting
from redis_queue.connection import connect
from runtime.embedded import EmbeddedRedis
from runtime.submit import Jobs

_TOKEN = "bench-token-0123456789"
_PORT = 18_080
_WORKERS = 4
#: A reader is cut off after so many events: some 25 come back every second.
_CUT_AFTER = 250
_STAGE_S = {"waiting": 0.25, "busy": 0.0}
#: More than four workers can do in a second, but not so many that the rest takes long.
_FILLED_PER_S = {"waiting": 5, "busy": 60}


@dataclass
class Reader:
    """Follows `/events` across reconnects.

    By the socket itself: a reader is on a machine of its own in life, so here it should take as
    little of this one as can be.
    """

    last_id: str
    seen: list[str] = field(default_factory=list)

    async def follow(self) -> None:
        """Until cancelled."""
        while True:
            answer, request = await asyncio.open_connection("127.0.0.1", _PORT)
            try:
                request.write(
                    f"GET /events HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {_TOKEN}\r\n"
                    f"last-event-id: {self.last_id}\r\n\r\n".encode()
                )
                status = await answer.readline()
                if b" 200 " not in status:
                    raise RuntimeError(f"/events answered {status!r}")
                await self._read(answer)
            finally:
                request.close()

    async def _read(self, answer: asyncio.StreamReader) -> None:
        """As far as the events after which it is cut off.

        A chunk of the answer holds whole events, so that every id stands at a line's beginning.
        """
        rest, count = b"", 0
        while count < _CUT_AFTER or rest:
            got = await answer.read(65_536)
            if not got:
                return
            *lines, rest = (rest + got).split(b"\n")
            ids = [line[4:].decode() for line in lines if line.startswith(b"id: ")]
            self.seen += ids
            self.last_id = self.seen[-1] if ids else self.last_id
            count += len(ids)


async def watched(readers: list[Reader], rate: float, seconds: float) -> Counter[str]:
    """Read and ask for `seconds`; how the requests that got no 200 were answered, and how often."""
    headers = {"Authorization": f"Bearer {_TOKEN}"}
    refused: Counter[str] = Counter()
    url = f"http://127.0.0.1:{_PORT}"
    async with httpx.AsyncClient(base_url=url, headers=headers) as client:
        following = [asyncio.create_task(reader.follow()) for reader in readers]

        async def ask(path: str) -> None:
            try:
                answer = await client.get(path, timeout=30)
            except httpx.TransportError as error:
                refused[f"{path} {type(error).__name__}"] += 1
                return
            if answer.status_code != 200:
                refused[f"{path} {answer.status_code} {answer.text[:300]}"] += 1

        asking: set[asyncio.Task[None]] = set()
        end, due, turn = time.monotonic() + seconds, time.monotonic(), 0
        paths = ("/jobs?limit=20", "/overview", "/queues", "/workers", "/health")
        while time.monotonic() < end:
            task = asyncio.create_task(ask(paths[turn % len(paths)]))
            asking.add(task)
            task.add_done_callback(asking.discard)
            turn += 1
            due += 1 / rate
            await asyncio.sleep(max(0.0, due - time.monotonic()))
        await asyncio.gather(*asking, return_exceptions=True)
        await asyncio.sleep(1.0)  # what was told last is still on its way
        for task in following:
            task.cancel()
        for ended in await asyncio.gather(*following, return_exceptions=True):
            if not isinstance(ended, asyncio.CancelledError):
                refused[f"/events {ended}"] += 1
    return refused


@contextmanager
def api(redis_url: str, database_url: str, folder: Path) -> Iterator[None]:
    """The API in a process of its own."""
    env = child_environment(
        REDIS_URL=redis_url,
        DATABASE_URL=database_url,
        ARTIFACT_URL=(folder / "artifacts").as_uri(),
        API_PORT=str(_PORT),
        API_TOKENS=f"{_TOKEN}=operate",
        API_SECRET="bench",
        PYTHONPATH=str(ROOT),
    )
    process = subprocess.Popen([sys.executable, "-P", "-m", "api"], env=env)
    try:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                httpx.get(f"http://127.0.0.1:{_PORT}/health/live")
                break
            except httpx.TransportError:
                time.sleep(0.05)
        yield
    finally:
        process.kill()
        process.wait()


class Bench:
    """Jobs enough for a measurement, and how many were done in it."""

    def __init__(self, redis_url: str, database_url: str, kind: str) -> None:
        self.client = connect(redis_url)
        self.database = Database(database_url)
        self.database.init()
        self.jobs = Jobs(self.database, self.client, final_ttl_s=3600)
        self.kind = kind

    def fill(self, count: int) -> None:
        for _ in range(count):
            name = uuid.uuid4().hex
            self.jobs.submit({"id": name, "product_name": name})

    def done(self) -> int:
        return self.database.jobs.count_by_state().get("completed", 0)


def measure(kind: str, readers: int, rate: float, seconds: float, database: str | None) -> None:
    """Alone, watched, alone, watched: the ratio of the means."""
    with tempfile.TemporaryDirectory(prefix="readers-") as name:
        folder = Path(name)
        database_url = checked_url(database or f"sqlite:///{folder / 'bench.db'}")
        with (
            EmbeddedRedis(folder / "valkey") as redis,
            Fleet(redis.url, database_url, folder, NULL_STAGE_SECONDS=_STAGE_S[kind]) as fleet,
            api(redis.url, database_url, folder),
        ):
            bench = Bench(redis.url, database_url, kind)
            members = [fleet.start(f"w-{number}") for number in range(_WORKERS)]
            for member in members:
                wait_for(member)
            rates: dict[bool, list[float]] = {False: [], True: []}
            missing = doubled = 0
            refused: Counter[str] = Counter()
            for is_watched in (False, True, False, True):
                bench.fill(int(seconds * _FILLED_PER_S[kind]))
                start_id = waiting.last_event(bench.client)
                before, began = bench.done(), time.monotonic()
                if is_watched:
                    following = [Reader(start_id) for _ in range(readers)]
                    refused += asyncio.run(watched(following, rate, seconds))
                else:
                    time.sleep(seconds)
                took = time.monotonic() - began
                rates[is_watched].append((bench.done() - before) / took)
                if is_watched:
                    log = [entry for entry, _ in waiting.all_events(bench.client, start_id, 20_000)]
                    for reader in following:
                        doubled += len(reader.seen) - len(set(reader.seen))
                        until = log.index(reader.last_id) + 1 if reader.last_id in log else 0
                        missing += len(set(log[:until]) - set(reader.seen))
                while waiting.counts(bench.client)["waiting"]:
                    time.sleep(0.1)
        alone, seen = (sum(rates[key]) / len(rates[key]) for key in (False, True))
        print(
            f"{kind}: {alone:.1f} jobs/s alone, {seen:.1f} watched by {readers} readers and "
            f"{rate:.0f} requests/s: {(1 - seen / alone) * 100:+.1f} % lost; events missing "
            f"{missing}, doubled {doubled}; requests not answered with 200: {refused.total()}"
        )
        for told, times in refused.items():
            print(f"  {times} of {told}")


def main() -> None:
    """Measure both kinds."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--readers", type=int, default=200)
    parser.add_argument("--rate", type=float, default=50.0)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--kind", choices=list(_STAGE_S), action="append")
    parser.add_argument("--database", help="A database of its own; SQLite if not given.")
    given = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    for kind in given.kind or list(_STAGE_S):
        measure(kind, given.readers, given.rate, given.seconds, given.database)


if __name__ == "__main__":
    main()
