"""The stack example: its queues, tasks, load tests and health, with a worker in this process."""

from __future__ import annotations

import asyncio
import inspect
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from starlette.testclient import TestClient

from background.services import Services
from config import load_settings
from database import Database
from errors import InvalidInput, PermanentError
from examples.stack import load_test as orchestrator
from examples.stack import show
from examples.stack.app import create_app
from examples.stack.health import look
from examples.stack.load_test import LoadType
from examples.stack.queue_settings import QueueSettings
from examples.stack.queues import load_test, media, system
from examples.stack.registry import QUEUES, WORKER_QUEUES
from examples.stack.running import environment_of
from examples.stack.tasks.load import cpu_intensive, failure_testing, memory_operations
from examples.stack.tasks.system import cleanup_temp_files
from redis_queue import control
from redis_queue.connection import connect
from runtime.submit import Jobs
from tests.processes.conftest import wait_until
from worker import Worker

Work = Callable[[], None]


@pytest.fixture
def null_settings(null_settings: Any) -> Any:
    """The worker of these tests serves the stack's queues."""
    return null_settings.model_copy(update={"queues": tuple(QUEUES)})


def test_each_queue_has_a_settings_class() -> None:
    known = [(s.queue_name, s.max_jobs, s.job_timeout) for s in QUEUES.values()]
    assert known == [("system", 15, 300), ("load_test", 50, 60), ("media", 2, 600)]
    assert WORKER_QUEUES["system"] == {
        "description": "System maintenance and monitoring tasks",
        "max_jobs": 15,
        "timeout_seconds": 300,
        "queue_name": "system",
    }
    assert set(WORKER_QUEUES) == set(QUEUES)


def test_functions_are_plain_and_become_kinds_of_their_queue() -> None:
    for settings in QUEUES.values():
        assert settings.functions
        for function in settings.functions:
            assert inspect.iscoroutinefunction(function)
            kind = settings.jobs[function.__name__].definition
            assert kind.function is function
            assert kind.name == f"{settings.queue_name}.{function.__name__}"
            assert kind.options.queue == settings.queue_name
            assert kind.options.timeout_s == settings.job_timeout
            assert kind.options.max_retries == settings.max_tries - 1


def test_a_new_task_is_a_function_and_a_line(worker: Worker, work: Work) -> None:
    async def my_background_task(word: str = "done") -> dict[str, str]:
        await asyncio.sleep(0)
        return {"status": "completed", "task": "my_background_task", "word": word}

    class Mine(QueueSettings):
        queue_name = "system"
        functions = (my_background_task,)

    handle = Mine.enqueue("my_background_task", word="well done")
    work()
    assert handle.result["word"] == "well done"
    assert asyncio.run(my_background_task())["status"] == "completed"


def test_what_a_task_does_not_take_is_refused_where_it_is_queued(worker: Worker) -> None:
    with pytest.raises(InvalidInput, match="unexpected keyword argument 'param'"):
        load_test.WorkerSettings.enqueue("io_simulation", param=1)
    with pytest.raises(InvalidInput, match="nothing is not one of"):
        load_test.WorkerSettings.enqueue("nothing")
    with pytest.raises(InvalidInput, match="is no async function"):

        class Wrong(QueueSettings):
            queue_name = "system"
            functions = (time.sleep,)


def test_a_worker_gets_its_queues_settings() -> None:
    told = environment_of(system.WorkerSettings)
    wanted = {
        "WORKER_QUEUES": "system",
        "WORKER_CONCURRENCY": "15",
        "WORKER_QUEUE_TIMEOUTS": "system=300",
        "WORKER_BACKGROUND_MODULES": "examples.stack.queues.system",
    }
    assert {name: told[name] for name in wanted} == wanted


def test_the_system_is_checked(worker: Worker, work: Work) -> None:
    handle = system.WorkerSettings.enqueue("system_health_check")
    work()
    told = handle.result
    assert (told["status"], told["task"]) == ("completed", "system_health_check")
    assert told["redis_ms"] >= 0 and told["database_ms"] >= 0 and told["disk_free_mb"] > 0
    assert told["queues"] == list(QUEUES)


def test_a_server_that_is_away_fails_the_check(worker: Worker, work: Work) -> None:
    from background import services as module

    found = module.services()
    module.use_services(Services(found.settings, found.database, connect("redis://127.0.0.1:1")))
    handle = system.WorkerSettings.enqueue("system_health_check")
    work()
    assert (handle.status, handle.error) == ("failed", "not well: redis_ms")


