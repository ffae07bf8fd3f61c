"""Kills workers at random instants, and at every named step, and counts what became of the jobs.

    .venv/bin/python -m benchmarks.chaos --kills 200 --jobs 300 --steps --mixed

What is counted, exactly:
* completed: rows in state `completed`, and by a trigger how often each row was made so;
* published: messages on the jobs' progress channels that say `completed`, as a subscriber hears
  them while the run goes on;
* a finished stage run again: a `stage_started` line, of any worker, later than the commit of the
  same stage's checkpoint; or a checkpoint that was committed twice, by a trigger;
* with --mixed, a checkpointed part of a background job's loop begun again, by what the loop notes;
* takeover: from a SIGKILL to the `job_reaped` of the job that the victim held, when it waits
  again. When it then begins depends on how many workers the storm leaves alive; benchmarks.pickup
  measures that with an idle one.

The seed fixes who is killed and when; what the kernel makes of it, no seed can fix.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import structlog
from rich.console import Console
from rich.progress import Progress, TaskID
from rich.table import Table

from benchmarks import audit, chaos_kinds
from benchmarks.fleet import Fleet, Member, checked_url, wait_for
from config import ROOT
from database import Database
from errors import InvalidInput, StoreUnavailable
from redis_queue import keys
from redis_queue.connection import Client, connect
from runtime.embedded import EmbeddedRedis
from runtime.steps import STEPS
from runtime.submit import Jobs

#: No job finishes for this long: the run is over, and what is left is lost.
_STUCK_S = 90.0
#: Jobs that wait or run at any time, so that a wipe always hits some.
_AHEAD = 12
#: Between two strikes, on average. A worker needs most of a second to come up.
_BETWEEN_S = 0.4
#: How often, and for how long each, a worker is given a job to die of at its step.
_STEP_TRIES = 4
_STEP_S = 15


@dataclass
class Plan:
    """What the command line asked for."""

    kills: int = 200
    jobs: int = 300
    workers: int = 4
    seed: int = 1
    lease_s: float = 2.0
    stage_s: float = 0.1
    steps: bool = False
    freezes: int = 0
    wipes: int = 0
    #: Every other job a background one, every other worker with threads.
    mixed: bool = False
    database: str = ""


@dataclass
class Tally:
    """What the run did and what came of it."""

    submitted: list[str] = field(default_factory=list)
    kills: list[tuple[float, Member]] = field(default_factory=list)
    step_kills: list[str] = field(default_factory=list)
    freezes: int = 0
    wipes: int = 0
    published: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)


class Listener(threading.Thread):
    """A subscriber like any user's: counts the messages that a job is completed."""

    def __init__(self, client: Client, heard: Counter[str]) -> None:
        super().__init__(name="listener", daemon=True)
        self._heard = heard
        self._subscription = client.pubsub(ignore_subscribe_messages=True)
        self._subscription.psubscribe(keys.PROGRESS_CHANNEL + "*")

    def run(self) -> None:
        """Until the server goes."""
        try:
            for message in self._subscription.listen():
                said = json.loads(message["data"] or b"{}")
                if said.get("status") == "completed":
                    self._heard[said["job_id"]] += 1
        except Exception:  # noqa: BLE001  # the server of this run is closing
            return


