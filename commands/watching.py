"""Following one job to its end, with a live bar for each stage."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from commands.connections import Servers
from commands.output import screen
from jobs.states import FINAL, STAGE_SPANS
from redis_queue import keys, waiting
from redis_queue.connection import translated

_LABELS = {
    "script_gen": "Script",
    "voice_gen": "Voice",
    "video_gen": "Scenes",
    "compositing": "Video",
}
#: The record is asked this often too: a message lost with its Redis must not hang a watcher.
_ASK_S = 0.5


def follow(servers: Servers, job_id: str, *, alive: Callable[[], bool] = lambda: True) -> str:
    """Show progress until the job ends; returns its final state, or "" if `alive` says no."""
    columns = (
        TextColumn("{task.description:<8}"),
        BarColumn(bar_width=36),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=screen, refresh_per_second=12) as bars:
        tasks = {
            stage: bars.add_task(label, total=100, start=False) for stage, label in _LABELS.items()
        }
        state = ""
        for message in messages(servers, job_id, alive=alive):
            _show(bars, tasks, message)
            state = message.get("status") or state
        if state == "completed":
            for task in tasks.values():
                _start(bars, task)
                bars.update(task, completed=100)
    return state if state in FINAL else ""


def messages(
    servers: Servers, job_id: str, *, alive: Callable[[], bool] = lambda: True
) -> Iterator[dict[str, Any]]:
    """The job's progress messages, past ones first, until one says a final state."""
    pubsub = servers.client.pubsub(ignore_subscribe_messages=True)
    with translated():
        # Subscribed first, then replayed: nothing falls between.
        pubsub.subscribe(keys.channel(job_id))
        for _, text in waiting.events(servers.client, job_id):
            yield json.loads(text)
    asked_at = 0.0
    try:
        while alive():
            with translated():
                message = pubsub.get_message(timeout=0.1)
            if message is not None:
                parsed = json.loads(message["data"]) if message["data"] else {}
                yield parsed
            now = time.monotonic()
            if now - asked_at >= _ASK_S:
                asked_at = now
                record = servers.database.jobs.get(job_id)
                if record is not None and record.state in FINAL:
                    yield {"status": record.state, "progress": record.progress}
                    return
    finally:
        pubsub.close()


def _show(bars: Progress, tasks: dict[str, TaskID], message: dict[str, Any]) -> None:
    stage = message.get("stage")
    if stage not in STAGE_SPANS or message.get("status"):
        return
    low, high = STAGE_SPANS[stage]
    for earlier, task in tasks.items():
        if earlier == stage:
            _start(bars, task)
            bars.update(task, completed=100 * (message["progress"] - low) / (high - low))
            if message["progress"] >= high:
                bars.stop_task(task)
            return
        _start(bars, task)
        bars.update(task, completed=100)
        bars.stop_task(task)


def _start(bars: Progress, task: TaskID) -> None:
    if not bars.tasks[task].started:
        bars.start_task(task)
