"""`cli.py pause`, `resume`, `quiet`, `stop`: asking queues and workers for something."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from commands.connections import servers
from commands.fleet import living
from commands.inspect import JsonFlag
from commands.output import say, say_json
from errors import InvalidInput
from redis_queue import control, waiting
from redis_queue.connection import Client
from redis_queue.control import Order

#: An instance may be named by its beginning, but not by less than this.
_LEAST = 4

QueueArgument = Annotated[str, typer.Argument(help="A queue's name, as `queues` shows it.")]
WorkerArgument = Annotated[
    str, typer.Argument(help="A worker's name, or the beginning of its instance.")
]


def pause(queue: QueueArgument, as_json: JsonFlag = False) -> None:
    """Claim nothing more of a queue, at once and by all workers; running jobs go on."""
    client = servers().client
    _check(client, queue)
    _told(queue, True, control.pause(client, queue), as_json)


def resume(queue: QueueArgument, as_json: JsonFlag = False) -> None:
    """Claim a paused queue's jobs again."""
    client = servers().client
    if queue not in control.paused(client):
        _check(client, queue)
    _told(queue, False, control.resume(client, queue), as_json)


def quiet(
    worker: WorkerArgument,
    lift: Annotated[bool, typer.Option("--lift", help="Let it claim jobs again.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Let a worker finish its job and claim nothing more; it stays until it is told to stop."""
    _ask(worker, Order.WORK if lift else Order.QUIET, as_json)


def stop(worker: WorkerArgument, as_json: JsonFlag = False) -> None:
    """Stop a worker as SIGTERM does: its job goes back. A supervisor may start it anew."""
    _ask(worker, Order.STOP, as_json)


def _check(client: Client, queue: str) -> None:
    served = {name for row in living(client) for name in row["queues"]}
    known = {*waiting.depths(client), *served, *servers().settings.queues}
    if queue not in known:
        raise InvalidInput("queue", f"{queue} is not known ({', '.join(sorted(known))})")


def _told(queue: str, paused: bool, changed: bool, as_json: bool) -> None:
    if as_json:
        say_json({"queue": queue, "paused": paused, "changed": changed})
        return
    state = "paused" if paused else "running"
    say(f"{queue} {state}" if changed else f"{queue} was {state} already")


def _ask(name: str, order: Order, as_json: bool) -> None:
    client = servers().client
    rows = living(client)
    found = [row for row in rows if _is(row, name)]
    if not found:
        there = ", ".join(sorted({row["worker_id"] for row in rows})) or "no worker lives"
        raise InvalidInput("worker", f"{name} is not known ({there})")
    for row in found:
        control.give(client, row["instance"], order)
    if as_json:
        told = ("worker_id", "instance")
        say_json([{**{key: row[key] for key in told}, "asked": order.value} for row in found])
        return
    for row in found:
        say(f"{row['worker_id']} {row['instance'][:8]} {order.value}")


def _is(row: dict[str, Any], name: str) -> bool:
    by_instance = len(name) >= _LEAST and row["instance"].startswith(name)
    return bool(row["worker_id"] == name or by_instance)
