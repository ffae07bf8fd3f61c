"""`cli.py workers`, `queues`: who is there, and what waits."""

from __future__ import annotations

import dataclasses
from typing import Any

from rich.markup import escape
from rich.table import Table

from commands.connections import servers
from commands.inspect import JsonFlag
from commands.output import paper, say_json, span
from redis_queue import overview, presence
from redis_queue.connection import Client
from redis_queue.overview import QueueLine
from redis_queue.upkeep import now_ms

STATE_COLOURS = {"idle": "green", "working": "cyan", "quiet": "yellow", "stopping": "magenta"}


def workers(as_json: JsonFlag = False) -> None:
    """Show the living workers: state, job, stage, progress, processor, memory, last beat."""
    rows = living(servers().client)
    if as_json:
        say_json(rows)
    else:
        paper.print(workers_table(rows))


def queues(as_json: JsonFlag = False) -> None:
    """Show each queue's depth, how long its oldest job waits, and whether it is paused."""
    lines = overview.queues(servers().client)
    if as_json:
        say_json([dataclasses.asdict(line) for line in lines])
    else:
        paper.print(queues_table(lines))


def living(client: Client) -> list[dict[str, Any]]:
    """The living workers by name, numbers as numbers; `progress` is that of the job in hand."""
    described = presence.workers(client)
    now = now_ms(client)
    jobs = [row["current_job"] for row in described if row.get("current_job")]
    progress = overview.progress_of(client, jobs)
    return [
        {
            "worker_id": row.get("worker_id", ""),
            "instance": row["instance"],
            "state": row.get("state") or ("working" if row.get("current_job") else "idle"),
            "current_job": row.get("current_job") or None,
            "stage": row.get("stage") or None,
            "progress": progress.get(row.get("current_job", "")),
            "cpu_percent": float(row.get("cpu_percent") or 0),
            "rss_mb": int(row.get("rss_mb") or 0),
            "jobs_done": int(row.get("jobs_done") or 0),
            "queues": row.get("queues", "").split(","),
            "host": row.get("host", ""),
            "pid": int(row.get("pid") or 0),
            "started_at": row.get("started_at"),
            "beat_age_s": max(0.0, (now - int(row.get("beat_ms") or now)) / 1000),
        }
        for row in described
    ]


def workers_table(rows: list[dict[str, Any]]) -> Table:
    """For people."""
    table = Table(
        *("worker", "instance", "state", "job", "stage", "done", "cpu", "memory", "beat", "jobs"),
        box=None,
    )
    for row in rows:
        colour = STATE_COLOURS.get(row["state"], "white")
        table.add_row(
            escape(row["worker_id"]),
            row["instance"][:8],
            f"[{colour}]{row['state']}[/]",
            escape(row["current_job"] or ""),
            row["stage"] or "",
            "" if row["progress"] is None else f"{row['progress']}%",
            f"{row['cpu_percent']:.0f}%",
            f"{row['rss_mb']} MB",
            span(row["beat_age_s"]),
            str(row["jobs_done"]),
        )
    if not rows:
        table.add_row("[red]none[/]")
    return table


def queues_table(lines: list[QueueLine]) -> Table:
    """For people."""
    table = Table("queue", "waiting", "oldest", "", box=None)
    for line in lines:
        oldest = "" if line.oldest_s is None else span(line.oldest_s)
        table.add_row(line.name, str(line.depth), oldest, "[yellow]paused[/]" * line.paused)
    return table
