"""The manifest tells enough to make the same video again, and the same job makes the same one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from config import load_settings
from pipeline.orchestrator import PipelineOrchestrator
from pipeline.stage import Json

PICTURES = Path(__file__).resolve().parents[2] / "examples" / "products"
JOB: dict[str, Any] = {
    "product_name": "Ember Travel Mug",
    "style": "minimal",
    "duration_s": 6,
    "images": ["ember-mug.png"],
    "seed": 5,
    "captions": False,
    "callback_url": "https://example.com/told-nobody",
}


def made(folder: Path, **changes: Any) -> tuple[Json, Json]:
    """(manifest, result) of a job run in a storage of its own."""
    settings = load_settings(
        _env_file=None,
        artifact_url=folder.as_uri(),
        image_folders=(str(PICTURES),),
        script_provider="template",
        voice_provider="piper",
        video_provider="motion",
        compositor="null",
    )
    result = PipelineOrchestrator(job_id="a", using=settings).execute_pipeline({**JOB, **changes})
    path = folder / result["artifacts"]["manifest.json"]["key"]
    return json.loads(path.read_text(encoding="utf-8")), result


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> tuple[Json, Json]:
    return made(tmp_path_factory.mktemp("first"))


def hashes(told: Json) -> dict[str, dict[str, str]]:
    return {
        stage["stage"]: {name: file["sha256"] for name, file in stage["files"].items()}
        for stage in told["stages"]
    }


def test_it_names_inputs_providers_versions_seed_and_cost(first: tuple[Json, Json]) -> None:
    told, result = first
    assert (told["job_id"], told["seed"], told["cost_microusd"]) == ("a", 5, 0)
    assert [stage["provider"].partition("/")[0] for stage in told["stages"]] == [
        "template",
        "piper",
        "motion",
        "null",
    ]
    assert len(told["inputs"]["images.0"]["sha256"]) == 64
    assert told["versions"]["ffmpeg"].startswith("ffmpeg version")
    assert told["versions"]["piper-tts"][0].isdigit()
    assert "callback_url" not in told["payload"]
    assert "told-nobody" not in json.dumps(told)
    assert set(result["stages"]) == {stage["stage"] for stage in told["stages"]}


def test_the_same_job_and_seed_make_the_same_voice_and_the_same_pictures(
    first: tuple[Json, Json], tmp_path: Path
) -> None:
    told, _ = first
    payload = {
        name: value
        for name, value in told["payload"].items()
        if name in (*JOB, "language", "frames", "platform")
    }
    again, _ = made(tmp_path, **payload)
    assert hashes(again) == hashes(told)
    other, _ = made(tmp_path / "other", seed=6)
    assert hashes(other)["voice_gen"] != hashes(told)["voice_gen"]
