"""`cli.py top`: workers, queues and what ended lately, on one screen that keeps itself fresh."""

from __future__ import annotations

import contextlib
import dataclasses
import time
from datetime import datetime
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from commands.connections import Servers, servers
from commands.fleet import living, queues_table, workers_table
from commands.inspect import STATE_COLOURS, JsonFlag
from commands.output import age, paper, say_json
from errors import QueueUnavailable
from redis_queue import overview, waiting
from store.records import utc_now

_ENDED_SHOWN = 8


def top(
    once: Annotated[bool, typer.Option("--once", help="Print one frame and end.")] = False,
    interval_s: Annotated[
        float, typer.Option("--interval-s", min=0.2, max=60, help="Seconds between two frames.")
    ] = 1.0,
    as_json: JsonFlag = False,
) -> None:
    """Watch workers, queues and ended jobs until Ctrl-C; with --json a frame a line."""
    found = servers()
    with contextlib.suppress(KeyboardInterrupt):
        if once or as_json:
            _print(found, once, interval_s, as_json)
            return
        with Live(console=paper, screen=True, auto_refresh=False) as live:
            while True:
                live.update(_screen(found), refresh=True)
                time.sleep(interval_s)


def _print(found: Servers, once: bool, interval_s: float, as_json: bool) -> None:
    while True:
        if as_json:
            say_json(_data(found))
        else:
            paper.print(_frame(found))
        if once:
            return
        time.sleep(interval_s)


def _screen(found: Servers) -> RenderableType:
    """A frame, or why there is none: an outage is when somebody watches."""
    try:
        return _frame(found)
    except QueueUnavailable as error:
        return Text(f"{utc_now():%H:%M:%S} UTC  {error} does not answer", style="red")


def _data(found: Servers) -> dict[str, Any]:
    return {
        "workers": living(found.client),
        "queues": [dataclasses.asdict(line) for line in overview.queues(found.client)],
        **waiting.counts(found.client),
        "ended": overview.ended_lately(found.client, _ENDED_SHOWN),
    }


def _frame(found: Servers) -> Group:
    rows, counts = living(found.client), waiting.counts(found.client)
    words = [f"{number} {name}" for name, number in counts.items()]
    head = f"{utc_now():%H:%M:%S} UTC   {len(rows)} workers   {'   '.join(words)}"
    return Group(
        Text(head, style="bold"),
        "",
        workers_table(rows),
        "",
        queues_table(overview.queues(found.client)),
        "",
        _ended_table(overview.ended_lately(found.client, _ENDED_SHOWN)),
    )


def _ended_table(jobs: list[dict[str, Any]]) -> Table:
    table = Table("ended", "job", "state", "by", "error", box=None)
    now = utc_now()
    for job in jobs:
        ended = datetime.fromisoformat(job["ended_at"])
        colour = STATE_COLOURS.get(job["status"], "white")
        state = f"[{colour}]{job['status']}[/]"
        told = (escape(job["job_id"]), state, job["worker_id"] or "", escape(job["error"] or ""))
        table.add_row(age(ended, now), *told)
    return table
