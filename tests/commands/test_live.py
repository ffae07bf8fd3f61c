"""The real calls of `./run_tests.sh live`, made to stubs: its machinery must not rot."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from config import variable_of
from tests.live.__main__ import main
from tests.live.checks import CHECKS
from tests.stubs.chat import AnthropicStub, OpenAIStub
from tests.stubs.elevenlabs import ElevenLabsStub
from tests.stubs.media import make_mp3, make_mp4
from tests.stubs.queues import FalStub, ReplicateStub
from tests.stubs.server import Fault, Stub

#: No file of whoever runs this is read.
_HERE: dict[str, Any] = {"_env_file": None}


@pytest.fixture(autouse=True)
def no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for check in CHECKS:
        for name in map(variable_of, check.needs):
            monkeypatch.delenv(name, raising=False)
            monkeypatch.delenv(f"{name}_FILE", raising=False)
    for name in [name for name in os.environ if name.endswith("_MODEL")]:
        monkeypatch.delenv(name)


@pytest.fixture
def stubs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Stub]]:
    mp3, mp4 = make_mp3(tmp_path, 1.0), make_mp4(tmp_path, 3.0)
    replicate, fal = ReplicateStub(mp4), FalStub(mp4)
    replicate.instant = fal.instant = True
    made: dict[str, Stub] = {
        "claude": AnthropicStub(),
        "openai": OpenAIStub(),
        "elevenlabs": ElevenLabsStub(mp3),
        "replicate": replicate,
        "fal": fal,
    }
    with ExitStack() as opened:
        for stub in made.values():
            opened.enter_context(stub)
            for name, value in stub.settings.items():
                if name.endswith(("_KEY", "_TOKEN", "_URL")):
                    monkeypatch.setenv(name, value)
        yield made


def test_without_a_key_it_says_what_to_set(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([], **_HERE) == 0
    said = capsys.readouterr().out
    assert "OPENAI_API_KEY and OPENAI_BASE_URL" in said
    for name in ("ANTHROPIC_API_KEY", "ELEVENLABS_API_KEY", "REPLICATE_API_TOKEN", "FAL_KEY"):
        assert name in said


def test_the_price_is_said_before_a_yes_and_nothing_is_spent_without(
    stubs: dict[str, Stub], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def no(question: str) -> str:
        asked.append(question)
        return "y"

    monkeypatch.setattr("builtins.input", no)
    assert main([], **_HERE) == 1
    said = capsys.readouterr().out
    assert len(asked) == 1 and "Nothing was spent" in said
    assert {line.split()[0]: line.split()[1] for line in said.splitlines()[3:6]} == {
        "elevenlabs": "$0.0004",
        "replicate": "$0.1080",
        "fal": "$0.1080",
    }
    assert [len(stub.requests) for stub in stubs.values()] == [0] * len(stubs)


def test_each_provider_is_called_once_and_a_failing_one_fails_the_run(
    stubs: dict[str, Stub], capsys: pytest.CaptureFixture[str]
) -> None:
    stubs["openai"].plan("create", Fault("status", 401))
    assert main(["--yes"], **_HERE) == 1
    lines = capsys.readouterr().out.splitlines()[-len(stubs) :]
    verdicts = {line.split()[0]: line.split()[1] for line in lines}
    assert verdicts == {name: "FAILED:" if name == "openai" else "ok," for name in stubs}
    assert {name: stub.created for name, stub in stubs.items()} == {
        name: int(name != "openai") for name in stubs
    }
    assert not [line for line in lines if any(stub.KEY in line for stub in stubs.values())]


def test_a_typed_yes_is_enough_and_all_well_is_0(
    stubs: dict[str, Stub], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REPLICATE_API_TOKEN")
    monkeypatch.delenv("FAL_KEY")
    monkeypatch.setattr("builtins.input", lambda _: "yes")
    assert main([], **_HERE) == 0
    assert [stub.created for stub in stubs.values()] == [1, 1, 1, 0, 0]
