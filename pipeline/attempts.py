"""Tries of the stage in hand: what a failure means for it, and for the job."""

from __future__ import annotations

import random
from collections.abc import Callable

from tenacity import RetryCallState, Retrying, retry_if_exception

from errors import NotNow, WorkerError
from jobs.retry import GiveUp, Retry, RetryPolicy, decide
from pipeline.ports import Checkpoints, Interrupts, Observer, StageId
from pipeline.stage import StageOutput


class StageGaveUp(Exception):
    """A stage failed for good. `str()` is safe for users; `cause` is for the log."""

    def __init__(self, stage: str, cause: BaseException) -> None:
        super().__init__(public_message(stage, cause))
        self.stage = stage
        self.cause = cause


class JobParked(Exception):
    """The next try of a stage is too far away to wait for with the job in hand."""

    def __init__(self, stage: str, cause: BaseException, delay_s: float, failures: int) -> None:
        super().__init__(public_message(stage, cause))
        self.stage = stage
        self.delay_s = delay_s
        self.failures = failures


def public_message(stage: str, error: BaseException) -> str:
    """What users may read of an error: our own words, or only its kind and the stage."""
    if isinstance(error, WorkerError):
        return f"{stage}: {error}"
    return f"{stage}: internal error ({type(error).__name__}); the worker's log has the details"


class Attempts:
    """Owned by one job's run; `failures` are those of the stage in hand, over all its holders."""

    def __init__(
        self,
        policy: RetryPolicy,
        rng: random.Random,
        checkpoints: Checkpoints,
        interrupts: Interrupts,
        observer: Observer,
        *,
        failures: int,
    ) -> None:
        self.failures = failures
        self._policy = policy
        self._rng = rng
        self._checkpoints = checkpoints
        self._interrupts = interrupts
        self._observer = observer

    def run(self, identity: StageId, attempt: Callable[[int], StageOutput]) -> StageOutput:
        """Call `attempt` with 1, 2, ... as often as the budget allows.

        Raises StageGaveUp, JobParked for a wait that is too long to keep the job in hand, and
        whatever ControlFlow arrives.
        """
        decision: Retry | GiveUp = GiveUp()
        tries = 0

        def may_retry(error: BaseException) -> bool:
            nonlocal decision
            if not isinstance(error, Exception):
                return False
            decision = self._decide(error)
            self._observer.stage_failed(identity.stage, error, self.failures)
            self._checkpoints.fail(identity, self.failures)
            if isinstance(decision, Retry) and decision.park:
                raise JobParked(identity.stage, error, decision.delay_s, self.failures) from error
            return isinstance(decision, Retry)

        def wait(_state: RetryCallState) -> float:
            return decision.delay_s if isinstance(decision, Retry) else 0.0

        def announce(state: RetryCallState) -> None:
            error = state.outcome.exception() if state.outcome else None
            message = public_message(identity.stage, error) if error else ""
            self._observer.retry_scheduled(identity.stage, wait(state), self.failures, message)

        def counted() -> StageOutput:
            nonlocal tries
            tries += 1
            return attempt(tries)

        retrying = Retrying(
            retry=retry_if_exception(may_retry),
            wait=wait,
            sleep=self._interrupts.sleep,
            before_sleep=announce,
            reraise=True,
        )
        try:
            return retrying(counted)
        except JobParked:
            raise
        except Exception as error:
            raise StageGaveUp(identity.stage, error) from error

    def park(self, where: str, error: Exception) -> JobParked | StageGaveUp:
        """What a failure between two stages means for the job: to be raised."""
        decision = self._decide(error)
        if isinstance(decision, Retry):
            return JobParked(where, error, decision.delay_s, self.failures)
        return StageGaveUp(where, error)

    def _decide(self, error: Exception) -> Retry | GiveUp:
        if not isinstance(error, NotNow):
            self.failures += 1
        return decide(error, self.failures, self._policy, self._rng)
