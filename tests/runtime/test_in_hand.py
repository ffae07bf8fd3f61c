"""What a crew has in hand: places, order, and jobs that run alone."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from jobs.outcome import Outcome
from runtime import in_hand
from runtime.in_hand import Hand, InHand
from runtime.thread_interrupts import ThreadInterrupts
from store.records import JobRecord


def held(name: str, crashes: int = 0) -> Hand:
    record: Any = object.__new__(JobRecord)
    record.__dict__.update(id=name, crashes=crashes)
    lease: Any = None
    return Hand(record, lease, 0.0, ThreadInterrupts(stage_timeout_s=1))


def places(hands: InHand) -> int:
    """How many are free, without claiming any."""
    free = hands.await_place()
    if free:
        hands.coming(0)
    return free


def claim(hands: InHand, number: int) -> None:
    assert hands.await_place() >= number
    hands.coming(number)


def ids(hands: list[Hand] | None) -> list[str]:
    return [hand.record.id for hand in hands or []]


def run(hands: InHand) -> Hand:
    """As a runner does with the next one."""
    hand = hands.next()
    assert hand is not None
    hand.begun_at, hand.ended_at = 0.0, 1.0
    hand.outcome = Outcome.completed({})
    hands.ended(hand)
    return hand


def settle(hands: InHand) -> list[str]:
    ended = hands.next_ended(10) or []
    hands.settled(ended)
    return ids(ended)


def test_a_place_is_free_again_when_its_job_is_settled() -> None:
    hands = InHand(2, max_crashes=3)
    claim(hands, 1)
    hands.begin(held("a"))
    hands.arrived(1)
    assert places(hands) == 1
    run(hands)
    assert places(hands) == 1
    assert settle(hands) == ["a"]
    assert places(hands) == 2 and hands.is_empty


def test_what_nobody_comes_to_goes_back_last_one_first(monkeypatch: pytest.MonkeyPatch) -> None:
    hands = InHand(1, max_crashes=3)
    for name in "abc":
        hands.begin(held(name))
    hands.return_overdue()
    running = hands.next()
    assert running is not None
    running.begun_at = 0.0
    monkeypatch.setattr(in_hand, "_PATIENCE_S", 0.0)
    hands.return_overdue()
    returned = hands.next_ended(10)
    assert ids(returned) == ["c", "b"]
    assert [hand.outcome for hand in returned or []] == [Outcome.returned()] * 2


def test_a_suspect_that_comes_beside_others_goes_back_and_then_runs_alone() -> None:
    hands = InHand(4, max_crashes=3)
    hands.begin(held("running"))
    claim(hands, 3)
    taken = [held("a"), held("suspect", 3), held("b", 2)]
    begun, returned = hands.sort(taken, 3)
    assert (ids(begun), ids(returned)) == (["a", "b"], ["suspect"])
    for hand in begun:
        hands.begin(hand)
    hands.arrived(3)
    assert hands.await_place() == 0, "nothing is claimed before they are over"
    assert [run(hands).record.id for _ in range(3)] == ["running", "a", "b"]
    settle(hands)
    assert hands.await_place() == 1, "then one by itself"
    assert hands.await_place() == 0, "by one claimer"
    hands.coming(1)
    assert hands.await_place() == 0
    begun, returned = hands.sort([held("suspect", 3)], 1)
    assert (ids(begun), returned) == (["suspect"], [])
    hands.begin(begun[0])
    hands.arrived(1)
    assert hands.await_place() == 0, "while it runs, it is alone"
    run(hands)
    settle(hands)
    assert places(hands) == 4


def test_of_a_group_that_comes_into_empty_hands_one_suspect_is_kept() -> None:
    hands = InHand(4, max_crashes=1)
    claim(hands, 3)
    begun, returned = hands.sort([held("a"), held("first", 1), held("second", 1)], 3)
    assert (ids(begun), ids(returned)) == (["first"], ["a", "second"])


def test_what_comes_while_a_suspect_waits_to_be_alone_goes_back() -> None:
    """Another claimer was asking already: it is waited for, and what it brings goes back."""
    hands = InHand(4, max_crashes=1)
    claim(hands, 1)
    assert hands.await_place() == 3
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(hands.sort, [held("suspect", 1)], 1)
        with pytest.raises(TimeoutError):
            first.result(timeout=0.1)
        hands.coming(2)
        begun, returned = hands.sort([held("a"), held("b", 1)], 2)
        assert (begun, ids(returned)) == ([], ["a", "b"])
        hands.arrived(2)
        begun, returned = first.result(timeout=60)
    assert (ids(begun), returned) == (["suspect"], [])
    hands.begin(begun[0])
    hands.arrived(1)
    assert hands.await_place() == 0
    run(hands)
    settle(hands)
    assert places(hands) == 4


def test_a_suspect_that_others_were_faster_than_goes_back() -> None:
    hands = InHand(4, max_crashes=1)
    claim(hands, 1)
    claim(hands, 1)
    begun, _ = hands.sort([held("other")], 1)
    with ThreadPoolExecutor(1) as threads:
        late = threads.submit(hands.sort, [held("suspect", 1)], 1)
        hands.begin(begun[0])
        hands.arrived(1)
        begun, returned = late.result(timeout=60)
    assert (begun, ids(returned)) == ([], ["suspect"])


def test_another_job_may_come_instead_of_the_suspect() -> None:
    hands = InHand(4, max_crashes=1)
    hands.begin(held("running"))
    hands.sort([held("suspect", 1)], 1)
    run(hands)
    settle(hands)
    claim(hands, 1)
    hands.begin(held("other"))
    hands.arrived(1)
    assert places(hands) == 3


def test_whoever_leaves_gives_back_what_was_not_begun() -> None:
    hands = InHand(4, max_crashes=1)
    for name in "ab":
        hands.begin(held(name))
    hands.return_unbegun()
    assert settle(hands) == ["b", "a"]
    hands.await_empty(0)
    assert hands.is_empty
    hands.leave(1)
    assert hands.next() is None and hands.next_ended(10) is None


def test_a_suspect_waits_for_the_main_loops_job_to_end() -> None:
    hands = InHand(4, max_crashes=1)
    assert hands.admit(held("video").record)
    claim(hands, 1)
    begun, returned = hands.sort([held("suspect", 1)], 1)
    assert (begun, ids(returned)) == ([], ["suspect"])
    hands.arrived(1)
    assert hands.is_waited_for
    assert hands.await_place() == 0, "it would come back beside the video"
    hands.dismiss()
    assert not hands.admit(held("next video").record)
    assert hands.await_place() == 1
    hands.coming(1)
    (suspect,), _ = hands.sort([held("suspect", 1)], 1)
    hands.begin(suspect)
    hands.arrived(1)
    assert not hands.admit(held("next video").record)
    run(hands)
    settle(hands)
    assert hands.admit(held("next video").record)


def test_the_main_loops_suspect_is_admitted_into_empty_hands_alone() -> None:
    hands = InHand(4, max_crashes=1)
    hands.begin(held("a"))
    assert not hands.admit(held("video", 1).record)
    assert hands.await_place() == 0, "nothing more is claimed meanwhile"
    run(hands)
    settle(hands)
    assert hands.admit(held("video", 1).record)
    assert hands.await_place() == 0
    hands.dismiss()
    assert places(hands) == 4


def test_hands_that_empty_for_a_suspect_go_on_where_another_worker_took_it() -> None:
    hands = InHand(4, max_crashes=1)
    hands.begin(held("a"))
    claim(hands, 1)
    hands.sort([held("suspect", 1)], 1)
    hands.arrived(1)
    run(hands)
    settle(hands)
    assert hands.is_waited_for and hands.await_place() == 1
    hands.coming(0)
    assert not hands.is_waited_for and places(hands) == 4
