"""Replies lost on the wire, slow wires, dead wires, and workers that wake too late."""

from __future__ import annotations

import hashlib
import signal
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from redis_queue import scripts, waiting
from tests.durability.proxy import Cut, Proxy
from tests.processes.conftest import Stack, wait_until


@pytest.fixture
def proxy(redis_url: str) -> Iterator[Proxy]:
    with Proxy(redis_url.removeprefix("unix://").partition("?")[0]) as opened:
        yield opened


def of_script(name: str, answered: bytes) -> Cut:
    """The reply of a script, by digest or by source, that holds what `answered` says."""
    source = scripts.source(name)
    digest = hashlib.sha1(source, usedforsecurity=False).hexdigest().encode()

    def lost(request: bytes, reply: bytes) -> bool:
        ran = (digest in request or source in request) and b"NOSCRIPT" not in reply
        return ran and answered in reply

    return lost


def assert_each_done_once(stack: Stack, *jobs: str) -> None:
    """Completed once each, every stage run once, nothing left in the queue."""
    stages: Counter[tuple[str, str]] = Counter()
    completed: Counter[str] = Counter()
    for worker in stack.workers:
        for line in stack.events(worker):
            if line["event"] == "stage_completed":
                stages[line["job_id"], line["stage"]] += 1
            elif line["event"] == "job_completed":
                completed[line["job_id"]] += 1
    assert completed == dict.fromkeys(jobs, 1)
    assert len(stages) == 4 * len(jobs) and set(stages.values()) == {1}
    empty = {"waiting": 0, "running": 0, "scheduled": 0}
    wait_until(lambda: waiting.counts(stack.client) == empty, what="an empty queue")
    wait_until(lambda: not any(waiting.depths(stack.client).values()), what="empty lists")


def test_a_popped_id_whose_reply_is_lost_is_run(any_stack: Stack, proxy: Proxy) -> None:
    proxy.cut_once(lambda request, reply: b"BLPOP" in request and reply.startswith(b"*2"))
    any_stack.started(REDIS_URL=proxy.url)
    any_stack.submit("a")
    any_stack.wait_state("a", "completed")
    assert proxy.cuts == 1
    assert_each_done_once(any_stack, "a")


def test_a_claim_whose_reply_is_lost_is_answered_again(any_stack: Stack, proxy: Proxy) -> None:
    worker = any_stack.started(REDIS_URL=proxy.url, WORKER_LEASE_S=300)
    proxy.cut_once(of_script("claim", b"$3\r\njob"))
    any_stack.submit("a")
    any_stack.wait_state("a", "completed")  # not after the lease: by the same worker
    assert proxy.cuts == 1
    assert any_stack.events(worker, "job_processing_started")[0]["crashes"] == 0
    assert_each_done_once(any_stack, "a")


def test_a_settle_whose_reply_is_lost_keeps_the_next_claim(any_stack: Stack, proxy: Proxy) -> None:
    # The first settle may have to load its script; from the second on it is one round trip.
    jobs = [any_stack.submit(f"job-{number}") for number in range(3)]
    proxy.cut_once(of_script("settle", b"$3\r\njob"))
    any_stack.started(REDIS_URL=proxy.url, WORKER_LEASE_S=300)
    for job in jobs:
        any_stack.wait_state(job, "completed")
    assert proxy.cuts == 1
    assert_each_done_once(any_stack, *jobs)


@pytest.mark.parametrize("script", ["renew", "progress"])
def test_other_lost_replies_change_nothing(stack: Stack, proxy: Proxy, script: str) -> None:
    proxy.cut_once(of_script(script, b""))
    stack.started(REDIS_URL=proxy.url, NULL_STAGE_SECONDS=0.4)
    stack.submit("a")
    stack.wait_state("a", "completed")
    assert proxy.cuts == 1
    assert_each_done_once(stack, "a")


