"""`cli.py status`, `watch`, `list`, `queue`: looking without touching."""

from __future__ import annotations

import dataclasses
import json
import sys
from datetime import datetime
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from commands.connections import Servers, servers
from commands.output import age, paper, say, say_json, screen
from commands.watching import follow
from errors import InvalidInput
from jobs.states import JobState
from redis_queue import waiting
from store.listing import JobFilter
from store.records import JobRecord, utc_now

JsonFlag = Annotated[bool, typer.Option("--json", help="For programs.")]
JobIdArgument = Annotated[str, typer.Argument(help="The job's id.")]

STATE_COLOURS = {
    "completed": "green",
    "failed": "red",
    "cancelled": "yellow",
    "processing": "cyan",
}


def status(job_id: JobIdArgument, as_json: JsonFlag = False) -> None:
    """Show one job: state, stage, progress, error, and the time line of its stages."""
    found = servers()
    record, live = _lookup(found, job_id)
    stages = found.database.jobs.time_line(job_id) if record else []
    callbacks = found.database.deliveries.of_job(job_id) if record else []
    if as_json:
        told = [dataclasses.asdict(callback) for callback in callbacks]
        say_json({**_as_json(record, live), "stages": stages, "callbacks": told})
        return
    if record is not None:
        say(f"{'product':14} {_product(record)}")
    for key, value in _as_json(record, live).items():
        if value not in (None, "", 0, {}, False) and key not in ("payload", "result"):
            shown = f"{value:%Y-%m-%d %H:%M:%S} UTC" if isinstance(value, datetime) else value
            say(f"{key:14} {shown}")
    for stage in stages:
        ended = stage["finished_at"]
        took = f"{(ended - stage['started_at']).total_seconds():.1f} s" if ended else "running"
        reused = ", reused" if stage["reused"] else ""
        say(f"  {stage['stage']:12} {took} by {stage['provider']}{reused}")
    for callback in callbacks:
        error = f": {callback.last_error}" if callback.last_error else ""
        tries = f"{callback.attempts} tries{error}"
        say(f"  {'callback':12} {callback.outcome}, {callback.state} after {tries}")


def watch(job_id: JobIdArgument) -> None:
    """Show a job's progress until it ends; exit code 1 if it failed."""
    found = servers()
    _lookup(found, job_id)
    state = follow(found, job_id)
    record = found.database.jobs.get(job_id)
    if record is not None and record.error:
        screen.print(f"{state}: {record.error}", markup=False)
    raise typer.Exit(0 if state == "completed" else 1)


def list_jobs(
    state: Annotated[JobState | None, typer.Option(help="Only jobs in this state.")] = None,
    kind: Annotated[str | None, typer.Option(help="Only jobs of this kind.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 20,
    offset: Annotated[int, typer.Option(min=0)] = 0,
    as_json: JsonFlag = False,
) -> None:
    """List jobs, newest first."""
    wanted = JobFilter(state=state, kind=kind)
    records = servers().database.listing.page(wanted, limit=limit, offset=offset).records
    if as_json:
        say_json([_as_json(record, None) for record in records])
        return
    if not sys.stdout.isatty():
        for record in records:
            say(record.id)
        return
    table = Table("id", "product", "state", "stage", "progress", "age", "error", box=None)
    now = utc_now()
    for record in records:
        colour = STATE_COLOURS.get(record.state, "white")
        table.add_row(
            record.id,
            escape(_product(record)),
            f"[{colour}]{record.state}[/]",
            record.stage or "",
            f"{record.progress}%",
            age(record.created_at, now),
            escape(record.error or ""),
        )
    paper.print(table)


def queue(as_json: JsonFlag = False) -> None:
    """Show how many jobs wait in each queue, run, and are scheduled."""
    found = servers()
    depths, counts = waiting.depths(found.client), waiting.counts(found.client)
    if as_json:
        say_json({"queues": depths, **counts})
        return
    for name, depth in depths.items():
        say(f"{name:16} {depth}")
    say(f"{'running':16} {counts['running']}")
    say(f"{'scheduled':16} {counts['scheduled']}")


def _product(record: JobRecord) -> str:
    """What the job is about, as far as its payload says."""
    try:
        payload = json.loads(record.payload)
    except ValueError:
        return ""
    return str(payload.get("product_name", ""))[:40] if isinstance(payload, dict) else ""


def _lookup(found: Servers, job_id: str) -> tuple[JobRecord | None, dict[str, Any] | None]:
    record = found.database.jobs.get(job_id)
    live = waiting.status(found.client, job_id)
    if record is None and live is None:
        raise InvalidInput("job_id", f"{job_id} is not known")
    return record, live


def _as_json(record: JobRecord | None, live: dict[str, Any] | None) -> dict[str, Any]:
    """The record, with what only Redis knows of a running job laid over it."""
    if record is None:
        return dict(live or {})
    fields = dataclasses.asdict(record)
    fields["job_id"] = fields.pop("id")
    fields["status"] = fields.pop("state")
    for internal in ("fence", "instance", "pushed", "stage_generations"):
        fields.pop(internal)
    if live is not None and record.state == JobState.PROCESSING == live["status"]:
        fields |= {"stage": live["stage"], "progress": live["progress"]}
    return {"job_id": fields.pop("job_id"), "status": fields.pop("status"), **fields}
