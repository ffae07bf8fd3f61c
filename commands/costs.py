"""`cli.py costs`: what was spent, by day, provider or tenant."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Annotated

import typer
from rich.table import Table

from commands.connections import servers
from commands.inspect import JsonFlag
from commands.output import paper, say_json
from store.records import utc_now


class By(StrEnum):
    """What to sum by."""

    DAY = "day"
    PROVIDER = "provider"
    TENANT = "tenant"


def costs(
    by: Annotated[By, typer.Option(help="What to sum by.")] = By.DAY,
    days: Annotated[int, typer.Option(min=1, help="How far back.")] = 30,
    as_json: JsonFlag = False,
) -> None:
    """Show what paid calls cost: spent, in doubt after a crash, and thrown away."""
    rows = servers().database.calls.costs(by, since=utc_now() - timedelta(days=days))
    if as_json:
        say_json(rows)
        return
    table = Table(by.value, "calls", "spent", "in doubt", "thrown away", box=None)
    for row in rows:
        money = [row[f"{name}_microusd"] / 1e6 for name in ("spent", "doubtful", "thrown_away")]
        table.add_row(row[by.value], str(row["calls"]), *(f"${amount:.4f}" for amount in money))
    if not rows:
        table.add_row("nothing", "0", "$0", "$0", "$0")
    paper.print(table)