class Chaos:
    """One run on servers of its own."""

    def __init__(self, plan: Plan, redis_url: str, database_url: str, folder: Path) -> None:
        self.plan = plan
        self.tally = Tally()
        self._random = random.Random(plan.seed)
        self._client = connect(redis_url)
        self._database = Database(database_url)
        self._database.init()
        audit.install(self._database)
        self._jobs = Jobs(self._database, self._client, final_ttl_s=3600)
        self._fleet = Fleet(
            redis_url,
            database_url,
            folder,
            NULL_STAGE_SECONDS=plan.stage_s,
            WORKER_LEASE_S=plan.lease_s,
            WORKER_MAX_CRASHES=100_000,
            WORKER_RETRY_BASE_S=0.05,
            WORKER_BACKGROUND_MODULES="benchmarks.chaos_kinds",
            PYTHONPATH=ROOT,
        )
        self._parts_log = folder / "parts.log"
        self._listener = Listener(connect(redis_url), self.tally.published)

    def run(self, console: Console) -> Tally:
        """Kill, freeze and wipe as planned, until every job is done or none moves."""
        self._listener.start()
        with self._fleet, Progress(console=console) as bars:
            if self.plan.steps:
                bar = bars.add_task("steps", total=len(STEPS))
                for step in STEPS:
                    self._kill_at(step)
                    bars.advance(bar)
            self._storm(bars)
            time.sleep(self.plan.lease_s)  # the last mirror of a settle that was cut in half
            self._judge()
        self._database.close()
        return self.tally

    def _submit(self, count: int) -> None:
        for _ in range(count):
            number = len(self.tally.submitted)
            job_id = f"job-{number:05d}"
            try:
                self._accept(number, job_id)
            except StoreUnavailable:
                # A frozen worker has SQLite's write lock: it goes on, and the job is tried again.
                for member in self._fleet.living:
                    member.thaw()
                return
            except InvalidInput as error:
                if "is taken" not in error.reason:  # else it was accepted, and the answer lost
                    raise
            self.tally.submitted.append(job_id)

    def _accept(self, number: int, job_id: str) -> None:
        if self.plan.mixed and number % 2:
            self._jobs.enqueue([chaos_kinds.nth(number // 2, job_id, self._parts_log)])
        else:
            # A name of its own: no job is served by another's stages.
            self._jobs.submit({"id": job_id, "product_name": f"Product {job_id}"})

    def _kill_at(self, step: str) -> None:
        """A worker alone, idle, that dies at this step of the next job or the next but one.

        A job that arrives in the moment between two BLPOPs is claimed without being popped, so
        that one step may need a second job.
        """
        victim = self._fleet.start(f"at-{step}", WORKER_KILL_AT=step)
        wait_for(victim)
        for _ in range(_STEP_TRIES):
            self._submit(1)
            with suppress(subprocess.TimeoutExpired):
                victim.process.wait(timeout=_STEP_S)
                break
        if victim.process.returncode != -9:
            self.tally.violations.append(f"{step}: the worker did not get there")
        self.tally.step_kills.append(step)
        self.tally.kills.append((time.time(), victim))

    def _storm(self, bars: Progress) -> None:
        plan, tally = self.plan, self.tally
        jobs_bar = bars.add_task("jobs completed", total=plan.jobs)
        kills_bar = bars.add_task("random kills", total=plan.kills)
        random_kills = 0
        moved_at = time.monotonic()
        done = -1
        strike_at = time.monotonic()
        while True:
            now = time.monotonic()
            while len(self._fleet.living) < plan.workers:
                number = len(self._fleet.members)
                threads = 3 if plan.mixed and number % 2 else 1
                self._fleet.start(f"w{number}", WORKER_CONCURRENCY=threads)
            counts = self._database.jobs.count_by_state()
            open_jobs = sum(counts.values()) - counts.get("completed", 0)
            # Jobs are handed out in step with the kills: none of either is left over at the end.
            # The last job waits for the last kill, so that the run cannot end before it.
            allowed = plan.jobs
            if random_kills < plan.kills:
                share = (random_kills + 1) / plan.kills
                allowed = min(plan.jobs - 1, round(plan.jobs * share) + _AHEAD // 2)
            self._submit(min(_AHEAD - open_jobs, allowed - len(tally.submitted)))
            if counts.get("completed", 0) != done:
                done, moved_at = counts.get("completed", 0), now
            bars.update(jobs_bar, completed=done)
            if done >= plan.jobs or now - moved_at > _STUCK_S:
                break
            if random_kills >= plan.kills:
                # Nobody is frozen for ever: within a write on SQLite it would hold up all others.
                for member in self._fleet.living:
                    if member.frozen:
                        member.thaw()
            if now >= strike_at and random_kills < plan.kills:
                random_kills += self._strike(bars, kills_bar)
                strike_at = now + self._random.expovariate(1.0) * _BETWEEN_S
            time.sleep(0.02)
        for member in self._fleet.living:
            member.thaw()
        if random_kills < plan.kills:
            tally.violations.append(f"only {random_kills} of {plan.kills} kills were made")

    def _strike(self, bars: Progress, bar: TaskID) -> int:
        """Do one bad thing to the fleet; returns 1 for a kill."""
        plan, tally = self.plan, self.tally
        share = len(tally.kills) / max(1, plan.kills)
        if tally.wipes < plan.wipes * share:
            tally.wipes += 1
            self._client.flushall()
            return 0
        awake = [m for m in self._fleet.living if m.started and not m.frozen]
        frozen = [member for member in self._fleet.living if member.frozen]
        if frozen and self._random.random() < 0.3:
            self._random.choice(frozen).thaw()
        if not awake:
            return 0
        victim = self._random.choice(awake)
        if tally.freezes < plan.freezes * share and not frozen:
            tally.freezes += 1
            victim.freeze()
            return 0
        tally.kills.append((victim.kill(), victim))
        bars.advance(bar)
        return 1

    def _judge(self) -> None:
        tally = self.tally
        counts = audit.read(self._database)
        rows = {row.id: row for row in self._database.jobs.page(limit=1_000_000)}
        for job_id in tally.submitted:
            row = rows.get(job_id)
            if row is None or row.state != "completed":
                tally.violations.append(f"{job_id} is lost: {row and row.state}")
            elif counts.completed[job_id] != 1:
                tally.violations.append(f"{job_id} was completed {counts.completed[job_id]} times")
            heard = tally.published[job_id]
            # A wipe takes the queue's own memory of who was told what.
            if heard > 1 or (heard == 0 and not tally.wipes):
                tally.violations.append(f"{job_id} was published as completed {heard} times")
        for run, times in counts.checkpointed.items():
            if times != 1:
                tally.violations.append(f"stage run {run} was checkpointed {times} times")
        tally.violations += [f"{job} ran {stage} again" for job, stage in self.run_again()]
        for job, part in chaos_kinds.parts_again(self._parts_log):
            tally.violations.append(f"{job} ran part {part} again")

    @property
    def background(self) -> set[str]:
        """The ids of the background jobs."""
        jobs = self.tally.submitted if self.plan.mixed else []
        return {job_id for number, job_id in enumerate(jobs) if number % 2}

    def run_again(self) -> list[tuple[str, str]]:
        """Stages that began once more after their checkpoint was committed."""
        durable = audit.checkpoints(self._database)
        return [
            (line["job_id"], line["stage"])
            for _, line in self._fleet.lines()
            if line["event"] == "stage_started"
            and (line["job_id"], line["stage"]) in durable
            and datetime.fromisoformat(line["timestamp"]) > durable[line["job_id"], line["stage"]]
        ]

    def lines(self, event: str) -> list[tuple[Member, dict[str, Any]]]:
        """One event's lines, of all workers."""
        return [(member, line) for member, line in self._fleet.lines() if line["event"] == event]

    def takeovers_s(self) -> list[float]:
        """How long each killed worker's job was in nobody's hands and in no queue, in s."""
        begun = self.lines("job_processing_started")
        known = [(at(line), line["job_id"], False) for _, line in begun]
        known += [(at(line), line["job_id"], True) for _, line in self.lines("job_reaped")]
        found = []
        for killed_at, victim in self.tally.kills[len(self.tally.step_kills) :]:
            held = [line["job_id"] for member, line in begun if member is victim]
            after = [one for one in known if held and one[1] == held[-1] and one[0] > killed_at]
            # Begun anew before a reaper said so: that reaper was killed before it could log.
            if after and min(after)[2]:
                found.append(min(after)[0] - killed_at)
        return found


def at(line: dict[str, Any]) -> float:
    """When a log line was written, in s since the epoch."""
    return datetime.fromisoformat(line["timestamp"]).timestamp()


def table_of(chaos: Chaos, seconds: float) -> Table:
    """The figures of a run."""
    plan, tally = chaos.plan, chaos.tally
    lost = sum(" is lost" in line for line in tally.violations)
    doubled = sum("was completed" in line for line in tally.violations)
    heard = Counter(tally.published[job] for job in tally.submitted)
    waits = sorted(chaos.takeovers_s())
    started = len(chaos.lines("stage_started"))
    table = Table("", "", title=f"{seconds:.0f} s, {plan.workers} workers, seed {plan.seed}")
    rows: list[tuple[str, object]] = [
        ("jobs accepted", len(tally.submitted)),
        ("kills at random instants", len(tally.kills) - len(tally.step_kills)),
        ("kills at named steps", len(tally.step_kills)),
        ("freezes (SIGSTOP, SIGCONT)", tally.freezes),
        ("wipes (FLUSHALL)", tally.wipes),
        ("jobs completed", len(tally.submitted) - lost),
        ("jobs lost", lost),
        ("jobs completed twice", doubled),
        (
            "results published per job",
            ", ".join(f"{n} for {jobs} jobs" for n, jobs in sorted(heard.items())),
        ),
        ("stages begun", started),
        ("of them needed", 4 * sum(job not in chaos.background for job in tally.submitted)),
        ("background jobs among them", len(chaos.background)),
        ("finished stages run again", len(chaos.run_again())),
        ("takeovers measured", len(waits)),
        ("kill to back in the queue, median", f"{waits[len(waits) // 2]:.1f} s" if waits else "-"),
        ("kill to back in the queue, longest", f"{waits[-1]:.1f} s" if waits else "-"),
        ("lease", f"{plan.lease_s:g} s"),
    ]
    for name, value in rows:
        table.add_row(name, str(value))
    return table


def main(argv: Sequence[str] | None = None) -> int:
    """Run as the arguments say; 1 if any promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=_Plain)
    parser.add_argument("--kills", type=int, default=200, help="SIGKILLs at random instants")
    parser.add_argument("--jobs", type=int, default=300)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--steps", action="store_true", help="a kill at every named step first")
    parser.add_argument("--freezes", type=int, default=10, help="SIGSTOPs, each with a SIGCONT")
    parser.add_argument("--wipes", type=int, default=0, help="FLUSHALLs")
    parser.add_argument("--mixed", action="store_true", help="videos and background jobs in turn")
    parser.add_argument("--stage-s", type=float, default=0.1, help="how long a stage takes")
    parser.add_argument("--lease-s", type=float, default=2.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--database", default="", help="a PostgreSQL URL; SQLite without it")
    plan = Plan(**vars(parser.parse_args(argv)))
    structlog.configure(processors=[_drop])
    console = Console()
    with tempfile.TemporaryDirectory(prefix="chaos-") as name:
        folder = Path(name)
        database_url = checked_url(plan.database or f"sqlite:///{folder / 'chaos.db'}")
        with EmbeddedRedis(folder / "valkey") as redis:
            began = time.monotonic()
            chaos = Chaos(plan, redis.url, database_url, folder)
            tally = chaos.run(console)
            console.print(table_of(chaos, time.monotonic() - began))
    for line in tally.violations[:20]:
        console.print(f"[red]broken:[/red] {line}")
    return 1 if tally.violations else 0


class _Plain(argparse.RawDescriptionHelpFormatter):
    pass


def _drop(_logger: object, _method: str, _event: object) -> dict[str, Any]:
    raise structlog.DropEvent


if __name__ == "__main__":
    sys.exit(main())
