"""`cli.py link`, `resend`: handing a finished video on, and telling of it once more."""

from __future__ import annotations

from typing import Annotated

import typer

from commands.connections import servers
from commands.inspect import JobIdArgument
from commands.output import say
from errors import InvalidInput
from pipeline.storage import ObjectStorage

#: S3 signs no link for longer than a week.
_LONGEST_S = 7 * 86_400


def link(
    job_id: JobIdArgument,
    file: Annotated[str, typer.Option(help="Which of the job's files.")] = "video.mp4",
    expires: Annotated[int, typer.Option(min=1, max=_LONGEST_S, help="Seconds.")] = 3600,
) -> None:
    """Print where a finished file is: a signed link for S3, a path for a folder."""
    found = servers()
    record = found.database.jobs.get(job_id)
    if record is None:
        raise InvalidInput("job_id", f"{job_id} is not known")
    files = (record.result or {}).get("artifacts", {})
    if file not in files:
        there = ", ".join(files) or f"none: the job is {record.state}"
        raise InvalidInput("file", f"{file} is not among the job's files ({there})")
    storage, key = ObjectStorage(found.settings.artifact_url), files[file]["key"]
    say(storage.signed_url(key, expires_s=expires) or str(storage.local_path(key)))


def resend(job_id: JobIdArgument) -> None:
    """Send a job's callbacks again, those that were given up among them."""
    if not servers().database.deliveries.again(job_id):
        raise InvalidInput("job_id", f"{job_id} has no callback")
    say(job_id)
