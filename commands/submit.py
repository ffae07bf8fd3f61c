"""`cli.py submit`: accept a job, and with --watch see it through."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from commands import payload_options as options
from commands.connections import servers
from commands.output import say, screen
from commands.watching import follow


@options.with_ad_flags
def submit(
    ad: options.AdFlags,
    priority: Annotated[str | None, typer.Option(help="high, normal or low.")] = None,
    run_at: Annotated[str | None, typer.Option(help="ISO 8601 with zone: not before.")] = None,
    idempotency_key: Annotated[str | None, typer.Option(help="Twice the same is one job.")] = None,
    job_id: Annotated[str | None, typer.Option("--id", help="Made up if not given.")] = None,
    file: Annotated[Path | None, typer.Option(help="The whole payload as a JSON file.")] = None,
    watch: Annotated[bool, typer.Option("--watch", help="Show progress until it ends.")] = False,
) -> None:
    """Submit a video job; prints its id."""
    found = servers()
    if file is not None:
        payload = options.payload_from_file(file)
    else:
        folder = Path(found.settings.image_folders[0])
        payload = ad.payload(
            job_id,
            images=options.upload(ad.image or [], folder),
            logo=options.upload_logo(ad.logo, folder),
            priority=priority,
            run_at=run_at,
            idempotency_key=idempotency_key,
        )
    done = found.jobs.submit(payload)
    if sys.stdout.isatty() and not done.created:
        screen.print("This idempotency key is known; its job:")
    say(done.job_id)
    if not done.pushed:
        screen.print("Accepted; Redis is away, and a worker will queue it when it is back.")
    if watch:
        raise typer.Exit(0 if follow(found, done.job_id) == "completed" else 1)
