"""A worker is killed at each step of a paid call: what was paid for is not paid for twice.

A provider that can be asked (ElevenLabs, Replicate) is paid once. Of one that cannot (Claude, an
OpenAI-compatible one, fal) at most the call under way is paid again, and is recorded as in doubt.

The module ends by printing what was paid, and what a worker that starts over would have paid:
`pytest -s`, or `-rP`, shows the table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from runtime.steps import CALL_STEPS
from store.records import utc_now
from tests.commands.test_cli import Cli
from tests.durability.kills import Bill, killed_at_each
from tests.processes.conftest import Stack
from tests.stubs.chat import AnthropicStub, OpenAIStub
from tests.stubs.elevenlabs import ElevenLabsStub
from tests.stubs.media import make_mp3, make_mp4
from tests.stubs.queues import FalStub, ReplicateStub
from tests.stubs.server import Stub

#: Between these a call is in doubt where the provider cannot be asked.
_UNTOLD = ("call_begun", "call_answered")


@dataclass(frozen=True)
class Media:
    mp3: bytes
    mp4: bytes


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Media:
    folder = tmp_path_factory.mktemp("media")
    return Media(make_mp3(folder, 8.0), make_mp4(folder, 2.0))


@pytest.fixture(scope="module")
def bill() -> Iterator[Bill]:
    """Collects every kill; printed when the module has run."""
    collected = Bill()
    yield collected
    print(f"\n\nCreations, and what a naive rerun would have paid:\n\n{collected}")


@pytest.fixture
def claude() -> Iterator[AnthropicStub]:
    with AnthropicStub() as stub:
        yield stub


@pytest.fixture
def elevenlabs(media: Media) -> Iterator[ElevenLabsStub]:
    with ElevenLabsStub(media.mp3) as stub:
        yield stub


def _instant(stub: ReplicateStub | FalStub) -> Stub:
    stub.instant = True
    return stub


@dataclass(frozen=True)
class Vendor:
    stub: Callable[[Media], Stub]
    can_be_asked: bool
    #: Whether it names its work first and delivers later; else both are one answer.
    is_queue: bool = False
    #: What else a worker needs, so that each job asks this vendor for something of its own.
    settings: tuple[tuple[str, str], ...] = ()

    @property
    def steps(self) -> list[str]:
        return [step for step in CALL_STEPS if self.is_queue or step != "call_submitted"]


VENDORS = {
    "claude": Vendor(lambda _: AnthropicStub(), can_be_asked=False),
    "openai": Vendor(lambda _: OpenAIStub(), can_be_asked=False),
    # The template writer's words hold the product's name; the null writer's are all the same.
    "elevenlabs": Vendor(
        lambda media: ElevenLabsStub(media.mp3),
        can_be_asked=True,
        settings=(("SCRIPT_PROVIDER", "template"),),
    ),
    "replicate": Vendor(
        lambda media: _instant(ReplicateStub(media.mp4)), can_be_asked=True, is_queue=True
    ),
    "fal": Vendor(lambda media: _instant(FalStub(media.mp4)), can_be_asked=False, is_queue=True),
}


@pytest.mark.parametrize("name", VENDORS)
def test_wherever_the_worker_dies_at_most_the_call_under_way_is_paid_again(
    stack: Stack, media: Media, bill: Bill, name: str
) -> None:
    vendor = VENDORS[name]
    with vendor.stub(media) as stub:
        calm, killed = killed_at_each(stack, name, stub, vendor.steps, **dict(vendor.settings))
    bill.lines += killed
    assert calm.created > 0
    assert calm.states == ("finished",) * calm.created
    for job in killed:
        in_doubt = job.step in _UNTOLD and not vendor.can_be_asked
        assert job.states == ("doubtful",) * in_doubt + calm.states, job.step
        # Killed before the request was sent, the doubt was unfounded, which nobody could know.
        paid_again = in_doubt and job.step != "call_begun"
        assert job.created == calm.created + paid_again, job.step
        assert job.paid <= job.naive, job.step
    [shown] = Cli(stack).json("costs", "--by", "provider")
    calls = [call for step in vendor.steps for call in stack.database.calls.of_job(step)]
    doubted = [call.cost_microusd or 0 for call in calls if call.state == "doubtful"]
    assert shown["doubtful_microusd"] == sum(doubted)
    assert len(doubted) == (0 if vendor.can_be_asked else len(_UNTOLD))


def test_what_was_spent_is_what_the_vendors_charged(
    stack: Stack, claude: AnthropicStub, elevenlabs: ElevenLabsStub
) -> None:
    stack.started(**claude.settings, **elevenlabs.settings)
    stack.submit("a")
    stack.wait_state("a", "completed", within_s=60)
    rows = stack.database.calls.costs("provider", since=utc_now() - timedelta(days=1))
    spent = {row["provider"]: row["spent_microusd"] for row in rows}
    assert spent == {"claude": claude.spent_microusd, "elevenlabs": elevenlabs.spent_microusd}


def test_a_job_above_its_cap_spends_nothing(stack: Stack, claude: AnthropicStub) -> None:
    stack.started(**claude.settings)
    stack.submit("a", max_cost_usd=0)
    stack.wait_state("a", "failed")
    record = stack.database.jobs.get("a")
    assert record is not None and record.error and "max_cost_usd" in record.error
    assert claude.created == 0


def test_no_key_is_in_a_log_a_row_or_an_artefact(
    stack: Stack, claude: AnthropicStub, elevenlabs: ElevenLabsStub, tmp_path: Path
) -> None:
    claude.authorise = lambda request: None  # type: ignore[method-assign]
    worker = stack.started(**claude.settings, **elevenlabs.settings)
    stack.submit("good")
    stack.wait_state("good", "completed", within_s=60)
    worker.terminate()
    worker.wait(timeout=60)
    planted = (claude.KEY.encode(), elevenlabs.KEY.encode())
    holding = [
        path
        for path in tmp_path.rglob("*")
        if path.is_file() and any(key in path.read_bytes() for key in planted)
    ]
    assert holding == []
