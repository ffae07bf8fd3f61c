"""Stops, cancellations and lost leases reach the main thread where it may be interrupted."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator

import pytest

from errors import JobCancelled, LeaseLost, ShutdownRequested, StageTimeout
from runtime.interrupts import Interrupts


@pytest.fixture
def interrupts() -> Iterator[Interrupts]:
    kept = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    poke = signal.getsignal(signal.SIGUSR1)
    installed = Interrupts(stage_timeout_s=60, stall_s=60)
    installed.install()
    yield installed
    for number, handler in kept.items():
        signal.signal(number, handler)
    signal.signal(signal.SIGUSR1, poke)


def in_thread(action: object, *arguments: object) -> None:
    thread = threading.Thread(target=action, args=arguments)  # type: ignore[arg-type]
    thread.start()
    thread.join()


def blocking_read() -> None:
    """What a provider's SDK does: wait on a socket that says nothing."""
    reader, writer = os.pipe()
    try:
        os.read(reader, 1)
    finally:
        os.close(reader)
        os.close(writer)


def test_a_signal_ends_a_blocking_read_inside_a_stage(interrupts: Interrupts) -> None:
    began = time.monotonic()
    timer = threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGTERM))
    timer.start()
    with pytest.raises(ShutdownRequested), interrupts.stage("voice_gen"):
        blocking_read()
    assert time.monotonic() - began < 30
    assert interrupts.stop_reason == "SIGTERM"


def test_where_it_receives_no_signals_it_sends_none_and_only_records() -> None:
    """A worker inside another program, such as a test, must not end that program."""
    came: list[int] = []
    before = signal.signal(signal.SIGUSR1, lambda number, _: came.append(number))
    try:
        only_records = Interrupts()
        in_thread(only_records.ask, LeaseLost)
        with pytest.raises(LeaseLost):
            only_records.check()
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert came == []


def test_a_cancellation_from_the_heartbeat_ends_a_stage(interrupts: Interrupts) -> None:
    timer = threading.Timer(0.1, interrupts.ask, (JobCancelled,))
    timer.start()
    with pytest.raises(JobCancelled), interrupts.stage("voice_gen"):
        blocking_read()


def test_outside_a_stage_nothing_is_raised_until_asked_for(interrupts: Interrupts) -> None:
    os.kill(os.getpid(), signal.SIGTERM)
    in_thread(interrupts.ask, LeaseLost)
    assert interrupts.stopping
    with pytest.raises(LeaseLost):
        interrupts.check()


def test_inside_held_an_interruption_waits_for_its_end(interrupts: Interrupts) -> None:
    reached = False
    with pytest.raises(ShutdownRequested), interrupts.stage("video_gen"):
        with interrupts.held():
            os.kill(os.getpid(), signal.SIGTERM)
            reached = True
        raise AssertionError("the stage went on")
    assert reached


def test_the_way_out_is_not_interrupted_again(interrupts: Interrupts) -> None:
    cleaned = False
    with pytest.raises(JobCancelled), interrupts.stage("video_gen"):
        try:
            in_thread(interrupts.ask, JobCancelled)
            blocking_read()
        finally:
            in_thread(interrupts.ask, LeaseLost)
            cleaned = True
    assert cleaned


def test_a_lost_lease_wins_over_a_cancellation(interrupts: Interrupts) -> None:
    in_thread(interrupts.ask, LeaseLost)
    in_thread(interrupts.ask, JobCancelled)
    with pytest.raises(LeaseLost):
        interrupts.check()


def test_what_was_asked_about_one_job_does_not_reach_the_next(interrupts: Interrupts) -> None:
    in_thread(interrupts.ask, JobCancelled)
    interrupts.begin_job()
    interrupts.check()


def test_a_stage_past_its_deadline_is_a_retryable_time_out(interrupts: Interrupts) -> None:
    late = Interrupts(stage_timeout_s=0.05, stall_s=60)
    late.install()
    watching = threading.Timer(0.2, late.watch)
    watching.start()
    with pytest.raises(StageTimeout, match="did not finish"), late.stage("video_gen"):
        blocking_read()
    late.check()


def test_a_stage_that_reports_nothing_is_stuck(interrupts: Interrupts) -> None:
    stuck = Interrupts(stage_timeout_s=60, stall_s=0.05)
    stuck.install()
    watching = threading.Timer(0.2, stuck.watch)
    watching.start()
    with pytest.raises(StageTimeout, match="no headway"), stuck.stage("video_gen"):
        blocking_read()
