"""`cli.py load-test run`: submit many jobs at once, and tell how fast they start and end."""

from __future__ import annotations

import time
import uuid
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Annotated, Any

import typer

from background.builtin.load_test import cpu_intensive, failure, io_simulation
from background.enqueue import jobs_of
from background.job import changed
from commands.connections import Servers, servers
from commands.inspect import JsonFlag
from commands.output import say, say_error, say_json
from jobs.states import FINAL, JobState
from store.records import JobRecord

_POLL_S = 0.1
#: Jobs accepted in one transaction.
_AT_ONCE = 500
#: The tenant of these jobs, by which they can be told from real ones.
TENANT = "load-test"

app = typer.Typer(help="Measure the fleet under load.", no_args_is_help=True)


class LoadType(StrEnum):
    """What is submitted."""

    CPU_INTENSIVE = "cpu_intensive"  # background jobs that compute for 50 ms
    IO_SIMULATION = "io_simulation"  # background jobs that wait for 100 ms
    VIDEO = "video"  # whole videos, each unlike the others, by the workers' own providers
    FAILURE = "failure"  # background jobs that fail, and become dead letters


_KINDS = {
    LoadType.CPU_INTENSIVE: cpu_intensive.definition,
    LoadType.IO_SIMULATION: io_simulation.definition,
    LoadType.FAILURE: failure.definition,
}


@dataclass(frozen=True)
class Latency:
    """Percentiles in s; None: no job came so far."""

    p50: float | None
    p90: float | None
    p95: float | None
    p99: float | None
    max: float | None


@app.callback()
def load_test() -> None:
    """Measure the fleet under load."""


@app.command("run")
def run(
    load_type: Annotated[
        LoadType, typer.Option("--type", help="What each job does.")
    ] = LoadType.IO_SIMULATION,
    tasks: Annotated[int, typer.Option(min=1, max=100_000, help="How many jobs.")] = 10,
    queue: Annotated[str, typer.Option(help="The queue of background jobs.")] = "default",
    timeout: Annotated[float, typer.Option(min=1, help="Longest wait for them, in s.")] = 600,
    as_json: JsonFlag = False,
) -> None:
    """Submit jobs, wait for them to end, and report; exit code 1 if some did not as expected.

    What a video costs in time and money is up to the workers' providers: for the queue alone,
    start them with the providers "null".
    """
    found = servers()
    began = time.monotonic()
    ids = _submit(found, load_type, tasks, queue)
    submit_s = time.monotonic() - began
    records = _wait(found, ids, began + timeout)
    report = _report(load_type, records, submit_s=submit_s, whole_s=time.monotonic() - began)
    if as_json:
        say_json(report)
    else:
        _show(report)
    wanted = JobState.FAILED if load_type is LoadType.FAILURE else JobState.COMPLETED
    if report["states"].get(wanted, 0) != tasks:
        say_error(f"{tasks - report['states'].get(wanted, 0)} jobs are not {wanted.value}")
        raise typer.Exit(1)


def _submit(found: Servers, load_type: LoadType, tasks: int, queue: str) -> list[str]:
    if load_type is LoadType.VIDEO:
        return [found.jobs.submit(_payload()).job_id for _ in range(tasks)]
    kind = changed(_KINDS[load_type], queue=queue)
    ids: list[str] = []
    for start in range(0, tasks, _AT_ONCE):
        made = jobs_of(kind, [[]] * min(_AT_ONCE, tasks - start))
        ids += found.jobs.enqueue(made)
    return ids


def _payload() -> dict[str, Any]:
    name = uuid.uuid4().hex
    return {
        "id": f"load-{name}",
        "tenant": TENANT,
        # Unlike all others, or the first one's stages would serve the rest.
        "product_name": f"Load test {name[:12]}",
        "style": "minimal",
        "cta_text": "Go",
    }


def _wait(found: Servers, ids: Sequence[str], deadline: float) -> list[JobRecord]:
    """The jobs' records, once all have ended or the time is over."""
    left = deque(ids)
    while left and time.monotonic() < deadline:
        record = found.database.jobs.get(left[0])
        if record is not None and record.state in FINAL:
            left.popleft()
        else:
            time.sleep(_POLL_S)
    records = [found.database.jobs.get(job_id) for job_id in ids]
    return [record for record in records if record is not None]


def _report(
    load_type: LoadType, records: Sequence[JobRecord], *, submit_s: float, whole_s: float
) -> dict[str, Any]:
    """Times come from the rows, so they are those of the workers' and this host's clocks."""
    starts = [(r.started_at - r.created_at).total_seconds() for r in records if r.started_at]
    ended = [r for r in records if r.state in FINAL and r.finished_at]
    ends = [(r.finished_at - r.created_at).total_seconds() for r in ended if r.finished_at]
    return {
        "type": load_type.value,
        "tasks": len(records),
        "states": dict(Counter(record.state.value for record in records)),
        "submit_seconds": round(submit_s, 3),
        "seconds": round(whole_s, 3),
        "per_second": round(len(ended) / whole_s, 3),
        "submit_to_start_s": asdict(latency(starts)),
        "submit_to_end_s": asdict(latency(ends)),
    }


def latency(values: Sequence[float]) -> Latency:
    """Percentiles by nearest rank."""
    ordered = sorted(max(0.0, value) for value in values)

    def at(percent: int) -> float | None:
        if not ordered:
            return None
        return round(ordered[max(0, -(-len(ordered) * percent // 100) - 1)], 3)

    return Latency(at(50), at(90), at(95), at(99), at(100))


def _show(report: dict[str, Any]) -> None:
    states = ", ".join(f"{number} {state}" for state, number in report["states"].items())
    say(f"{report['tasks']} jobs of type {report['type']}: {states}")
    say(f"submitted in {report['submit_seconds']:.1f} s, over after {report['seconds']:.1f} s")
    say(f"throughput      {report['per_second']:.2f} jobs a second")
    for label, name in (
        ("submit to start", "submit_to_start_s"),
        ("submit to end", "submit_to_end_s"),
    ):
        found = {key: value for key, value in report[name].items() if value is not None}
        say(f"{label:15} " + ("  ".join(f"{k} {v:.2f} s" for k, v in found.items()) or "none"))
