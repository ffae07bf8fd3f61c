"""Paused queues: kept by the claim itself, for claims of every kind."""

from __future__ import annotations

from redis_queue import control, keys, upkeep, waiting
from redis_queue.claim import Claim
from redis_queue.control import Order
from tests.redis_queue.conftest import Bench


def test_a_paused_queue_is_not_claimed_and_keeps_counting(bench: Bench) -> None:
    bench.add("a", "b")
    assert control.pause(bench.client, "video")
    assert not control.pause(bench.client, "video")
    assert bench.claim() is None
    bench.add("c")
    bench.add("low", queue="video-low")
    assert bench.client.llen("video_generation_queue") == 3
    other = bench.claim()
    assert other is not None and other.job_id == "low"
    assert control.resume(bench.client, "video")
    assert not control.resume(bench.client, "video")
    assert [claim.job_id for _ in range(3) if (claim := bench.claim())] == ["a", "b", "c"]


def test_a_settle_claims_nothing_of_a_paused_queue(bench: Bench) -> None:
    bench.add("a", "b")
    claim = bench.claim()
    control.pause(bench.client, "video")
    settled, following = bench.hold(claim).settle(
        "completed", error="", percent=100, message="{}", then=bench.claims, epoch=bench.epoch
    )
    assert settled and following is None
    assert bench.client.llen("video_generation_queue") == 1


def test_what_a_waiting_worker_was_handed_of_a_paused_queue_goes_back(bench: Bench) -> None:
    bench.add("a", "b")
    control.pause(bench.client, "video")
    popped = bench.client.lpop("video_generation_queue")
    assert bench.claims.next(bench.epoch, popped) is None
    assert bench.client.lrange("video_generation_queue", 0, -1) == [b"a", b"b"]
    assert upkeep.lists_match_ledger(bench.client)
    assert waiting.status(bench.client, "a")["status"] == "pending"  # type: ignore[index]  # there


def test_an_entry_that_went_back_is_not_doubled_by_a_lost_reply(bench: Bench) -> None:
    bench.add("a")
    control.pause(bench.client, "video")
    popped = bench.client.lpop("video_generation_queue")
    for _ in range(2):
        assert bench.claims.next(bench.epoch, popped) is None
    assert bench.client.llen("video_generation_queue") == 1


def test_a_worker_waits_only_where_it_may_claim(bench: Bench) -> None:
    for queue in ("video", "video-high"):
        control.pause(bench.client, queue)
    assert bench.claim() is None
    bench.add("a")
    bench.add("low", queue="video-low")
    assert bench.claims.wait() == (keys.list_of("video-low"), b"low")
    assert control.paused(bench.client) == {"video", "video-high"}


def test_an_entry_of_another_queue_is_claimed_while_one_is_paused(bench: Bench) -> None:
    bench.add("low", queue="video-low")
    control.pause(bench.client, "video")
    popped = bench.client.lpop(keys.list_of("video-low"))
    claim = bench.claims.next(bench.epoch, popped)
    assert isinstance(claim, Claim) and claim.job_id == "low"


def test_the_last_order_counts_and_an_unknown_one_is_none(bench: Bench) -> None:
    assert control.order_for(bench.client, "i") is None
    control.give(bench.client, "i", Order.QUIET)
    control.give(bench.client, "i", Order.WORK)
    assert control.order_for(bench.client, "i") is Order.WORK
    bench.client.set(keys.order("i"), "dance")
    assert control.order_for(bench.client, "i") is None


def test_an_entry_in_a_list_that_is_not_its_own_goes_to_its_paused_queue(bench: Bench) -> None:
    bench.add("a")
    bench.client.rpush(keys.list_of("video-high"), bench.client.lpop("video_generation_queue"))
    control.pause(bench.client, "video")
    assert bench.claim() is None
    assert bench.client.lrange("video_generation_queue", 0, -1) == [b"a"]
