"""A user's jobs: queue one, look at one, list them.

The table background_jobs is written by the job itself. What became of a job that cannot write (its
worker was killed, it ran out of time, an operator called it off) is asked of the queue's record.
"""

from __future__ import annotations

from collections.abc import Sequence

from background.enqueue import backend
from examples.notes import progress
from examples.notes.jobs import RegenerateEmbeddings
from examples.notes.progress import Tracked
from jobs.states import JobState

STATUSES = ("queued", "running", "completed", "failed")
#: Unfinished jobs of one user that a look at the list asks the queue about.
_MOST = 100


def regenerate(user_id: int) -> str:
    """Queue it, and return the job's id: that of the one that is under way, if one is."""
    # The job first: were we to die between the two, it would show itself when it begins.
    handle = RegenerateEmbeddings.perform_async(user_id)
    progress.queued(handle.id, user_id)
    return handle.id


def look(job_id: str, user_id: int) -> Tracked | None:
    """A job of this user's as it stands, or None."""
    found = progress.find(job_id, user_id)
    if found is not None and found.status in progress.OPEN and _settle(found):
        return progress.find(job_id, user_id)
    return found


def page(
    user_id: int, status: str | None, *, limit: int, offset: int
) -> tuple[Sequence[Tracked], int]:
    """A user's jobs, newest first, of one status or of all; and how many there are."""
    for unfinished in progress.of_user(user_id, progress.OPEN, limit=_MOST)[0]:
        _settle(unfinished)
    statuses = STATUSES if status is None else (status,)
    return progress.of_user(user_id, statuses, limit=limit, offset=offset)


def _settle(tracked: Tracked) -> bool:
    """Whether the queue knows better, which is then written down."""
    record = backend().find(tracked.job_id)
    if record is None:
        progress.ended(tracked.job_id, "failed", "the queue does not know it any more")
    elif record.state == JobState.COMPLETED:
        progress.ended(tracked.job_id, "completed")
    elif record.state in (JobState.FAILED, JobState.CANCELLED):
        progress.ended(tracked.job_id, "failed", record.error or record.state.value)
    elif tracked.status == "running" and record.state != JobState.PROCESSING:
        # Its worker died, was stopped or ran out of time; it says "running" again when it does.
        progress.waits_again(tracked.job_id, record.error)
    else:
        return False
    return True
