"""`cli.py cancel`, `retry`, `replay`, `dead`: calling jobs off, and bringing them back."""

from __future__ import annotations

from typing import Annotated

import typer

from commands.connections import servers
from commands.inspect import JobIdArgument, JsonFlag
from commands.output import age, say, say_json, screen
from errors import InvalidInput
from jobs.states import JobState
from store.records import utc_now

FromStage = Annotated[
    str | None,
    typer.Option("--from", help="Run this stage and all later ones anew, paying again."),
]


def cancel(job_id: JobIdArgument) -> None:
    """Cancel a job: waiting at once, running within a second."""
    before = servers().jobs.cancel(job_id)
    if before is None:
        raise InvalidInput("job_id", f"{job_id} is not known")
    if before in ("completed", "failed", "cancelled"):
        raise InvalidInput("job_id", f"{job_id} is {before} already")
    say(f"{job_id} {'cancelling' if before == 'processing' else 'cancelled'}")


def retry(job_id: JobIdArgument) -> None:
    """Run an ended job again from where it failed; finished stages are not run again."""
    servers().jobs.replay(job_id)
    say(job_id)


def replay(
    job_ids: Annotated[list[str] | None, typer.Argument(help="Jobs to replay.")] = None,
    from_stage: FromStage = None,
    dead: Annotated[bool, typer.Option("--dead", help="All dead letters.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="At most so many of --dead.")] = 1000,
) -> None:
    """Run ended jobs again, one or many, from a given stage on or from where they failed."""
    found = servers()
    wanted = list(job_ids or [])
    if dead:
        records = found.database.jobs.page(state=JobState.FAILED, limit=limit)
        # What could not be read as a payload would only fail again.
        wanted += [record.id for record in records if not record.id.startswith("raw-")]
    if not wanted:
        screen.print("Nothing to replay." if dead else "Name jobs, or --dead for all dead letters.")
    for job_id in wanted:
        found.jobs.replay(job_id, from_stage=from_stage)
        say(job_id)


def dead(
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 20, as_json: JsonFlag = False
) -> None:
    """List dead letters: failed jobs, and entries that could not be read."""
    records = servers().database.jobs.page(state=JobState.FAILED, limit=limit)
    if as_json:
        say_json([{"job_id": r.id, "stage": r.stage, "error": r.error} for r in records])
        return
    now = utc_now()
    for record in records:
        say(f"{record.id}  {age(record.updated_at, now):>4}  {record.stage or '-'}  {record.error}")
