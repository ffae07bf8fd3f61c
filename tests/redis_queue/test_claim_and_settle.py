"""Claim, renew, progress, settle, requeue: what one holder may do, and others may not."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from redis_queue import keys, upkeep, waiting
from redis_queue.claim import MOST_AT_ONCE, Claim, RawEntry, Wiped
from redis_queue.group_end import Completion, Leaving, hand_back
from redis_queue.messages import success_message
from tests.redis_queue.conftest import Bench


def settle(bench: Bench, claim: Claim | None, state: str = "completed", **more: Any) -> Any:
    return bench.hold(claim).settle(
        state, error="", percent=100, message="{}", then=more.get("then"), epoch=bench.epoch
    )


def test_a_job_goes_from_waiting_to_leased_to_final(bench: Bench) -> None:
    bench.add("a")
    assert bench.client.llen("video_generation_queue") == 1
    assert waiting.counts(bench.client) == {"waiting": 1, "running": 0, "scheduled": 0}
    claim = bench.claim()
    assert claim is not None and claim.job_id == "a"
    assert claim.fields["status"] == "processing" and claim.fields["worker_id"] == "w1"
    assert waiting.counts(bench.client) == {"waiting": 0, "running": 1, "scheduled": 0}
    settled, following = settle(bench, claim)
    assert settled and following is None
    assert waiting.counts(bench.client) == {"waiting": 0, "running": 0, "scheduled": 0}
    status = waiting.status(bench.client, "a")
    assert status is not None and status["status"] == "completed" and status["progress"] == 100


def test_jobs_are_claimed_in_the_order_they_were_enqueued(bench: Bench) -> None:
    bench.add("a", "b", "c")
    assert [claim.job_id for _ in range(3) if (claim := bench.claim())] == ["a", "b", "c"]


def test_higher_priority_goes_first_and_low_priority_is_not_starved(bench: Bench) -> None:
    bench.add(*(f"low{i}" for i in range(3)), queue="video-low")
    bench.add(*(f"high{i}" for i in range(60)), queue="video-high")
    order = [claim.job_id for _ in range(63) if (claim := bench.claim())]
    assert order[0].startswith("high")
    assert order.index("low0") < 40, "a low job waits for a bounded number of high ones"
    assert len(set(order)) == 63


def test_a_settle_claims_the_next_job_in_the_same_call(bench: Bench) -> None:
    bench.add("a", "b")
    settled, following = settle(bench, bench.claim(), then=bench.claims)
    assert settled and isinstance(following, Claim) and following.job_id == "b"


def test_a_refused_settle_never_claims(bench: Bench) -> None:
    bench.add("a", "b")
    claim = bench.claim()
    assert claim is not None
    taken = replace(claim, fence=claim.fence - 1)
    settled, following = settle(bench, taken, then=bench.claims)
    assert not settled and following is None
    assert waiting.counts(bench.client)["waiting"] == 1


def test_a_repeated_claim_gets_the_first_answer(bench: Bench) -> None:
    """The reply was lost on the wire: the same operation must not pop a second job."""
    bench.add("a", "b")
    name, names, args = bench.claims.command(bench.epoch)
    from redis_queue import scripts

    first = scripts.run(bench.client, name, names, args)
    again = scripts.run(bench.client, name, names, args)
    assert first == again
    assert waiting.counts(bench.client) == {"waiting": 1, "running": 1, "scheduled": 0}


def test_a_doubled_or_stale_entry_is_skipped(bench: Bench) -> None:
    bench.add("a", "b")
    bench.client.lpush("video_generation_queue", "a", "a")
    assert [c.job_id for _ in range(2) if (c := bench.claim())] == ["a", "b"]
    assert bench.claim() is None


def test_many_stale_entries_are_skipped_over_several_calls(bench: Bench) -> None:
    bench.add("a")
    settle(bench, bench.claim())
    bench.client.rpush("video_generation_queue", *(["a"] * 175))
    bench.add("b")
    claim = bench.claim()
    assert claim is not None and claim.job_id == "b"


def test_fences_only_rise(bench: Bench) -> None:
    bench.add("a")
    first = bench.claim()
    assert first is not None
    far_ahead = first.fence + 10**12
    assert bench.hold(first).requeue(fence=far_ahead, message="{}")
    second = bench.claim()
    assert second is not None and second.fence == far_ahead + 1


def test_only_the_holder_renews_reports_and_settles(bench: Bench) -> None:
    bench.add("a")
    claim = bench.claim()
    assert claim is not None
    for other in (
        replace(claim, fence=claim.fence - 1),
        replace(claim, instance="somebody-else"),
    ):
        holder = bench.hold(other)
        assert holder.renew() == (False, False)
        assert not holder.progress("voice_gen", 30, "{}")
        assert not settle(bench, other)[0]
        assert not holder.requeue(fence=claim.fence + 5, message="{}")
    assert bench.hold(claim).renew() == (True, False)
    assert bench.hold(claim).progress("voice_gen", 30, "{}")


def test_progress_is_published_and_can_be_replayed(bench: Bench) -> None:
    bench.add("a")
    claim = bench.claim()
    pubsub = bench.client.pubsub(ignore_subscribe_messages=True)
    pubsub.subscribe("video_generation_progress:a")
    pubsub.get_message(timeout=1)
    message = json.dumps({"job_id": "a", "stage": "script_gen", "progress": 12, "worker_id": "w"})
    assert bench.hold(claim).progress("script_gen", 12, message)
    received = pubsub.get_message(timeout=2)
    assert received is not None and json.loads(received["data"])["progress"] == 12
    assert [json.loads(text) for _, text in waiting.events(bench.client, "a")] == [
        json.loads(message)
    ]
    status = waiting.status(bench.client, "a")
    assert status is not None and (status["stage"], status["progress"]) == ("script_gen", 12)
    pubsub.close()


def test_a_handed_back_job_is_next_in_line(bench: Bench) -> None:
    bench.add("a", "b")
    claim = bench.claim()
    assert bench.hold(claim).requeue(fence=(claim.fence + 1) if claim else 0, message="{}")
    again = bench.claim()
    assert again is not None and again.job_id == "a"


def test_a_parked_job_is_due_later_and_then_promoted(bench: Bench) -> None:
    bench.add("a")
    claim = bench.claim()
    assert claim is not None
    assert bench.hold(claim).requeue(fence=claim.fence + 1, message="{}", delay_s=3600)
    assert waiting.counts(bench.client) == {"waiting": 0, "running": 0, "scheduled": 1}
    assert upkeep.due(bench.client) == []
    assert upkeep.promote(bench.client, "a", "video")
    assert not upkeep.promote(bench.client, "a", "video")
    again = bench.claim()
    assert again is not None and again.job_id == "a"


def test_an_expired_lease_is_found_and_a_renewed_one_is_not(bench: Bench) -> None:
    hasty = Bench(bench.client, lease_s=0.0)
    hasty.add("a")
    claim = hasty.claim()
    assert claim is not None
    expired = upkeep.expired_leases(bench.client)
    assert [(lease.job_id, lease.fence) for lease in expired] == [("a", claim.fence)]
    assert bench.hold(claim).renew() == (True, False)
    assert upkeep.expired_leases(bench.client) == []


def test_cancelling_a_waiting_job_takes_it_off_its_list(bench: Bench) -> None:
    bench.add("a", "b")
    assert waiting.cancel(bench.client, "a", recorded=False, final_ttl_s=60) == "pending"
    assert bench.client.llen("video_generation_queue") == 1
    assert upkeep.pending_cancels(bench.client) == ["a"]
    claim = bench.claim()
    assert claim is not None and claim.job_id == "b"


def test_cancelling_a_running_job_tells_its_holder(bench: Bench) -> None:
    bench.add("a")
    claim = bench.claim()
    assert waiting.cancel(bench.client, "a", recorded=True, final_ttl_s=60) == "processing"
    assert bench.hold(claim).peek() == (True, True)
    assert bench.hold(claim).renew() == (True, True)


def test_cancelling_an_unknown_job_says_so(bench: Bench) -> None:
    assert waiting.cancel(bench.client, "nobody", recorded=False, final_ttl_s=60) is None


def test_enqueueing_twice_changes_nothing(bench: Bench) -> None:
    bench.add("a")
    assert not waiting.enqueue(bench.client, waiting.Waiting("a", "{}"), recorded=True)
    assert bench.client.llen("video_generation_queue") == 1


def test_a_foreign_entry_is_kept_until_it_is_adopted(bench: Bench) -> None:
    entry = b'{"id": "x"} \xff'
    bench.client.rpush("video_generation_queue", entry)
    found = bench.claims.next(bench.epoch)
    assert found == RawEntry(entry)
    assert upkeep.raw_entries(bench.client) == [entry]
    upkeep.mark_adopted(bench.client, entry)
    assert upkeep.raw_entries(bench.client) == []


def test_an_id_that_was_popped_and_lost_is_found_and_put_back(bench: Bench) -> None:
    bench.add("a", "b")
    assert upkeep.lists_match_ledger(bench.client)
    assert bench.client.lpop("video_generation_queue") == b"a"  # and the worker is killed here
    assert not upkeep.lists_match_ledger(bench.client)
    missing, foreign = upkeep.find_unlisted(bench.client)
    assert (missing, foreign) == ({"a"}, [])
    assert upkeep.repair(bench.client, "a")
    assert not upkeep.repair(bench.client, "a")
    claim = bench.claim()
    assert claim is not None and claim.job_id == "a"


def test_a_late_claim_of_a_repaired_id_is_refused(bench: Bench) -> None:
    """A paused worker wakes with an id that was put back and claimed by another meanwhile."""
    bench.add("a")
    popped = bench.client.lpop("video_generation_queue")
    upkeep.repair(bench.client, "a")
    other = Bench(bench.client, name="w2")
    assert other.claim() is not None
    assert bench.claims.next(bench.epoch, popped) is None


def test_after_a_wipe_nothing_is_claimed_under_the_old_epoch(bench: Bench) -> None:
    bench.add("a")
    bench.client.delete(keys.EPOCH)
    assert bench.claims.next(bench.epoch) == Wiped()


def test_a_holder_restores_its_own_hash_after_a_wipe(bench: Bench) -> None:
    bench.add("a")
    claim = bench.claim()
    assert claim is not None
    bench.client.delete(keys.job("a"), keys.LEASES)
    holder = bench.hold(claim)
    assert holder.peek() == (True, False)
    assert holder.renew() == (True, False)
    assert settle(bench, claim)[0]


@pytest.mark.parametrize("cancelled", [False, True])
def test_a_holder_takes_its_job_out_of_what_an_old_row_put_back(
    bench: Bench, cancelled: bool
) -> None:
    """The row was read as pending, then claimed; Redis was wiped; then the old row was put back."""
    bench.add("a")
    claim = bench.claim()
    assert claim is not None
    bench.client.delete(keys.job("a"), keys.LEASES)
    row: dict[str, Any] = {"lease_ms": 1000, "final_ttl_s": 60, "enqueued_ms": 1, "more": {}}
    assert upkeep.restore(bench.client, waiting.Waiting("a", "{}"), state="pending", fence=0, **row)
    if cancelled:
        waiting.cancel(bench.client, "a", recorded=True, final_ttl_s=60)
    holder = bench.hold(claim)
    assert holder.peek() == (True, False)
    assert holder.renew() == (True, cancelled)
    assert waiting.counts(bench.client) == {"waiting": 0, "running": 1, "scheduled": 0}
    assert bench.claim() is None
    assert settle(bench, claim)[0]


def test_many_jobs_are_completed_at_once_by_their_holder_only(bench: Bench) -> None:
    bench.add("a", "b", "c")
    first, second, third = (bench.claim() for _ in range(3))
    assert first and second and third
    taken = replace(second, fence=second.fence - 1)
    ended = [first, taken, third]
    with bench.client.pubsub() as heard:
        heard.psubscribe(keys.channel("*"))
        completion = Completion(bench.client, ended, worker_id="w1", final_ttl_s=60)
        assert completion.run() == [True, False, True]
        assert completion.run() == [True, False, True], "a repeat after a lost reply"
        told = [one["channel"] for one in iter(lambda: heard.get_message(timeout=0.2), None)]
    assert told.count(keys.channel("a").encode()) == 1
    assert keys.channel("b").encode() not in told
    assert waiting.counts(bench.client)["running"] == 1
    states = [(waiting.status(bench.client, name) or {})["status"] for name in "abc"]
    assert states == ["completed", "processing", "completed"]
    ((entry, told_of_a),) = waiting.events(bench.client, "a")
    assert told_of_a == success_message("a", "w1")
    assert (entry, told_of_a) == next(
        (entry, fields["data"])
        for entry, fields in waiting.all_events(bench.client, "0-0", 10)
        if fields["job"] == "a"
    )
    assert not waiting.events(bench.client, "a", after=entry)


def test_what_a_group_told_of_a_job_outlives_its_replay(bench: Bench) -> None:
    bench.add("a")
    claim = bench.claim()
    assert claim is not None and bench.hold(claim).progress("perform", 40, "{}")
    Completion(bench.client, [claim], worker_id="w1", final_ttl_s=60).run()
    before = waiting.events(bench.client, "a")
    assert [text for _, text in before] == ["{}", success_message("a", "w1")]
    for _ in range(2):  # a repeat after a lost reply
        assert waiting.replay(bench.client, waiting.Waiting("a", "{}"), fence=claim.fence + 1)
    assert waiting.events(bench.client, "a") == before
    again = bench.claim()
    assert again is not None
    Completion(bench.client, [again], worker_id="w1", final_ttl_s=60).run()
    assert waiting.events(bench.client, "a")[:2] == before
    assert len(waiting.events(bench.client, "a")) == 3


def test_more_than_one_script_takes_are_completed_all_the_same(bench: Bench) -> None:
    names = [f"job{number}" for number in range(MOST_AT_ONCE + 20)]
    bench.add(*names)
    ended = [claim for _ in names if (claim := bench.claim())]
    assert Completion(bench.client, ended, worker_id="w1", final_ttl_s=60).run() == [True] * len(
        names
    )
    assert waiting.counts(bench.client)["running"] == 0


def test_jobs_that_go_back_together_keep_their_order_at_the_front(bench: Bench) -> None:
    bench.add("a", "b", "c", "d")
    claims = [claim for _ in range(3) if (claim := bench.claim())]
    leaving = [Leaving(claim, "{}") for claim in reversed(claims)]
    for _ in range(2):  # a repeat after a lost reply
        hand_back(bench.client, leaving)
    assert waiting.counts(bench.client) == {"waiting": 4, "running": 0, "scheduled": 0}
    again = [claim for _ in range(4) if (claim := bench.claim())]
    assert [claim.job_id for claim in again] == ["a", "b", "c", "d"]
    assert all(later.fence > sooner.fence for later, sooner in zip(again, claims, strict=False))


def test_restoring_a_row_gives_way_to_a_newer_hash(bench: Bench) -> None:
    bench.add("a")
    claim = bench.claim()
    assert claim is not None
    row: dict[str, Any] = {"lease_ms": 1000, "final_ttl_s": 60, "enqueued_ms": 1, "more": {}}
    job = waiting.Waiting("a", "{}")
    assert not upkeep.restore(bench.client, job, state="pending", fence=claim.fence, **row)
    assert upkeep.restore(bench.client, job, state="completed", fence=claim.fence + 1, **row)
    assert waiting.counts(bench.client) == {"waiting": 0, "running": 0, "scheduled": 0}


def test_a_stale_row_does_not_undo_the_end_of_the_same_hold(bench: Bench) -> None:
    """A housekeeper reads the row as running; the holder settles; then the housekeeper writes."""
    bench.add("a")
    claim = bench.claim()
    assert claim is not None
    settle(bench, claim)
    row: dict[str, Any] = {"lease_ms": 1000, "final_ttl_s": 60, "enqueued_ms": 1, "more": {}}
    job = waiting.Waiting("a", "{}")
    stale: dict[str, Any] = {"state": "processing", "fence": claim.fence}
    stale["wrong_fence"] = claim.fence
    assert not upkeep.restore(bench.client, job, **stale, **row)
    assert (waiting.status(bench.client, "a") or {})["status"] == "completed"
    assert waiting.counts(bench.client)["running"] == 0


def test_replaying_a_finished_job_makes_it_wait_once(bench: Bench) -> None:
    bench.add("a")
    settle(bench, bench.claim(), state="failed")
    job = waiting.Waiting("a", "{}")
    for _ in range(2):
        assert waiting.replay(bench.client, job, fence=7)
        assert waiting.depths(bench.client)["video"] == 1
    claim = bench.claim()
    assert claim is not None and claim.job_id == "a"


def test_a_replay_waits_for_the_holder_that_has_ended_the_row_alone(bench: Bench) -> None:
    bench.add("a")
    claim = bench.claim()
    assert claim is not None
    job = waiting.Waiting("a", "{}")
    assert not waiting.replay(bench.client, job, fence=claim.fence + 1)
    settle(bench, claim)
    assert waiting.replay(bench.client, job, fence=claim.fence + 1)
    assert waiting.depths(bench.client)["video"] == 1


def test_every_script_says_what_its_keys_and_answers_are() -> None:
    from pathlib import Path

    import redis_queue

    folder = Path(redis_queue.__file__).parent / "scripts"
    for path in sorted(folder.glob("*.lua")):
        text = path.read_text()
        for heading in ("Atomic because", "KEYS", "ARGV", "Returns"):
            header = text[: text.index("\nlocal")] if "\nlocal" in text else text
            needed = heading != "Atomic because" or "tomic because" in header
            assert heading in header or not needed, f"{path.name}: no {heading}"
        assert "redis.call('KEYS'" not in text
        assert len(text.splitlines()) <= 75
