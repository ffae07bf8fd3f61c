"""Groups of jobs in one statement, beside other groups."""

from __future__ import annotations

import random
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from database import Database
from store.groups import Finish
from store.records import NewJob


def shuffled(names: Sequence[str], seed: int) -> list[str]:
    """The names in an order of its own."""
    return random.Random(seed).sample(list(names), len(names))


@pytest.mark.parametrize("any_database_url", ["postgres"], indirect=True)
def test_groups_of_the_same_rows_do_not_wait_for_each_other(any_database: Database) -> None:
    """However their callers order them: a submit marks its jobs while a worker claims them."""
    groups = any_database.groups

    def mark(names: list[str], seed: int) -> None:
        groups.mark_pushed(shuffled(names, seed))

    def work(names: list[str]) -> None:
        held = [(name, 1) for name in shuffled(names, 0)]
        assert len(groups.claim(held, worker_id="w", instance="i")) == len(names)
        assert len(groups.hand_back(held[::-1])) == len(names)

    with ThreadPoolExecutor(3) as threads:
        for turn in range(12):
            names = [f"job-{turn}-{number}" for number in range(400)]
            groups.accept([NewJob(name, "{}") for name in names])
            running = [threads.submit(mark, names, 1), threads.submit(work, names)]
            running.append(threads.submit(mark, names, 2))
            for each in running:
                each.result()


@pytest.mark.parametrize("any_database_url", ["postgres"], indirect=True)
def test_two_who_accept_the_same_keys_do_not_wait_for_each_other(any_database: Database) -> None:
    keys = [f"key-{number}" for number in range(300)]

    def accept(turn: int, producer: int) -> int:
        jobs = [
            NewJob(f"{turn}-{producer}-{key}", "{}", idempotency_key=f"{turn}-{key}")
            for key in shuffled(keys, 2 * turn + producer)
        ]
        return len(jobs) - len(any_database.groups.accept(jobs))

    with ThreadPoolExecutor(2) as threads:
        for turn in range(10):
            first, second = (threads.submit(accept, turn, producer) for producer in range(2))
            assert first.result() + second.result() == len(keys)


def test_rows_that_were_moved_on_are_not_marked_or_ended(any_database: Database) -> None:
    groups = any_database.groups
    groups.accept([NewJob("a", "{}"), NewJob("b", "{}")])
    assert list(groups.claim([("a", 5), ("c", 5)], worker_id="w", instance="i")) == ["a"]
    groups.mark_pushed(["a", "b"])
    assert not any_database.jobs.unpushed(older_than_s=-1)
    assert not groups.complete([Finish("a", 4, "{}"), Finish("b", 5, "{}")])
    assert list(groups.complete([Finish("a", 5, '{"value": 1}')])) == ["a"]
    record = any_database.jobs.get("a")
    assert record is not None and record.result == {"value": 1} and record.progress == 100


def test_jobs_are_listed_in_the_order_in_which_they_were_given(any_database: Database) -> None:
    names = shuffled([f"job-{number}" for number in range(50)], 1)
    any_database.groups.accept([NewJob(name, "{}") for name in names])
    records = [any_database.jobs.get(name) for name in names]
    made = [record.created_at for record in records if record]
    assert made == sorted(set(made))
