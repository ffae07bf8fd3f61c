"""`cli.py schedule`: what is enqueued by the clock."""

from __future__ import annotations

import dataclasses
import json
from datetime import datetime
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from background.discovery import discover
from background.schedules import Schedules
from commands.connections import servers
from commands.inspect import JsonFlag
from commands.output import age, paper, say, say_json, span
from errors import InvalidInput
from store.records import utc_now

app = typer.Typer(help="What is enqueued by the clock.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="A schedule's name, as `schedule list` shows it.")]
Kind = Annotated[str, typer.Option(help="The kind of background job.")]
Arguments = Annotated[str, typer.Option("--args", help="Its arguments, a JSON list.")]


@app.command("list")
def list_schedules(as_json: JsonFlag = False) -> None:
    """Show every schedule: when it ran last, and when it is due next."""
    found = _schedules().all()
    if as_json:
        say_json([dataclasses.asdict(schedule) for schedule in found])
        return
    now = utc_now()
    table = Table("name", "kind", "cron", "zone", "next", "last", "", box=None)
    for each in found:
        table.add_row(
            escape(each.name),
            each.kind,
            each.cron,
            each.timezone,
            "-" if each.paused else f"in {span((each.next_at - now).total_seconds())}",
            f"{age(each.last_at, now)} ago" if each.last_at else "never",
            "[yellow]paused[/]" if each.paused else "",
        )
    paper.print(table)


@app.command("add")
def add(
    name: Annotated[str, typer.Argument(help="A name for it.")],
    kind: Kind,
    cron: Annotated[str, typer.Option(help="Five fields, such as '*/15 * * * *'.")],
    arguments: Arguments = "[]",
    timezone: Annotated[str | None, typer.Option(help="Such as Europe/Paris.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Add a schedule at run time, or change one."""
    made = _schedules().add(name, kind, cron, args=_list(arguments), timezone=timezone)
    if as_json:
        say_json(dataclasses.asdict(made))
    else:
        say(f"{made.name}: next at {made.next_at:%Y-%m-%d %H:%M:%S} UTC")


@app.command("once")
def once(
    kind: Kind,
    at: Annotated[str, typer.Option(help="ISO 8601; without a zone it is local time.")],
    arguments: Arguments = "[]",
) -> None:
    """Run a kind once, at a time; prints the job's id."""
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        raise InvalidInput("at", f"{at} is no time such as 2026-05-01T09:00:00+02:00") from None
    say(_schedules().once(kind, moment, args=_list(arguments)))


@app.command("run")
def run(name: Name) -> None:
    """Run a schedule's job now, beside its ticks; prints the job's id."""
    say(_schedules().run(name))


@app.command("pause")
def pause(name: Name) -> None:
    """Let no tick of a schedule be run until it is resumed."""
    say(f"{name} is paused" if _schedules().pause(name) else f"{name} was paused already")


@app.command("resume")
def resume(name: Name) -> None:
    """Go on with a paused schedule; ticks of the pause are not made up for."""
    say(f"{name} goes on" if _schedules().resume(name) else f"{name} was not paused")


@app.command("remove")
def remove(name: Name) -> None:
    """Forget a schedule that was added at run time."""
    _schedules().remove(name)
    say(f"{name} is removed")


def _schedules() -> Schedules:
    found = servers()
    registry = discover(found.settings)
    return Schedules(found.settings, found.database.schedules, found.jobs, found.client, registry)


def _list(text: str) -> list[Any]:
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if not isinstance(value, list):
        raise InvalidInput("args", "must be a JSON list, such as '[1, \"two\"]'")
    return value
