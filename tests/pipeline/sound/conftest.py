"""One script spoken once for all tests of sound: loading the voice takes seconds."""

from __future__ import annotations

from pathlib import Path

import pytest

from jobs.payload import VideoJob
from pipeline.providers.piper_voice import PiperVoiceProvider
from pipeline.providers.script_ports import Script, Voice
from tests.pipeline.context import FakeContext

_LINES = (
    "Thirsty for something better?",
    "Meet AquaPure X-200, one of the lightest.",
    "Now $19.99, was $29. Rated 4.8 out of 5.",
    "Shop now at aquapure.com!",
)


def script_of(*lines: str) -> Script:
    return {
        "language": "en",
        "scenes": [
            {"role": "cta", "spoken": line, "on_screen": "-", "visual": "card"} for line in lines
        ],
    }


@pytest.fixture(scope="session")
def script() -> Script:
    return script_of(*_LINES)


@pytest.fixture(scope="session")
def job() -> VideoJob:
    return VideoJob(id="a", product_name="AquaPure X-200", style="bold")


@pytest.fixture(scope="session")
def voice_context(tmp_path_factory: pytest.TempPathFactory) -> FakeContext:
    return FakeContext(tmp_path_factory.mktemp("voice"))


@pytest.fixture(scope="session")
def voice(script: Script, job: VideoJob, voice_context: FakeContext) -> Voice:
    return PiperVoiceProvider().speak(job, script, voice_context)


@pytest.fixture
def ctx(tmp_path: Path) -> FakeContext:
    return FakeContext(tmp_path)
