"""`cli.py tail`: what happens to all jobs, as it happens."""

from __future__ import annotations

import contextlib
import json
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from commands.connections import servers
from commands.inspect import JsonFlag
from redis_queue import waiting
from redis_queue.connection import BLOCK_S

#: At most what the log holds, and more than a screen does.
_PAST_MAX = 10_000


def tail(
    lines: Annotated[
        int, typer.Option("--lines", "-n", min=0, max=_PAST_MAX, help="Past events to begin with.")
    ] = 0,
    follow: Annotated[
        bool, typer.Option("--follow/--no-follow", help="Whether to wait for more.")
    ] = True,
    as_json: JsonFlag = False,
) -> None:
    """Print every job's events until Ctrl-C: progress, retries, ends. With --json one a line."""
    client = servers().client
    after = waiting.last_event(client)
    past = waiting.all_events(client, "0-0", _PAST_MAX)[-lines:] if lines else []
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            for entry, fields in past:
                print(_line(entry, fields, as_json), flush=True)
                after = entry
            if not follow:
                return
            past = waiting.new_events(client, after, block_ms=round(BLOCK_S * 1000))


def _line(entry: str, fields: dict[str, str], as_json: bool) -> str:
    message: dict[str, Any] = json.loads(fields["data"])
    moment = datetime.fromtimestamp(int(entry.partition("-")[0]) / 1000, UTC)
    if as_json:
        at = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        told = {"id": entry, "at": at, "tenant": fields.get("tenant", ""), **message}
        return json.dumps(told, ensure_ascii=False)
    what = message.get("status") or message.get("stage") or ""
    note = message.get("error") or message.get("note") or ""
    shown = f"{moment:%H:%M:%S}  {message['job_id']:<24}  {what:<12} {message['progress']:>3}%"
    return f"{shown}  {message.get('worker_id') or '':<16} {note}".rstrip()
