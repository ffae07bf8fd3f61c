"""A worker's port: what it tells of health and metrics, and what a taken port does."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from typing import Any

from tests.processes.conftest import ROOT, Stack, wait_until
from tests.processes.test_crashes import children_of


def get(port: int, path: str) -> tuple[int, str]:
    """(status, body); status 0 where nothing listens."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=60) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()
    except (urllib.error.URLError, ConnectionError):
        return 0, ""


def port_of(stack: Stack, worker: Any) -> int:
    """The port that a worker with WORKER_HEALTH_PORT=0 was given."""
    told = wait_until(lambda: stack.events(worker, "health_server_started"))
    return int(told[0]["port"])


def test_health_has_the_documented_shape(stack: Stack) -> None:
    stack.submit("later", priority="low")
    worker = stack.started(WORKER_HEALTH_PORT=0, WORKER_QUEUES="video-high,video")
    stack.submit("other", priority="low")
    code, body = get(port_of(stack, worker), "/health")
    report = json.loads(body)
    assert code == 200
    details = report.pop("details")
    assert report == {
        "status": "healthy",
        "redis_connected": True,
        "database_connected": True,
        "queue_depth": 0,
    }
    assert details["queue_depth"] == "0" and details["worker_id"] == "worker-1"
    assert details["state"] == "idle" and all(isinstance(text, str) for text in details.values())
    assert get(port_of(stack, worker), "/health/live")[0] == 200
    assert get(port_of(stack, worker), "/health/ready")[0] == 200
    assert get(port_of(stack, worker), "/elsewhere")[0] == 404


def test_a_busy_worker_answers_at_once_and_counts(stack: Stack) -> None:
    worker = stack.started(WORKER_HEALTH_PORT=0, NULL_STAGE_SECONDS=0.6)
    port = port_of(stack, worker)
    stack.submit("a")
    wait_until(lambda: "video_worker_busy 1.0" in get(port, "/metrics")[1])
    details = json.loads(get(port, "/health")[1])["details"]
    assert details["current_job"] == "a" and details["state"] == "working"
    stack.wait_state("a", "completed")
    wait_until(
        lambda: 'video_job_seconds_count{outcome="completed"} 1.0' in get(port, "/metrics")[1]
    )
    text = get(port, "/metrics")[1]
    done = 'video_stage_seconds_count{outcome="completed",provider="null",stage="voice_gen"} 1.0'
    assert done in text
    assert 'video_wait_seconds_count{queue="video"} 1.0' in text
    wait_until(lambda: "video_worker_busy 0.0" in get(port, "/metrics")[1])


def test_a_worker_without_redis_is_alive_and_neither_ready_nor_healthy(stack: Stack) -> None:
    worker = stack.start(WORKER_HEALTH_PORT=0, REDIS_URL="redis://127.0.0.1:1/0")
    port = port_of(stack, worker)
    assert get(port, "/health/live")[0] == 200
    assert get(port, "/health/ready")[0] == 503
    code, body = get(port, "/health")
    report = json.loads(body)
    assert code == 503 and report["status"] == "unhealthy"
    assert not report["redis_connected"] and report["queue_depth"] is None


def test_a_taken_port_ends_the_start_with_78(stack: Stack) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        worker = stack.start(WORKER_HEALTH_PORT=port)
        assert worker.wait(timeout=30) == 78
        said = stack.logs[worker.pid].read_text()
        assert f"WORKER_HEALTH_PORT: cannot serve on 127.0.0.1:{port}: address already" in said
        assert "Traceback" not in said


def test_each_worker_of_a_pool_has_a_port_and_its_successor_the_same(stack: Stack) -> None:
    port = _two_free_ports()
    pool = stack.start("pool", "--processes", "2", WORKER_HEALTH_PORT=port)

    def names() -> list[str]:
        bodies = [get(port + n, "/health")[1] for n in range(2)]
        return [json.loads(body)["details"]["worker_id"] if body else "" for body in bodies]

    wait_until(lambda: names() == ["pool-1", "pool-2"])
    first = int(json.loads(get(port, "/health")[1])["details"]["pid"])
    assert first in children_of(pool.pid)
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: (body := get(port, "/health")[1]) and f'"pid": "{first}"' not in body)
    pool.terminate()
    assert pool.wait(timeout=60) == 0
    assert get(port, "/health")[0] == 0


def test_without_a_port_nothing_is_imported_for_it() -> None:
    code = "import sys, worker; print([m for m in sys.modules if m in sys.argv[1:]])"
    ended = subprocess.run(
        [sys.executable, "-c", code, "prometheus_client", "http.server", "runtime.metrics"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert ended.stdout.strip() == "[]"


def _two_free_ports() -> int:
    while True:
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port = int(first.getsockname()[1])
            try:
                second.bind(("127.0.0.1", port + 1))
            except (OSError, OverflowError):
                continue
            return port
