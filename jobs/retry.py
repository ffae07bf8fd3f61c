"""Whether and when a failed stage is tried again: a pure decision."""

from __future__ import annotations

import random
from dataclasses import dataclass

from errors import NotNow, PermanentError, RetryableError


@dataclass(frozen=True)
class RetryPolicy:
    """After failure n (1-based) wait `base_s * 2**(n-1)`: 2, 4, 8 s by default, then give up."""

    base_s: float = 2.0
    max_failures: int = 3
    #: Longest wait with the job in hand; a longer one parks it.
    park_after_s: float = 10.0
    #: Longest computed wait; a provider's own hint may be longer.
    max_s: float = 86_400.0
    #: Whether each wait is twice the one before; else all are `base_s`.
    doubles: bool = True
    #: Share of a wait added at random, so that workers do not return to a provider in step.
    jitter: float = 0.0


@dataclass(frozen=True)
class Retry:
    """Try again after `delay_s`; `park` means: not with the job in hand."""

    delay_s: float
    park: bool


@dataclass(frozen=True)
class GiveUp:
    """The job is failed."""


def decide(
    error: BaseException, failures: int, policy: RetryPolicy, rng: random.Random
) -> Retry | GiveUp:
    """Decide for a stage's `failures`-th failure (1-based, this one included).

    Permanent errors give up at once; retryable and unknown ones within the budget. A
    provider's `retry_after_s` is honoured when it is longer than the computed wait. NotNow
    parks whatever the count: nothing was tried.
    """
    if isinstance(error, NotNow):
        return Retry(error.retry_after_s or policy.base_s, park=True)
    if isinstance(error, PermanentError) or failures > policy.max_failures:
        return GiveUp()
    growth = 2.0 ** min(failures - 1, 60) if policy.doubles else 1.0
    delay_s = min(policy.max_s, policy.base_s * growth)
    delay_s += delay_s * policy.jitter * rng.random()
    if isinstance(error, RetryableError) and error.retry_after_s is not None:
        delay_s = max(delay_s, error.retry_after_s)
    return Retry(delay_s, park=delay_s > policy.park_after_s)
