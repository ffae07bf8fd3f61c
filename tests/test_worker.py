"""The worker as its callers know it: health, enqueueing, manual processing, persistence.

Runs under pytest and by itself: `python tests/test_worker.py`.
"""

from __future__ import annotations

import sys
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import pytest

from config import Settings, load_settings
from redis_client import RedisClient
from runtime.embedded import EmbeddedRedis
from worker import Worker


def settings_for(redis_url: str, folder: Path) -> Settings:
    """Settings of a worker that makes nothing, with all its files in `folder`."""
    return load_settings(
        _env_file=None,
        redis_url=redis_url,
        database_url=f"sqlite:///{folder / 'test.db'}",
        artifact_url=(folder / "artifacts").as_uri(),
        script_provider="null",
        voice_provider="null",
        video_provider="null",
        compositor="null",
        cron=False,
    )


def job_data(job_id: str) -> dict[str, Any]:
    return {
        "id": job_id,
        "product_name": "Test Product",
        "style": "minimal",
        "cta_text": "Buy Now",
    }


@pytest.fixture
def worker(redis_url: str, client: Any, tmp_path: Path) -> Iterator[Worker]:
    started = Worker(settings_for(redis_url, tmp_path), "test-worker")
    assert started.start()
    yield started
    started.stop()


@pytest.fixture
def queue(redis_url: str, client: Any) -> RedisClient:
    return RedisClient(redis_url)


def test_health_has_exactly_the_documented_keys(worker: Worker) -> None:
    health = worker.get_health_status()
    assert list(health) == [
        "worker_id",
        "running",
        "current_job",
        "redis_healthy",
        "database_healthy",
        "healthy",
        "timestamp",
    ]
    assert health["worker_id"] == "test-worker"
    assert health["running"] and health["healthy"] and health["current_job"] is None
    assert health["timestamp"].endswith("Z")


def test_enqueueing_makes_a_job_wait(queue: RedisClient) -> None:
    job_id = str(uuid.uuid4())
    queue.enqueue_job(job_id, job_data(job_id))
    assert queue.get_client().llen("video_generation_queue") == 1
    status = queue.get_job_status(job_id)
    assert status is not None
    assert {
        "job_id",
        "status",
        "stage",
        "progress",
        "worker_id",
        "error",
        "created_at",
        "updated_at",
    } <= status.keys()
    assert (status["job_id"], status["status"], status["progress"]) == (job_id, "pending", 0)
    assert queue.get_job_status("nobody") is None


def test_manual_processing_completes_a_job(worker: Worker, queue: RedisClient) -> None:
    job_id = str(uuid.uuid4())
    queue.enqueue_job(job_id, job_data(job_id))
    assert worker.run_once(wait=False)
    status = queue.get_job_status(job_id)
    assert status is not None
    assert (status["status"], status["progress"]) == ("completed", 100)
    assert status["worker_id"] == "test-worker"
    assert queue.get_client().llen("video_generation_queue") == 0


def test_a_finished_job_is_in_the_database(worker: Worker, queue: RedisClient) -> None:
    job_id = str(uuid.uuid4())
    queue.enqueue_job(job_id, job_data(job_id))
    worker.run_once(wait=False)
    record = worker.database.jobs.get(job_id)
    assert record is not None and record.state == "completed"
    assert [line["stage"] for line in worker.database.jobs.time_line(job_id)] == [
        "script_gen",
        "voice_gen",
        "video_gen",
        "compositing",
    ]


def main() -> None:
    """The same four steps against an embedded Redis, told on the terminal."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        with EmbeddedRedis(home / "valkey") as redis:
            worker = Worker(settings_for(redis.url, home), "test-worker")
            worker.start()
            queue = RedisClient(redis.url)
            print("health:", worker.get_health_status())
            job_id = str(uuid.uuid4())
            queue.enqueue_job(job_id, job_data(job_id))
            print("enqueued:", queue.get_job_status(job_id))
            worker.run_once(wait=False)
            status = queue.get_job_status(job_id)
            print("processed:", status)
            record = worker.database.jobs.get(job_id)
            print("in the database:", record and record.state)
            worker.stop()
            if not (status and status["status"] == "completed" and record):
                sys.exit(1)


if __name__ == "__main__":
    main()