def test_old_temporary_files_go_and_nothing_else(tmp_path: Path) -> None:
    folder, kept = tmp_path / "tmp", tmp_path / "kept.txt"
    (folder / "deep").mkdir(parents=True)
    kept.write_text("kept")
    for name in ("old", "deep/old", "new"):
        (folder / name).write_text("12345")
    (folder / "link").symlink_to(kept)
    two_days_ago = time.time() - 2 * 86_400
    for path in (folder / "old", folder / "deep/old", kept):
        os.utime(path, (two_days_ago, two_days_ago))
    told = asyncio.run(cleanup_temp_files(str(folder)))
    assert (told["files"], told["bytes"]) == (2, 10)
    assert sorted(path.name for path in folder.rglob("*")) == ["deep", "link", "new"]
    assert kept.exists()
    assert asyncio.run(cleanup_temp_files(str(folder / "nowhere")))["files"] == 0


def test_a_thumbnail_is_made(worker: Worker, work: Work, tmp_path: Path) -> None:
    source, target = tmp_path / "a.png", tmp_path / "a.jpg"
    Image.new("RGBA", (800, 400), "teal").save(source)
    handle = media.WorkerSettings.enqueue("make_thumbnail", str(source), str(target), width=200)
    hashed = media.WorkerSettings.enqueue("hash_file", str(source))
    source_size = source.stat().st_size
    work()
    assert (handle.result["width"], handle.result["height"]) == (200, 100)
    with Image.open(target) as made:
        assert (made.format, made.size) == ("JPEG", (200, 100))
    assert hashed.result["bytes"] == source_size
    target.write_text("no picture")
    wrong = media.WorkerSettings.enqueue("make_thumbnail", str(target), str(source))
    work()
    assert wrong.status == "failed" and (wrong.error or "").startswith("source: cannot be opened")


def test_load_tasks_do_what_they_say() -> None:
    assert len(asyncio.run(cpu_intensive(10))["digest"]) == 64
    assert asyncio.run(memory_operations(1))["sum"] > 0
    assert asyncio.run(failure_testing(3))["number"] == 3
    with pytest.raises(PermanentError):
        asyncio.run(failure_testing(4))


def test_tasks_that_nobody_takes_are_reported_and_called_off(worker: Worker) -> None:
    report = orchestrator.run(LoadType.IO_SIMULATION, 3, timeout_s=0.0)
    assert (report.tasks, report.completed, report.unfinished) == (3, 0, 3)
    assert not report.as_expected
    assert "is a worker there?" in show.report_text(report)
    assert worker.database.jobs.count_by_state() == {"cancelled": 3}


def test_health_sees_workers_and_what_waits(worker: Worker, work: Work) -> None:
    servers = Services(worker.settings, worker.database, worker.client)
    wait_until(lambda: [queue.workers for queue in look(servers).queues] == [1, 1, 1])
    assert look(servers).status == "healthy"
    failing = load_test.WorkerSettings.enqueue("failure_testing", 2)
    load_test.WorkerSettings.enqueue("io_simulation", 0)
    assert queue_of(servers, "load_test").waiting == 2
    work()
    assert failing.status == "failed"
    told = queue_of(servers, "load_test")
    assert (told.waiting, told.failed, told.status) == (0, 1, "healthy")
    text = show.health_text(look(servers), detailed=True)
    assert "max_jobs=50 timeout=60s queue=load_test" in text and "failed=1" in text
    assert "max_jobs" not in show.health_text(look(servers), detailed=False)


def test_health_tells_a_queue_that_nobody_serves(
    redis_url: str, client: Any, database: Database
) -> None:
    servers = Services(load_settings(_env_file=None), database, client)
    assert look(servers).status == "healthy"
    assert queue_of(servers, "system").status == "idle"
    Jobs(database, client, final_ttl_s=60).enqueue(
        [_new_job(system.WorkerSettings, "system_health_check")]
    )
    assert queue_of(servers, "system").status == "no worker"
    assert look(servers).status == "degraded"
    control.pause(client, "media")
    assert queue_of(servers, "media").status == "paused"


def test_health_needs_no_tables(any_database_url: str, client: Any) -> None:
    settings = load_settings(_env_file=None, database_url=any_database_url)
    empty = Database(settings.database_url.get_secret_value())
    assert look(Services(settings, empty, client)).status == "healthy"
    empty.close()


def test_health_is_served(worker: Worker) -> None:
    servers = Services(worker.settings, worker.database, worker.client)
    http = TestClient(create_app(servers))
    assert http.get("/health").json() == {
        "status": "healthy",
        "redis_connected": True,
        "database_connected": True,
    }
    detailed = http.get("/health/detailed").json()["queues"]
    assert [queue["name"] for queue in detailed] == list(QUEUES)
    assert http.get("/queues").json() == WORKER_QUEUES
    away = TestClient(
        create_app(Services(worker.settings, worker.database, connect("redis://127.0.0.1:1")))
    )
    answer = away.get("/health/detailed")
    assert answer.status_code == 503
    assert (answer.json()["redis_connected"], answer.json()["queues"]) == (False, [])


def queue_of(servers: Services, name: str) -> Any:
    return next(queue for queue in look(servers).queues if queue.name == name)


def _new_job(settings: type[QueueSettings], function: str) -> Any:
    from background.enqueue import new_job

    return new_job(settings.jobs[function].definition, (), {})
