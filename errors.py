"""The error tree. What a caller catches, and what the worker does with each.

WorkerError
|-- RetryableError        the same call may work later: back off, then try again
|   |-- NotNow                no call was made: a limit, or an open breaker; costs no attempt
|   |-- ProviderUnavailable   a remote service failed, is busy or did not answer
|   |-- StorageUnavailable    the bucket of artefacts does not answer
|   |-- StageTimeout          a stage or a child outlived its limit
|   `-- ChildFailed           a child process (ffmpeg, the voice) ended badly
|-- PermanentError        the same call will fail again: the job is failed at once
|   |-- InvalidInput          a field of the payload, named
|   |-- ProviderRefused       quota, authentication, moderation: a person must act
|   `-- DeliveryRejected      the finished file missed what was promised of it
|-- ConfigError           settings are wrong: the process ends with exit code 78
|-- QueueUnavailable      Redis does not answer, or cannot take writes now
`-- StoreUnavailable      the database does not answer

ControlFlow (BaseException: no `except Exception` on the way may swallow it)
|-- JobCancelled          someone cancelled the job in hand
|-- DeadlinePassed        the stage in hand is to end; it comes out of it as StageTimeout
|-- LeaseLost             another worker may hold the job: write nothing more
`-- ShutdownRequested     the process was asked to stop: the job goes back
"""

from __future__ import annotations


class WorkerError(Exception):
    """The root of what this project raises on purpose.

    `str(error)` is safe to show to users: it holds no secret, no path and no internals.
    """


class RetryableError(WorkerError):
    """Raised by providers and stages; the stage is tried again within its failure budget.

    `retry_after_s` is a provider's own hint and overrides the computed back-off.
    """

    def __init__(self, message: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class ProviderUnavailable(RetryableError):
    """A remote service failed, asked for a pause, or could not be reached."""


class StorageUnavailable(RetryableError):
    """Artefact storage does not answer, or refuses us; what is stored there is untouched."""


class NotNow(RetryableError):
    """Nothing was sent: the provider's places are taken, or its circuit breaker is open.

    The job is parked for `retry_after_s` and the worker is free; no failure is counted.
    """


class StageTimeout(RetryableError):
    """A stage, or a child process of it, ran longer than it may; its children are dead."""


class ChildFailed(RetryableError):
    """A child process exited with an error. `log_tail` is for the log, never for users."""

    def __init__(self, message: str, *, log_tail: str = "") -> None:
        super().__init__(message)
        self.log_tail = log_tail


class PermanentError(WorkerError):
    """Trying again cannot help; the worker fails the job at once."""


class InvalidInput(PermanentError):
    """A field of a payload cannot be used. `field` names it as the submitter wrote it."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


class ProviderRefused(PermanentError):
    """A provider refused for a reason that a person must settle: key, quota, moderation."""


class DeliveryRejected(PermanentError):
    """The finished file was measured and missed its profile; the message says where."""


class ConfigError(WorkerError):
    """Settings cannot be used. `problems` lists every one, so that one run mends them all."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class QueueUnavailable(WorkerError):
    """Redis is away, loading, read-only, full or failing over; nothing was decided."""


class StoreUnavailable(WorkerError):
    """The database is away or restarting; whether the last write landed must be re-read."""


class ControlFlow(BaseException):
    """Not errors: they unwind a running stage and are never retried or counted as failures."""


class JobCancelled(ControlFlow):
    """Raised in the main thread while a stage runs; the job ends as `cancelled`."""


class DeadlinePassed(ControlFlow):
    """Raised inside a stage that took too long, past all `except Exception` of what runs there."""


class LeaseLost(ControlFlow):
    """Raised where a write would follow an expired lease; the worker drops the job unwritten."""


class ShutdownRequested(ControlFlow):
    """Raised in the main thread while a stage runs; the job goes back to the queue's front."""
