"""The snippets and JSON that callers of this worker were given, run as they are."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from typing import Any

from tests.processes.conftest import ROOT, Stack, stack, wait_until  # noqa: F401

ENQUEUE = """
from redis_client import redis_client
import uuid

job_id = str(uuid.uuid4())
job_data = {
    "id": job_id,
    "product_name": "Test Product",
    "style": "minimal",
    "cta_text": "Buy Now"
}
redis_client.enqueue_job(job_id, job_data)
print(job_id)
"""


def python(stack: Stack, code: str) -> str:  # noqa: F811
    ended = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=stack.environment(),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.strip()


def redis_cli(stack: Stack, *command: str) -> Any:  # noqa: F811
    return stack.client.execute_command(*command)


def test_the_enqueue_snippet_and_llen(stack: Stack) -> None:  # noqa: F811
    job_id = python(stack, ENQUEUE)
    assert redis_cli(stack, "LLEN", "video_generation_queue") == 1
    depth = python(
        stack,
        "from redis_client import redis_client\n"
        'print(redis_client.get_client().llen("video_generation_queue"))',
    )
    assert depth == "1"
    stack.started()
    stack.wait_state(job_id, "completed")
    status = python(
        stack,
        "from redis_client import redis_client\n"
        f"status = redis_client.get_job_status({job_id!r})\nprint(status)",
    )
    assert "'status': 'completed'" in status


def test_progress_messages_have_the_documented_shape_and_spans(stack: Stack) -> None:  # noqa: F811
    stack.started(NULL_STAGE_SECONDS=0.3)
    job_id = str(uuid.uuid4())
    pubsub = stack.client.pubsub(ignore_subscribe_messages=True)
    pubsub.subscribe(f"video_generation_progress:{job_id}")
    stack.queue.enqueue_job(job_id, {"product_name": "x"})
    seen: list[dict[str, Any]] = []

    def ended() -> bool:
        message = pubsub.get_message(timeout=0.2)
        if message:
            seen.append(json.loads(message["data"]))
        return bool(seen) and seen[-1].get("status") == "completed"

    wait_until(ended)
    pubsub.close()
    spans = {
        "script_gen": (0, 25),
        "voice_gen": (25, 50),
        "video_gen": (50, 75),
        "compositing": (75, 100),
    }
    for message in seen:
        assert list(message)[:4] == ["job_id", "stage", "progress", "worker_id"]
        low, high = spans[message["stage"]]
        assert low <= message["progress"] <= high
        assert (message["job_id"], message["worker_id"]) == (job_id, "worker-1")
    for stage, (low, high) in spans.items():
        values = [message["progress"] for message in seen if message["stage"] == stage]
        assert values[0] == low and values[-1] == high
        assert values == sorted(values) and len(values) > 3


def test_the_documented_events_are_logged_as_json(stack: Stack) -> None:  # noqa: F811
    worker = stack.started()
    stack.submit("good")
    stack.submit("bad", images=["/etc/passwd"])
    stack.wait_state("good", "completed")
    stack.wait_state("bad", "failed")
    worker.terminate()
    worker.wait(timeout=60)
    names = {line["event"] for line in stack.events(worker)}
    assert {
        "worker_started",
        "job_processing_started",
        "stage_started",
        "job_completed",
        "job_failed",
        "worker_shutdown_complete",
    } <= names
    started = stack.events(worker, "job_processing_started")[0]
    assert {"event", "job_id", "worker_id", "timestamp"} <= started.keys()


def test_init_db_makes_the_schema(stack: Stack) -> None:  # noqa: F811
    python(stack, "from database import init_db; init_db()")


def test_importing_the_client_connects_to_nothing(stack: Stack) -> None:  # noqa: F811
    stack.redis_url = "redis://127.0.0.1:1/0"
    python(stack, "from redis_client import redis_client; redis_client.get_client()")


def test_the_workers_own_test_runs_by_itself(stack: Stack) -> None:  # noqa: F811
    ended = subprocess.run(
        [sys.executable, str(ROOT / "tests/test_worker.py")],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.returncode == 0, ended.stderr
    assert "in the database: completed" in ended.stdout
