"""Conditions on one row of jobs, found by its id."""

from __future__ import annotations

from sqlalchemy.sql.elements import ColumnElement

from jobs.states import JobState
from store.models import JOBS

#: The state of a row that is found by its id. No index has this expression, and that is its point:
#: by statistics from a time when hardly a job waited, PostgreSQL would rather look through all that
#: are pending than take the row by its key.
row_state = JOBS.c.state.concat("")


def held(job_id: str, fence: int) -> ColumnElement[bool]:
    """The job is being processed, by the holder of this fence."""
    return (JOBS.c.id == job_id) & (row_state == JobState.PROCESSING) & (JOBS.c.fence == fence)
