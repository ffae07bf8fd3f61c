"""A worker is killed at each step of a paid call: what was paid for is not paid for twice.

A provider that can be asked (ElevenLabs) is paid once. One that cannot (Claude) is paid at most
once more, and that call is recorded as in doubt.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from runtime.steps import CALL_STEPS
from store.records import utc_now
from tests.processes.conftest import Stack, stack  # noqa: F401
from tests.stubs.chat import AnthropicStub
from tests.stubs.elevenlabs import ElevenLabsStub
from tests.stubs.media import make_mp3


@pytest.fixture(scope="module")
def mp3(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return make_mp3(tmp_path_factory.mktemp("mp3"), 8.0)


@pytest.fixture
def claude() -> Iterator[AnthropicStub]:
    with AnthropicStub() as stub:
        yield stub


@pytest.fixture
def elevenlabs(mp3: bytes) -> Iterator[ElevenLabsStub]:
    with ElevenLabsStub(mp3) as stub:
        yield stub


def writing(stub: AnthropicStub) -> dict[str, Any]:
    return {
        "SCRIPT_PROVIDER": "claude",
        "ANTHROPIC_API_KEY": stub.KEY,
        "ANTHROPIC_BASE_URL": stub.url,
    }


def speaking(stub: ElevenLabsStub) -> dict[str, Any]:
    return {
        "VOICE_PROVIDER": "elevenlabs",
        "ELEVENLABS_API_KEY": stub.KEY,
        "ELEVENLABS_BASE_URL": stub.url,
        "ELEVENLABS_MODEL": "eleven_multilingual_v2",
    }


def killed_at(stack: Stack, step: str, providers: dict[str, Any]) -> None:  # noqa: F811
    """Run one job through a worker that dies at `step`, then through one that does not."""
    stack.submit("a")
    victim = stack.start("victim", WORKER_KILL_AT=step, **providers)
    assert victim.wait(timeout=60) == -signal.SIGKILL
    stack.started("healthy", **providers)
    stack.wait_state("a", "completed", within_s=60)


@pytest.mark.parametrize("step", [step for step in CALL_STEPS if step != "call_submitted"])
def test_claude_is_paid_once_or_the_second_is_in_doubt(
    stack: Stack,  # noqa: F811
    claude: AnthropicStub,
    step: str,
) -> None:
    killed_at(stack, step, writing(claude))
    states = sorted(call.state for call in stack.database.calls.of_job("a"))
    if step == "call_finished":
        assert (claude.created, states) == (1, ["finished"])
    else:
        # The kill fell between intent and answer: nobody can say whether it was paid.
        assert claude.created == (1 if step == "call_begun" else 2)
        assert states == ["doubtful", "finished"]
    naive = claude.spent_microusd * 2
    print(f"claude, killed at {step}: {claude.created} paid; a naive rerun: {naive} micro-dollars")


def test_elevenlabs_is_paid_once_wherever_the_worker_dies(
    stack: Stack,  # noqa: F811
    elevenlabs: ElevenLabsStub,
) -> None:
    """The undisturbed run says how many calls the job needs; no kill may add one."""
    # The template writer's words hold the product's name: each job asks for another sound.
    providers = {**speaking(elevenlabs), "SCRIPT_PROVIDER": "template"}
    stack.submit("calm")
    worker = stack.started("calm", **providers)
    stack.wait_state("calm", "completed", within_s=60)
    worker.kill()
    worker.wait()
    needed = elevenlabs.created
    for number, step in enumerate(("call_begun", "call_answered", "call_finished")):
        before = elevenlabs.created
        job = stack.submit(f"job-{number}")
        victim = stack.start("victim", WORKER_KILL_AT=step, **providers)
        assert victim.wait(timeout=60) == -signal.SIGKILL
        healthy = stack.started("healthy", **providers)
        stack.wait_state(job, "completed", within_s=60)
        healthy.kill()
        healthy.wait()
        assert elevenlabs.created - before == needed, step
        assert {call.state for call in stack.database.calls.of_job(job)} == {"finished"}


def test_what_was_spent_is_what_the_vendors_charged(
    stack: Stack,  # noqa: F811
    claude: AnthropicStub,
    elevenlabs: ElevenLabsStub,
) -> None:
    stack.started(**writing(claude), **speaking(elevenlabs))
    stack.submit("a")
    stack.wait_state("a", "completed", within_s=60)
    rows = stack.database.calls.costs("provider", since=utc_now() - timedelta(days=1))
    spent = {row["provider"]: row["spent_microusd"] for row in rows}
    assert spent == {"claude": claude.spent_microusd, "elevenlabs": elevenlabs.spent_microusd}


def test_a_job_above_its_cap_spends_nothing(stack: Stack, claude: AnthropicStub) -> None:  # noqa: F811
    stack.started(**writing(claude))
    stack.submit("a", max_cost_usd=0)
    stack.wait_state("a", "failed")
    record = stack.database.jobs.get("a")
    assert record is not None and record.error and "max_cost_usd" in record.error
    assert claude.created == 0


def test_no_key_is_in_a_log_a_row_or_an_artefact(
    stack: Stack,  # noqa: F811
    claude: AnthropicStub,
    elevenlabs: ElevenLabsStub,
    tmp_path: Path,
) -> None:
    claude.authorise = lambda request: None  # type: ignore[method-assign]
    worker = stack.started(**writing(claude), **speaking(elevenlabs))
    stack.submit("good")
    stack.wait_state("good", "completed", within_s=60)
    worker.terminate()
    worker.wait(timeout=10)
    planted = (claude.KEY.encode(), elevenlabs.KEY.encode())
    holding = [
        path
        for path in tmp_path.rglob("*")
        if path.is_file() and any(key in path.read_bytes() for key in planted)
    ]
    assert holding == []
