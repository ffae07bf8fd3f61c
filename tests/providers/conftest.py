"""A stub of each vendor, and the small media files that they hand out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from jobs.payload import VideoJob
from pipeline.calls import CallsInMemory
from tests.pipeline.context import FakeContext
from tests.stubs.chat import AnthropicStub, OpenAIStub
from tests.stubs.elevenlabs import ElevenLabsStub
from tests.stubs.media import make_mp3, make_mp4
from tests.stubs.queues import FalStub, ReplicateStub


@pytest.fixture(scope="session")
def mp3(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return make_mp3(tmp_path_factory.mktemp("mp3"), 8.0)


@pytest.fixture(scope="session")
def mp4(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return make_mp4(tmp_path_factory.mktemp("mp4"), 2.0)


@pytest.fixture
def anthropic_stub() -> Iterator[AnthropicStub]:
    with AnthropicStub() as stub:
        yield stub


@pytest.fixture
def openai_stub() -> Iterator[OpenAIStub]:
    with OpenAIStub() as stub:
        yield stub


@pytest.fixture
def elevenlabs_stub(mp3: bytes) -> Iterator[ElevenLabsStub]:
    with ElevenLabsStub(mp3) as stub:
        yield stub


@pytest.fixture
def replicate_stub(mp4: bytes) -> Iterator[ReplicateStub]:
    with ReplicateStub(mp4) as stub:
        yield stub


@pytest.fixture
def fal_stub(mp4: bytes) -> Iterator[FalStub]:
    with FalStub(mp4) as stub:
        yield stub


@pytest.fixture
def calls() -> CallsInMemory:
    return CallsInMemory()


@pytest.fixture
def ctx(tmp_path: Path, calls: CallsInMemory) -> FakeContext:
    return FakeContext(tmp_path, calls=calls)


@pytest.fixture
def job() -> VideoJob:
    return VideoJob(
        id="job-1", product_name="Ember Mug", style="bold", description="A mug that stays warm."
    )
