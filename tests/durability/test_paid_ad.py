"""A job through all paid providers, on stub servers, to a real mp4."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from config import load_settings
from pipeline.ports import Artifact
from pipeline.storage import ObjectStorage
from store.records import utc_now
from tests.processes.conftest import Stack
from tests.stubs.chat import AnthropicStub
from tests.stubs.elevenlabs import ElevenLabsStub
from tests.stubs.media import make_mp3, make_mp4
from tests.stubs.queues import ReplicateStub


def test_claude_elevenlabs_and_replicate_make_a_video(stack: Stack, tmp_path: Path) -> None:
    media = tmp_path / "media"
    media.mkdir()
    mp3, mp4 = make_mp3(media, 12.0), make_mp4(media, 4.0)
    with AnthropicStub() as claude, ElevenLabsStub(mp3) as voice, ReplicateStub(mp4) as film:
        worker = stack.started(
            **claude.settings,
            **voice.settings,
            **film.settings,
            COMPOSITOR="ffmpeg",
            WORKER_LEASE_S="15",
            WORKER_RETRY_BASE_S="0.2",
        )
        stack.submit("ad", product_name="Ember Travel Mug", captions=False)
        stack.wait_state("ad", "completed", within_s=240)
        record = stack.database.jobs.get("ad")
        assert record is not None and record.result is not None
        providers = [stage["provider"] for stage in record.result["stages"].values()]
        assert [name.partition("/")[0] for name in providers] == [
            "claude",
            "elevenlabs",
            "replicate",
            "ffmpeg",
        ]
        settings = load_settings(artifact_url=stack.environment()["ARTIFACT_URL"])
        video = tmp_path / "video.mp4"
        fields = record.result["artifacts"]["video.mp4"]
        ObjectStorage(settings.artifact_url).fetch(Artifact(**fields), video)
        assert video.read_bytes()[4:8] == b"ftyp"
        rows = stack.database.calls.costs("provider", since=utc_now() - timedelta(days=1))
        assert {row["provider"]: row["calls"] for row in rows} == {
            "claude": claude.created,
            "elevenlabs": voice.created,
            "replicate": film.created,
        }
        assert worker.poll() is None
