"""`cli.py kinds`, `enqueue`, `batch`, `voices`: background jobs by hand."""

from __future__ import annotations

import dataclasses
import json
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from background.builtin.health import RefreshCatalog
from background.discovery import discover
from background.enqueue import new_job
from background.job import changed
from commands.connections import servers
from commands.inspect import JsonFlag
from commands.output import paper, say, say_error, say_json
from errors import InvalidInput
from jobs.states import JobState
from store.listing import JobFilter


def kinds(as_json: JsonFlag = False) -> None:
    """List the kinds of background jobs, and how many wait whose kind is not known here."""
    found = servers()
    known = discover(found.settings).all()
    unknown = found.database.groups.unknown_kinds([kind.name for kind in known])
    if as_json:
        lines = [
            {"kind": kind.name, **dataclasses.asdict(kind.options), "known": True} for kind in known
        ]
        say_json([*lines, *({"kind": name, "known": False} for name in unknown)])
        return
    table = Table("kind", "queue", "schedule", "arguments", box=None)
    for kind in known:
        cron = kind.options.cron_schedule or ""
        table.add_row(kind.name, kind.options.queue, cron, escape(str(kind.signature)))
    paper.print(table)
    for name, waiting in unknown.items():
        say_error(f"{waiting} jobs wait of the kind {name}, which WORKER_BACKGROUND_MODULES lacks")


def enqueue(
    kind: Annotated[str, typer.Argument(help="A kind, as `kinds` lists it.")],
    arguments: Annotated[
        str, typer.Option("--args", help="A JSON list, or an object of named arguments.")
    ] = "[]",
    queue: Annotated[str | None, typer.Option(help="Another queue than the kind's own.")] = None,
) -> None:
    """Enqueue a background job; prints its id."""
    found = servers()
    known = discover(found.settings).get(kind)
    if known is None:
        raise InvalidInput("kind", f"{kind} is not known here; see WORKER_BACKGROUND_MODULES")
    given: Any = None
    try:
        given = json.loads(arguments)
    except ValueError:
        given = None
    if not isinstance(given, (list, dict)):
        raise InvalidInput("args", 'must be JSON, such as \'["Ada"]\' or \'{"name": "Ada"}\'')
    args, kwargs = (given, {}) if isinstance(given, list) else ([], given)
    say(found.jobs.enqueue([new_job(changed(known, queue=queue), args, kwargs)])[0])


def batch(
    batch_id: Annotated[str, typer.Argument(help="The batch's id.")], as_json: JsonFlag = False
) -> None:
    """Show how far a batch is; exit code 1 if some of its jobs failed."""
    found = servers().database.batches.get(batch_id)
    if found is None:
        raise InvalidInput("batch_id", f"{batch_id} is not known")
    if as_json:
        say_json(dataclasses.asdict(found))
    else:
        states = ", ".join(f"{count} {state}" for state, count in found.states.items()) or "no jobs"
        say(f"{found.description or found.id}: {states}")
        ended = "has ended" if found.finished_at else f"{found.pending} have not ended"
        say(ended if found.sealed else "more may be added")
    raise typer.Exit(1 if found.states.get(JobState.FAILED) else 0)


def voices(as_json: JsonFlag = False) -> None:
    """Show the providers' voices and models, as the last hourly look found them."""
    wanted = JobFilter(kind=RefreshCatalog.definition.name, state=JobState.COMPLETED)
    page = servers().database.listing.page(wanted, limit=1)
    told = (page.records[0].result or {}).get("value") if page.records else None
    if told is None:
        raise InvalidInput(
            "catalog", "nobody has looked yet: cli.py enqueue system.refresh_catalog"
        )
    if as_json:
        say_json(told)
        return
    for provider, offer in told.items():
        say(f"{provider}: {offer['error']}" if "error" in offer else provider)
        for name in ("models", "voices"):
            if offer.get(name):
                say(f"  {name:8} {', '.join(offer[name])}")
