"""The table of transitions, progress spans, and the retry decision."""

from __future__ import annotations

import random

import pytest

from errors import InvalidInput, ProviderRefused, ProviderUnavailable
from jobs.retry import GiveUp, Retry, RetryPolicy, decide
from jobs.states import FINAL, STAGES, JobState, may_become, overall_progress, stages_from

RNG = random.Random(0)


def test_every_state_is_in_the_table_and_final_ones_leave_for_pending_only() -> None:
    for state in JobState:
        targets = {other for other in JobState if may_become(state, other)}
        assert targets == {JobState.PENDING} if state in FINAL else targets


def test_nothing_is_claimed_but_from_pending() -> None:
    sources = {state for state in JobState if may_become(state, JobState.PROCESSING)}
    assert sources == {JobState.PENDING}


def test_progress_fills_the_stages_spans() -> None:
    assert [overall_progress(stage, 0.0) for stage in STAGES] == [0, 25, 50, 75]
    assert [overall_progress(stage, 1.0) for stage in STAGES] == [25, 50, 75, 100]
    assert overall_progress("script_gen", 7.0) == 25
    assert stages_from("video_gen") == ("video_gen", "compositing")


def test_three_retries_after_2_4_and_8_seconds_then_failed() -> None:
    policy = RetryPolicy()
    decisions = [decide(ProviderUnavailable("x"), n, policy, RNG) for n in (1, 2, 3, 4)]
    assert decisions == [Retry(2, False), Retry(4, False), Retry(8, False), GiveUp()]


@pytest.mark.parametrize("error", [InvalidInput("style", "no"), ProviderRefused("quota")])
def test_permanent_errors_give_up_at_once(error: Exception) -> None:
    assert decide(error, 1, RetryPolicy(), RNG) == GiveUp()


def test_an_unknown_error_is_tried_again_within_the_cap() -> None:
    assert decide(KeyError("x"), 1, RetryPolicy(), RNG) == Retry(2, False)
    assert decide(KeyError("x"), 4, RetryPolicy(), RNG) == GiveUp()


def test_a_providers_hint_is_honoured_and_a_long_one_parks() -> None:
    hinted = ProviderUnavailable("x", retry_after_s=5)
    assert decide(hinted, 1, RetryPolicy(), RNG) == Retry(5, False)
    assert decide(hinted, 3, RetryPolicy(), RNG) == Retry(8, False)
    far = ProviderUnavailable("x", retry_after_s=60)
    assert decide(far, 1, RetryPolicy(), RNG) == Retry(60, True)
