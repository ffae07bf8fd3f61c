"""Refreshing all exercises: the one class that the hourly job and the command line share.

    list the exercises
    of each, `concurrency` at once:
        take it up, unless it is done or in another's hands
        have the API refresh it; it is done for the TTL, or given up for a later pass

One pass does what it can and tells what it could not; whoever called it decides about another.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

from background import map_bounded
from errors import PermanentError, QueueUnavailable, RetryableError
from examples.workouts.clients import Exercise, WorkoutApi
from examples.workouts.idempotency import IdempotencyKeys

#: Share of the TTL by which a key ends early. Keys of an hour that are set every hour would
#: otherwise, by a second of lateness, make every other pass find all of it done.
_EARLY = 1 / 60


@dataclass(frozen=True)
class RefreshReport:
    """What one pass did. `skipped` were done before, or are in another's hands."""

    total: int
    refreshed: int
    skipped: int
    failed: int
    #: The first failure's words, and whether any of them may go away by itself.
    error: str = ""
    worth_retrying: bool = False

    def counts(self) -> dict[str, int]:
        """The numbers alone."""
        return {name: value for name, value in asdict(self).items() if type(value) is int}

    def raise_for_failures(self) -> None:
        """Raises RetryableError or PermanentError where something failed."""
        if self.failed:
            told = f"{self.failed} of {self.total} exercises were not refreshed: {self.error}"
            raise RetryableError(told) if self.worth_retrying else PermanentError(told)


class ExerciseRefresher:
    """Raises what listing raises, and QueueUnavailable where the cache is away; failures of
    single exercises are in the report.
    """

    def __init__(
        self,
        api: WorkoutApi,
        keys: IdempotencyKeys,
        *,
        concurrency: int,
        ttl_s: float,
        holder: str,
        hold_s: float,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`holder` names whoever works; its holds lapse after `hold_s`."""
        self._api = api
        self._keys = keys
        self._concurrency = concurrency
        self._ttl_s = ttl_s
        self._holder = holder
        self._hold_s = hold_s
        self._clock = clock

    def one_pass(self) -> RefreshReport:
        """Refresh what is not done yet."""
        # From the pass's begin and not each item's end: the next pass is due by the clock too.
        until = self._clock() + self._ttl_s * (1 - _EARLY)
        exercises = self._api.exercises()
        found = map_bounded(
            lambda exercise: self._one(exercise, until), exercises, limit=self._concurrency
        )
        errors = [outcome for outcome in found if isinstance(outcome, Exception)]
        for error in errors:
            if isinstance(error, QueueUnavailable):
                raise error
        refreshed = sum(outcome is True for outcome in found)
        return RefreshReport(
            total=len(found),
            refreshed=refreshed,
            skipped=len(found) - refreshed - len(errors),
            failed=len(errors),
            error=str(errors[0]) if errors else "",
            worth_retrying=any(not isinstance(error, PermanentError) for error in errors),
        )

    def _one(self, exercise: Exercise, until: float) -> bool:
        """True: refreshed; False: there was no need."""
        item = f"refresh:{exercise.id}"
        if not self._keys.begin(item, self._holder, self._hold_s):
            return False
        try:
            self._api.refresh(exercise)
        except Exception:
            self._keys.give_up(item)
            raise
        self._keys.done(item, until)
        return True
