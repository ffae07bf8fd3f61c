"""One job for each step of a paid call, a worker killed at that step, and one that finishes all.

Each job waits in a queue of its step's name, so each victim gets its own and takes no other's,
and all victims of a provider live and die side by side.
"""

from __future__ import annotations

import json
import signal
from collections.abc import Sequence
from dataclasses import dataclass, field

from redis_queue.waiting import enqueue
from runtime.mirror import waiting_of
from store.records import NewJob
from tests.processes.conftest import Stack
from tests.stubs.server import Stub

#: The step of a job whose worker is left alone.
CALM = "calm"


@dataclass(frozen=True)
class Killed:
    """What became of a job whose worker died at `step`. Money in micro-dollars, by the vendor."""

    provider: str
    step: str
    created: int
    paid: int
    #: What the killed worker had paid, and the whole job once more.
    naive: int
    #: The states of the job's calls in our own record, sorted.
    states: tuple[str, ...]

    @property
    def doubtful(self) -> int:
        return self.states.count("doubtful")


@dataclass
class Bill:
    """The kills of a whole module, as a table."""

    lines: list[Killed] = field(default_factory=list)

    def __str__(self) -> str:
        head = f"{'provider':<11} {'killed at':<15} {'created':>7} {'in doubt':>8}"
        rows = [f"{head} {'paid':>10} {'naive rerun':>12}"]
        for line in self.lines:
            rows.append(
                f"{line.provider:<11} {line.step:<15} {line.created:>7} {line.doubtful:>8} "
                f"{_dollars(line.paid):>10} {_dollars(line.naive):>12}"
            )
        paid, naive = (
            sum(getattr(line, name) for line in self.lines) for name in ("paid", "naive")
        )
        created = sum(line.created for line in self.lines)
        doubtful = sum(line.doubtful for line in self.lines)
        total = f"{'all':<27} {created:>7} {doubtful:>8}"
        return "\n".join([*rows, f"{total} {_dollars(paid):>10} {_dollars(naive):>12}"])


def killed_at_each(
    stack: Stack, provider: str, stub: Stub, steps: Sequence[str], **settings: str
) -> tuple[Killed, list[Killed]]:
    """(the job that nobody disturbed, the job of each step), all completed in the end."""
    settings = {**stub.settings, **settings}
    victims = []
    for step in steps:
        _submit(stack, step)
        victims.append(stack.start(step, WORKER_QUEUES=step, WORKER_KILL_AT=step, **settings))
    for victim in victims:
        assert victim.wait(timeout=60) == -signal.SIGKILL
    before = {step: sum(stub.charges_for(_product(step))) for step in steps}
    _submit(stack, CALM)
    stack.start("healthy", WORKER_QUEUES=",".join([CALM, *steps]), **settings)
    for step in (CALM, *steps):
        stack.wait_state(step, "completed", within_s=120)
    needed = len(stub.charges_for(_product(CALM)))

    def became(step: str) -> Killed:
        charges = stub.charges_for(_product(step))
        states = sorted(call.state for call in stack.database.calls.of_job(step))
        # The last ones are those that the result is made of.
        naive = before.get(step, 0) + sum(charges[-needed:])
        return Killed(provider, step, len(charges), sum(charges), naive, tuple(states))

    return became(CALM), [became(step) for step in steps]


def _product(step: str) -> str:
    """A name that every request of the job's holds, and no other's."""
    return f"Mug {step.removeprefix('call_').title()}"


def _submit(stack: Stack, step: str) -> None:
    """Accept a job into the queue of its step's name, which no payload can ask for."""
    # The smallest frame, for the scenes that are drawn and not filmed take the time.
    payload = json.dumps({"id": step, "product_name": _product(step), "frames": ["1:1"]})
    assert stack.database.jobs.accept(NewJob(step, payload, queue=step))
    row = stack.database.jobs.get(step)
    assert row is not None
    enqueue(stack.client, waiting_of(row), recorded=True)
    stack.database.jobs.mark_pushed([row])


def _dollars(microusd: int) -> str:
    return f"${microusd / 1e6:.4f}"