def test_a_settle_that_did_not_arrive_is_sent_again(stack: Stack, proxy: Proxy) -> None:
    stack.started(REDIS_URL=proxy.url, WORKER_LEASE_S=300)
    digest = hashlib.sha1(scripts.source("settle"), usedforsecurity=False).hexdigest().encode()
    stack.client.script_flush()
    # Refused for want of the script, and that answer lost: nothing of the settle happened.
    proxy.cut_once(lambda request, reply: digest in request and b"NOSCRIPT" in reply)
    stack.submit("a")
    wait_until(lambda: stack.status("a") == "completed")
    assert proxy.cuts == 1
    assert_each_done_once(stack, "a")


def test_a_requeue_whose_reply_is_lost_leaves_the_job_waiting(stack: Stack, proxy: Proxy) -> None:
    worker = stack.started(REDIS_URL=proxy.url, NULL_STAGE_SECONDS=60)
    stack.submit("a")
    wait_until(lambda: stack.events(worker, "stage_started"))
    proxy.cut_once(of_script("requeue", b""))
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(timeout=60) == 0
    assert proxy.cuts == 1
    assert (stack.state("a"), stack.status("a")) == ("pending", "pending")
    assert stack.client.lrange("video_generation_queue", 0, -1) == [b"a"]


def test_a_slow_wire_slows_and_breaks_nothing(stack: Stack, proxy: Proxy) -> None:
    proxy.delay_s = 0.1
    stack.started(REDIS_URL=proxy.url)
    for name in ("a", "b", "c"):
        stack.submit(name)
    for name in ("a", "b", "c"):
        stack.wait_state(name, "completed")
    assert_each_done_once(stack, "a", "b", "c")


def test_a_worker_cut_off_for_less_than_its_lease_goes_on(stack: Stack, proxy: Proxy) -> None:
    worker = stack.started(REDIS_URL=proxy.url, NULL_STAGE_SECONDS=1, WORKER_LEASE_S=300)
    stack.submit("a")
    wait_until(lambda: stack.events(worker, "stage_started"))
    proxy.blackhole()
    wait_until(lambda: len(stack.events(worker, "stage_completed")) >= 2)
    proxy.restore()
    stack.wait_state("a", "completed")
    assert_each_done_once(stack, "a")


def test_a_worker_cut_off_for_longer_stops_and_another_goes_on(
    any_stack: Stack, proxy: Proxy
) -> None:
    cut_off = any_stack.started("cut-off", REDIS_URL=proxy.url, NULL_STAGE_SECONDS=60)
    any_stack.submit("a")
    wait_until(lambda: any_stack.events(cut_off, "stage_started"))
    proxy.blackhole()
    any_stack.started("other")
    wait_until(lambda: any_stack.events(cut_off, "job_lease_lost"), what="lease lost")
    any_stack.wait_state("a", "completed")
    proxy.restore()
    any_stack.submit("b")
    any_stack.wait_state("b", "completed")
    assert_each_done_once(any_stack, "a", "b")


def test_an_idle_worker_that_wakes_with_a_popped_id_doubles_none(
    any_stack: Stack, proxy: Proxy
) -> None:
    asleep = any_stack.started("asleep", REDIS_URL=proxy.url)
    waiting_for = wait_until(lambda: _blocked(any_stack), what="an idle worker in BLPOP")
    asleep.send_signal(signal.SIGSTOP)
    # Its server side may have timed out meanwhile; only what is blocked still can be handed an id.
    if not _blocked(any_stack):
        asleep.send_signal(signal.SIGCONT)
        waiting_for = wait_until(lambda: _blocked(any_stack))
        asleep.send_signal(signal.SIGSTOP)
    assert waiting_for
    any_stack.submit("a")
    wait_until(lambda: any_stack.client.llen("video_generation_queue") == 0)
    any_stack.started("other")
    any_stack.wait_state("a", "completed")
    asleep.send_signal(signal.SIGCONT)
    any_stack.submit("b")
    any_stack.wait_state("b", "completed")
    assert_each_done_once(any_stack, "a", "b")


def _blocked(stack: Stack) -> Any:
    return int(stack.client.info("clients")["blocked_clients"])
