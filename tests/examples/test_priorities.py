"""The priority-queue application: workers alone, found in their folder, and in processes."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog
from structlog.testing import capture_logs

from background import JobFailedError, JobHandle, current_job, testing
from background.enqueue import ServersBackend, use_backend
from background.kinds import REGISTRY
from config import Settings
from database import Database
from errors import InvalidInput
from examples.priorities.registry import WorkerRegistry
from examples.priorities.worker import Worker
from examples.priorities.workers.data_processing_worker import DataProcessingWorker
from examples.priorities.workers.health_check_worker import HealthCheckWorker
from examples.priorities.workers.idempotent_worker import IdempotentWorker
from examples.priorities.workers.resource_aware_worker import ResourceAwareWorker
from examples.workouts.neighbours import WorkoutService
from tests.background.conftest import work, worker
from tests.processes.conftest import ROOT, Stack, stack, wait_until

__all__ = ["stack", "work", "worker"]

Work = Callable[[], None]
MODULES = {"WORKER_BACKGROUND_MODULES": "examples.priorities.jobs"}
OWN = {"WORKER_QUEUES": "critical,default,low", **MODULES}


class MyBackgroundWorker(Worker):
    """A worker with every option; by the clock it could not be called, for want of a user."""

    queue = "default"
    max_retries = 3
    retry_backoff = True
    retry_backoff_max = 600
    cron_schedule = "0 2 * * *"

    @classmethod
    def perform(cls, user_id: int, data: dict[str, Any]) -> dict[str, Any]:
        return {"status": "success", "user_id": user_id, **data}


class ForgivingWorker(Worker):
    """Catches one error, and lets the other out."""

    @classmethod
    def perform(cls, data: str) -> str:
        try:
            return f"{int(data):d}"
        except ValueError:
            if data != "x":
                raise
            return "done with"


@pytest.fixture
def null_settings(null_settings: Settings) -> Settings:
    """With a lease that a busy machine does not outlast: these tests are not about leases."""
    return null_settings.model_copy(update={"lease_s": 30.0})


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """What is logged in this process, whatever other tests have set up for it."""
    before = structlog.get_config()
    structlog.reset_defaults()
    for place in ("examples.priorities.logger._log", "examples.priorities.registry.log"):
        monkeypatch.setattr(place, structlog.get_logger())
    with capture_logs() as captured:
        yield captured
    structlog.configure(**before)


@pytest.fixture
def fleet(stack: Stack) -> Iterator[Stack]:
    """Real workers, where this process enqueues."""
    before = use_backend(ServersBackend(stack.jobs))
    yield stack
    use_backend(before)


# Workers alone: perform is called, and nothing else is there.


def test_a_worker_is_tested_by_calling_it() -> None:
    assert MyBackgroundWorker.perform(user_id=1, data={"a": 2})["status"] == "success"
    with pytest.raises(ValueError, match="invalid literal"):
        ForgivingWorker.perform("invalid")


def test_data_processing_returns_what_it_did(lines: list[Any]) -> None:
    made = DataProcessingWorker.perform(
        user_id=123, processing_options={"format": "json", "include_metadata": True}
    )
    assert made.keys() == {"user_id", "status", "processed_at", "options"}
    assert (made["user_id"], made["status"]) == (123, "completed")
    assert made["options"] == {"format": "json", "include_metadata": True}
    at = datetime.fromisoformat(made["processed_at"].replace("Z", "+00:00"))
    assert abs((datetime.now(UTC) - at).total_seconds()) < 60
    assert [line["message"] for line in lines] == [
        "Starting data processing for user 123",
        "Data processing completed for user 123",
    ]
    with pytest.raises(InvalidInput, match=r"processing_options\.format"):
        DataProcessingWorker.perform(1, {"format": "papyrus"})


def test_the_health_check_logs_what_the_backend_says(
    lines: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    with WorkoutService() as backend:
        monkeypatch.setenv("WORKER_HEALTH_CHECK_URL", f"{backend.url}/health")
        HealthCheckWorker.perform("anything", at="all")
        backend.down = True
        HealthCheckWorker.perform()
    HealthCheckWorker.perform()
    told = [(line["log_level"], line["message"]) for line in lines]
    assert told == [
        ("info", "Backend is healthy"),
        ("error", "Backend is unhealthy: status 503"),
        ("error", "Backend is unhealthy: ConnectError"),
    ]


def test_a_large_dataset_is_worked_off_in_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ResourceAwareWorker, "pause_s", 0.0)
    assert ResourceAwareWorker.perform(list(range(2500))) == {"numbers": 2500, "sum": 3_123_750}
    assert ResourceAwareWorker.perform([]) == {"numbers": 0, "sum": 0}


# Options, and the registry.


def test_options_and_their_defaults() -> None:
    class PlainWorker(Worker):
        @classmethod
        def perform(cls) -> None: ...

    options = PlainWorker.definition.options
    assert (options.queue, options.max_retries, options.retry_backoff) == ("default", 3, True)
    assert (options.retry_backoff_max, options.cron_schedule) == (600, None)
    check = HealthCheckWorker.definition.options
    assert (check.queue, check.max_retries, check.cron_schedule) == ("default", 1, "*/10 * * * *")


@pytest.mark.parametrize(
    ("cron", "after", "expected"),
    [
        ("0 2 * * *", "2026-03-04T01:00", "2026-03-04T02:00"),
        ("*/15 * * * *", "2026-03-04T01:01", "2026-03-04T01:15"),
        ("0 9 * * 1", "2026-03-04T01:00", "2026-03-09T09:00"),
        ("0 0 1 * *", "2026-03-04T01:00", "2026-04-01T00:00"),
        ("*/10 * * * *", "2026-03-04T01:51", "2026-03-04T02:00"),
    ],
)
def test_schedules_come_when_they_say(cron: str, after: str, expected: str) -> None:
    from background.cron import next_tick

    found = next_tick(cron, "UTC", datetime.fromisoformat(after).replace(tzinfo=UTC))
    assert found.replace(tzinfo=None).isoformat(timespec="minutes") == expected


def test_a_folder_of_workers_is_found_and_logged(
    lines: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "later_workers"
    folder.mkdir()
    (folder / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    package = importlib.import_module("later_workers")
    WorkerRegistry.initialize(package)
    before = {found.__name__ for found in WorkerRegistry.workers()}
    # A new file, and the next start.
    (folder / "nightly_worker.py").write_text(
        "from examples.priorities.worker import Worker\n"
        "class NightlyWorker(Worker):\n"
        "    queue = 'low'\n"
        "    cron_schedule = '0 2 * * *'\n"
        "    @classmethod\n"
        "    def perform(cls): return 'done'\n"
    )
    lines.clear()
    try:
        found = {each.__name__ for each in WorkerRegistry.initialize(package)}
        assert found - before == {"NightlyWorker"}
        (told,) = [line for line in lines if line.get("worker") == "NightlyWorker"]
        assert (told["event"], told["kind"]) == ("worker_registered", "nightly_worker")
        assert (told["queue"], told["cron_schedule"]) == ("low", "0 2 * * *")
        assert lines[-1]["event"] == "workers_registered"
    finally:
        REGISTRY._kinds.pop("nightly_worker")
        sys.modules.pop("later_workers.nightly_worker")


def test_a_worker_that_cannot_be_imported_is_not_missing_in_silence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "broken_workers"
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "broken.py").write_text("import no_such_module\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="no_such_module"):
        WorkerRegistry.initialize(importlib.import_module("broken_workers"))


# Enqueueing.


def test_jobs_are_for_now_for_a_time_and_for_later() -> None:
    arguments: dict[str, Any] = {"user_id": 123, "data": {"key": "value"}}
    with testing.fake() as queue:
        now = MyBackgroundWorker.perform_async(**arguments)
        local = MyBackgroundWorker.perform_at(datetime.now() + timedelta(hours=2), **arguments)
        later = MyBackgroundWorker.perform_in(delay_seconds=300, **arguments)
        for handle, wait_s in ((local, 7200), (later, 300)):
            due = handle.record.due_at
            assert handle.status == "scheduled" and due is not None
            assert abs((due - datetime.now(UTC)).total_seconds() - wait_s) < 60
        assert now.status == "pending" and len(queue.of(MyBackgroundWorker)) == 3
        queue.drain()
        assert JobHandle(now.id).result == {"status": "success", "user_id": 123, "key": "value"}


def test_a_schedule_without_its_arguments_is_refused_and_the_worker_is_not(
    database: Database, null_settings: Settings
) -> None:
    from background.cron import declare

    kinds = [MyBackgroundWorker.definition, HealthCheckWorker.definition]
    declare(database.schedules, kinds, null_settings, datetime.now(UTC))
    assert [each.name for each in database.schedules.all()] == ["health_check_worker"]


def test_what_is_caught_is_done_with_and_what_is_not_is_tried_again(
    worker: Any, work: Work
) -> None:
    caught, raised = ForgivingWorker.perform_async("x"), ForgivingWorker.perform_async("y")
    work()
    assert (caught.status, caught.result) == ("completed", "done with")
    assert (raised.status, raised.record.failures) == ("scheduled", 1)
    assert (raised.error or "").startswith("ValueError: invalid literal")


def test_a_record_is_processed_once_whatever_happens(worker: Any, work: Work) -> None:
    handles = [IdempotentWorker.perform_async(record_id=7) for _ in range(3)]
    other = IdempotentWorker.perform_async(record_id=8)
    work()
    assert sorted(handle.result for handle in handles) == [False, False, True]
    assert other.result is True


def test_a_chunked_job_goes_on_where_it_was(
    worker: Any, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []

    def pause(_self: Any, _seconds: float) -> None:
        seen.append(current_job().items.processed)
        if len(seen) == 2:
            raise OSError("the network went away")

    monkeypatch.setattr("background.context.JobContext.sleep", pause)
    handle = ResourceAwareWorker.perform_async(list(range(3500)))
    work()
    assert (handle.status, handle.record.processed_items) == ("scheduled", 2000)
    worker._housekeeping.promote(handle.id)
    work()
    assert handle.result == {"numbers": 3500, "sum": sum(range(3500))}
    assert seen == [1000, 2000, 3000, 3500]


# Real worker processes.


def test_more_urgent_queues_go_first_and_none_starves(fleet: Stack) -> None:
    options: dict[str, Any] = {"user_id": 1, "processing_options": {}}
    for queue in ("low", "default", "critical"):
        DataProcessingWorker.using(queue=queue).perform_bulk([options] * 8)
    running = fleet.started(**OWN)
    began = wait_until(
        lambda: len(found := fleet.events(running, "job_processing_started")) == 24 and found
    )
    order = [line["queue"] for line in began]
    assert order[:6] == ["critical"] * 6
    places = {name: [at for at, each in enumerate(order) if each == name] for name in set(order)}
    mean = {name: sum(found) / len(found) for name, found in places.items()}
    assert mean["critical"] < mean["default"] < mean["low"]


def test_now_and_then_a_less_urgent_queue_goes_first(fleet: Stack) -> None:
    options: dict[str, Any] = {"user_id": 1, "processing_options": {}}
    DataProcessingWorker.using(queue="low").perform_bulk([options] * 2)
    DataProcessingWorker.using(queue="critical").perform_bulk([options] * 60)
    running = fleet.started(**OWN)
    began = wait_until(
        lambda: len(found := fleet.events(running, "job_processing_started")) == 62 and found
    )
    order = [line["queue"] for line in began]
    assert order.index("low") < 59, "while critical jobs waited"


def test_a_result_is_found_by_the_jobs_id(fleet: Stack) -> None:
    handle = DataProcessingWorker.perform_async(
        user_id=123, processing_options={"format": "json", "include_metadata": True}
    )
    found = JobHandle(handle.id)
    assert found.status == "pending"
    with pytest.raises(TimeoutError):
        found.get(timeout=0.05)
    fleet.started(**OWN, WORKER_CONCURRENCY=8)
    assert found.get(timeout=60)["status"] == "completed"
    assert (found.status, found.result["user_id"]) == ("completed", 123)
    failing = DataProcessingWorker.perform_async(1, {"format": "papyrus"})
    with pytest.raises(JobFailedError, match="must be one of json, csv"):
        failing.get(timeout=60)


def test_a_worker_finds_its_folder_at_the_start_and_says_so(fleet: Stack) -> None:
    running = fleet.started(**{**OWN, "WORKER_CRON": "true"})
    told = fleet.events(running, "worker_registered")
    assert [(line["worker"], line["queue"], line.get("cron_schedule")) for line in told] == [
        ("DataProcessingWorker", "default", None),
        ("HealthCheckWorker", "default", "*/10 * * * *"),
        ("IdempotentWorker", "critical", None),
        ("ResourceAwareWorker", "low", None),
    ]
    assert fleet.events(running)[len(told)]["event"] == "workers_registered"
    wait_until(lambda: "health_check_worker" in {s.name for s in fleet.database.schedules.all()})


def test_a_worker_says_in_its_log_what_the_job_said(fleet: Stack) -> None:
    running = fleet.started(**OWN)
    handle = IdempotentWorker.perform_async(5)
    handle.get(timeout=60)
    (line,) = fleet.events(running, "message")
    assert (line["message"], line["job_id"]) == ("Record 5 processed", handle.id)


def test_a_job_whose_worker_is_killed_after_it_acted_acts_once(fleet: Stack) -> None:
    victim = fleet.start("victim", **OWN, WORKER_KILL_AT="stage_ran")
    handle = IdempotentWorker.perform_async(9)
    victim.wait(timeout=60)
    assert handle.status == "processing"
    fleet.started("other", **OWN)
    # It ran once more, and found its own work.
    assert handle.get(timeout=60) is False
    assert handle.record.crashes == 1


def test_a_broken_module_ends_the_start_with_its_name(fleet: Stack) -> None:
    ended = fleet.start(WORKER_BACKGROUND_MODULES="examples.priorities.nothing")
    assert ended.wait(timeout=60) == 78
    assert "examples.priorities.nothing cannot be imported" in fleet.logs[ended.pid].read_text()
    assert (ROOT / "examples/priorities/jobs.py").is_file()
