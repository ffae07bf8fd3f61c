"""The workout application: a real worker against its two neighbours on loopback."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from background import testing
from background.enqueue import ServersBackend, new_job, use_backend
from background.handle import JobHandle
from background.kinds import REGISTRY
from examples.workouts.jobs import (
    RefreshExercises,
    WarmUpAiCache,
    WarmUpRecommendation,
    rate_of,
)
from examples.workouts.neighbours import CoachService, WorkoutService
from jobs.retry import Retry, RetryPolicy, decide
from redis_queue.connection import connect
from store.records import JobRecord
from tests.processes.conftest import ROOT, Stack, wait_until

PROGRAM = [sys.executable, "-m", "examples.workouts"]
SHAPE = {
    "status": "healthy",
    "redis_connected": True,
    "queue_depth": 0,
    "api_connected": True,
    "ai_coach_connected": True,
    "details": {"queue_depth": "0", "api_status": "200", "ai_coach_status": "200"},
}


@dataclass
class Application:
    """The worker's parent as a process, its neighbours in this one."""

    stack: Stack
    valkey_port: int
    api: WorkoutService
    coach: CoachService
    log: Path
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def environment(self, **settings: object) -> dict[str, str]:
        own = {
            "WORKER_REDIS__HOST": "127.0.0.1",
            "WORKER_REDIS__PORT": self.valkey_port,
            "WORKER_API_CLIENT__WORKOUT_API_URL": self.api.url,
            "WORKER_API_CLIENT__AI_COACH_URL": self.coach.url,
            "WORKER_WORKER__HEALTH_PORT": 0,
            "WORKER_REFRESH__RETRY_DELAY": 0.05,
            # What the sections say goes before whatever else is set.
            "REDIS_URL": "redis://127.0.0.1:1/0",
        }
        return self.stack.environment(**{**own, **settings})

    def start(self, **settings: object) -> None:
        with self.log.open("ab") as log:
            self.running.append(
                subprocess.Popen(
                    PROGRAM, cwd=ROOT, env=self.environment(**settings), stdout=log, stderr=log
                )
            )
        wait_until(lambda: self.events("worker_started"), what="worker_started")

    def events(self, name: str) -> list[dict[str, Any]]:
        lines = [line for line in self.log.read_text().splitlines() if line.startswith("{")]
        return [event for line in lines if (event := json.loads(line))["event"] == name]

    def command(self, *arguments: str, **settings: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*PROGRAM, *arguments],
            cwd=ROOT,
            env=self.environment(**settings),
            capture_output=True,
            text=True,
            timeout=60,
        )

    def enqueue(self, kind: str) -> str:
        """In this process: starting another takes longer than most jobs."""
        known = REGISTRY.get(kind)
        assert known is not None
        return self.stack.jobs.enqueue([new_job(known, (), {})])[0]

    def ended(self, job_id: str) -> JobRecord:
        """The job's row once it has ended."""

        def found() -> JobRecord | None:
            record = self.stack.jobs.find(job_id)
            return record if record and record.state in ("completed", "failed") else None

        record = wait_until(found, within_s=90, what=f"{job_id} to end")
        assert isinstance(record, JobRecord)
        return record

    def result(self, job_id: str) -> Any:
        record = self.ended(job_id)
        assert record.state == "completed", record.error
        assert record.result is not None
        return record.result["value"]

    def health(self, path: str = "/health") -> tuple[int, Any]:
        port = self.events("health_server_started")[0]["port"]
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}") as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    @property
    def cache(self) -> Any:
        return connect(f"redis://127.0.0.1:{self.valkey_port}/0")

    def end(self) -> None:
        for process in self.running:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            process.wait(timeout=60)


@pytest.fixture
def app(port_stack: Stack, valkey_port: int, tmp_path: Path) -> Iterator[Application]:
    with WorkoutService() as api, CoachService() as coach:
        (tmp_path / "app.log").touch()
        made = Application(port_stack, valkey_port, api, coach, tmp_path / "app.log")
        yield made
        made.end()


def test_all_exercises_are_refreshed_once_and_few_at_a_time(app: Application) -> None:
    app.api.latency_s = 0.2
    app.start()
    first = app.result(app.enqueue("refresh_exercises"))
    assert first == {"total": 24, "refreshed": 24, "skipped": 0, "failed": 0}
    assert 1 < app.api.most_at_once <= 5
    again = app.result(app.enqueue("refresh_exercises"))
    assert again == {"total": 24, "refreshed": 0, "skipped": 24, "failed": 0}
    assert sorted(app.api.done) == sorted(app.api.exercises)


def test_two_refreshes_at_once_do_nothing_twice(app: Application) -> None:
    ids = [app.enqueue("refresh_exercises") for _ in range(2)]
    app.api.latency_s = 0.05
    app.start(WORKER_REFRESH__CONCURRENCY=2)
    results = [app.result(job_id) for job_id in ids]
    assert sum(result["refreshed"] for result in results) == 24
    assert sorted(app.api.done) == sorted(app.api.exercises)
    assert app.api.most_at_once <= 4


def test_what_failed_is_tried_again_and_what_was_done_is_not(app: Application) -> None:
    app.api.fail_next = 7
    app.start()
    job_id = app.enqueue("refresh_exercises")
    assert app.result(job_id) == {"total": 24, "refreshed": 7, "skipped": 17, "failed": 0}
    assert sorted(app.api.done) == sorted(app.api.exercises)
    assert len(app.api.asked) == 24 + 7
    (failed,) = app.events("job_try_failed")
    assert failed["error"].startswith("7 of 24 exercises were not refreshed: workout API: HTTP 503")


def test_an_api_that_stays_away_makes_a_dead_letter_after_the_retries(app: Application) -> None:
    app.api.down = True
    app.start(WORKER_REFRESH__MAX_RETRIES=2)
    record = app.ended(app.enqueue("refresh_exercises"))
    assert (record.state, record.error) == ("failed", "workout API: HTTP 503")
    assert len(app.events("job_try_failed")) == 3


def test_waits_between_retries_grow_exponentially() -> None:
    options = RefreshExercises.definition.options
    assert (options.max_retries, options.retry_delay_s, options.retry_backoff) == (3, 5, True)
    policy = RetryPolicy(base_s=options.retry_delay_s, max_failures=options.max_retries)
    decisions = [decide(OSError(), number, policy, random.Random()) for number in (1, 2, 3, 4)]
    waits = [found.delay_s if isinstance(found, Retry) else None for found in decisions]
    assert waits == [5, 10, 20, None]


def test_keys_are_in_the_cache_and_jobs_in_the_queues_database(app: Application) -> None:
    app.start(WORKER_REFRESH__IDEMPOTENCY_TTL=1000)
    app.result(app.enqueue("refresh_exercises"))
    keys = sorted(app.cache.keys("*"))
    assert keys == sorted(f"idempotency:refresh:{name}".encode() for name in app.api.exercises)
    assert all(0 < app.cache.ttl(key) <= 1000 for key in keys)
    others = app.stack.client.keys("*")
    assert others and all(key.startswith(b"{video_generation_queue}:") for key in others)


def test_after_the_ttl_exercises_are_refreshed_again(app: Application) -> None:
    app.start(WORKER_REFRESH__IDEMPOTENCY_TTL=0.5)
    app.result(app.enqueue("refresh_exercises"))
    wait_until(lambda: not app.cache.keys("idempotency:*"))
    assert app.result(app.enqueue("refresh_exercises"))["refreshed"] == 24


def test_the_coach_is_asked_for_every_combination_once(app: Application) -> None:
    app.start(WORKER_WARMUP__DELAY=0.01)
    job_id = app.enqueue("warmup_ai_cache")
    assert app.result(job_id) == {"queued": 140}
    wait_until(lambda: len(app.coach.done) == 140, within_s=60)
    assert len(set(app.coach.done)) == len(app.coach.asked) == 140
    assert "chest, barbell+dumbbells, 30 min" in app.coach.done
    assert "core, kettlebells+bands, 90 min" in app.coach.done


def test_a_warm_up_that_runs_twice_queues_nothing_twice() -> None:
    with testing.fake() as queue:
        for _ in range(2):
            assert WarmUpAiCache.perform() == {"queued": 140}
        assert len(queue.of(WarmUpRecommendation)) == 140


def test_the_coach_is_asked_no_more_often_than_every_half_second() -> None:
    assert WarmUpRecommendation.definition.options.rate_limit == "2/second"
    assert [rate_of(delay) for delay in (0.1, 1, 2.5)] == ["10/second", "1/second", "1/3 second"]
    with testing.fake() as queue:
        WarmUpAiCache.perform()
    due = [job.run_at for job in queue.of(WarmUpRecommendation)]
    times = [moment.timestamp() for moment in due if moment is not None]
    assert len(due) == 140 and times == sorted(times)
    assert times[-1] - times[0] > 138 * 0.5


def test_stale_keys_go_and_others_stay(app: Application) -> None:
    app.cache.mset({"idempotency:for-ever": 1, "idempotency:old-for-ever": 1, "session:1": 1})
    app.cache.set("idempotency:nearly-over", 1, ex=30)
    app.cache.set("idempotency:fresh", 1, ex=3000)
    app.start()
    found = app.result(app.enqueue("cleanup_stale_data"))
    assert found == {"scanned": 4, "without_ttl": 2, "short_ttl": 1}
    assert sorted(app.cache.keys("*")) == [b"idempotency:fresh", b"session:1"]
    (told,) = app.events("idempotency_keys_swept")
    assert (told["scanned"], told["without_ttl"], told["short_ttl"]) == (4, 2, 1)


def test_health_has_the_shape_that_callers_know(app: Application) -> None:
    app.start()
    assert app.health() == (200, SHAPE)
    wait_until(lambda: app.health("/health/ready")[0] == 200)
    assert app.health("/health/live") == (200, {"status": "live"})
    checked = app.command("check")
    assert (checked.returncode, json.loads(checked.stdout)) == (0, SHAPE)


def test_metrics_are_served_by_the_parent_and_where_asked_for_by_the_worker(
    app: Application,
) -> None:
    app.start(WORKER_HEALTH_PORT=0)
    texts = []
    for event in app.events("health_server_started"):
        with urllib.request.urlopen(f"http://127.0.0.1:{event['port']}/metrics") as answer:
            texts.append(answer.read().decode())
    parent, worker = texts
    assert 'workouts_up{part="api"} 1.0' in parent and "workouts_queue_depth 0.0" in parent
    assert "video_worker_rss_bytes" in worker


def test_a_worker_that_dies_is_replaced(app: Application) -> None:
    app.start()
    os.kill(app.events("child_started")[0]["pid"], signal.SIGKILL)
    wait_until(lambda: len(app.events("worker_started")) == 2, within_s=90)
    assert app.result(app.enqueue("refresh_exercises"))["refreshed"] == 24


def test_a_health_port_that_is_taken_is_named(app: Application) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = app.command("run", WORKER_WORKER__HEALTH_PORT=port)
    assert ended.returncode == 78
    assert "WORKER_WORKER__HEALTH_PORT: cannot serve on" in ended.stderr


def test_health_is_503_while_a_service_is_down(app: Application) -> None:
    app.start()
    app.api.down = True
    status, told = wait_until(lambda: (found := app.health())[0] == 503 and found)
    assert (status, told["status"]) == (503, "unhealthy")
    assert (told["api_connected"], told["ai_coach_connected"]) == (False, True)
    assert told["details"]["api_status"] == "503"
    app.api.down, app.coach.down = False, True
    wait_until(lambda: app.health()[1]["details"]["ai_coach_status"] == "503")
    app.coach.down = False
    wait_until(lambda: app.health() == (200, SHAPE))


def test_health_counts_what_waits_and_says_when_redis_is_away(app: Application) -> None:
    app.enqueue("refresh_exercises")
    app.enqueue("cleanup_stale_data")
    waiting = json.loads(app.command("check").stdout)
    assert (waiting["queue_depth"], waiting["details"]["queue_depth"]) == (2, "2")
    away = app.command("check", WORKER_REDIS__PORT=1)
    told = json.loads(away.stdout)
    assert away.returncode == 69
    assert (told["redis_connected"], told["queue_depth"]) == (False, None)
    down = app.command("check", WORKER_API_CLIENT__WORKOUT_API_URL="http://127.0.0.1:1")
    assert json.loads(down.stdout)["details"]["api_status"] == "no answer"


def test_no_more_jobs_run_at_once_than_asked_for(app: Application) -> None:
    app.coach.latency_s = 0.3
    before = use_backend(ServersBackend(app.stack.jobs))
    try:
        handles = [WarmUpRecommendation.perform_async("legs", "cables", n) for n in range(8)]
        app.start(WORKER_WORKER__MAX_JOBS=3, WORKER_WARMUP__DELAY=0.01)
        wait_until(lambda: all(handle.ready for handle in handles))
    finally:
        use_backend(before)
    assert 1 < app.coach.most_at_once <= 3


def test_a_job_that_takes_too_long_is_ended(app: Application) -> None:
    app.api.latency_s = 2
    app.start(WORKER_WORKER__JOB_TIMEOUT=1, WORKER_REFRESH__MAX_RETRIES=0)
    record = app.ended(app.enqueue("refresh_exercises"))
    assert (record.state, record.error) == ("failed", "the stage did not finish within 1 s")


def test_a_service_that_does_not_answer_in_time_is_a_failure(app: Application) -> None:
    app.api.latency_s = 2
    app.start(WORKER_API_CLIENT__TIMEOUT=0.2, WORKER_REFRESH__MAX_RETRIES=0)
    record = app.ended(app.enqueue("refresh_exercises"))
    assert (record.state, record.error) == ("failed", "workout API: ReadTimeout")


def test_a_stop_ends_parent_and_worker_and_the_job_goes_back(app: Application) -> None:
    app.api.latency_s = 20
    app.start()
    job_id = app.enqueue("refresh_exercises")
    wait_until(lambda: app.stack.state(job_id) == "processing")
    app.running[0].send_signal(signal.SIGTERM)
    assert app.running[0].wait(timeout=60) == 0
    assert app.events("worker_shutdown_complete")
    assert app.stack.state(job_id) == "pending"


def test_the_schedules_are_those_of_the_settings(app: Application) -> None:
    app.start(WORKER_CRON="true")

    def declared() -> dict[str, tuple[str, str]]:
        rows = app.stack.database.schedules.all()
        return {row.name: (row.cron, row.timezone) for row in rows if "." not in row.name}

    usual = {
        "refresh_exercises": ("0 * * * *", "UTC"),
        "warmup_ai_cache": ("0 6 * * *", "UTC"),
        "cleanup_stale_data": ("0 2 * * 0", "UTC"),
    }
    wait_until(lambda: declared() == usual)
    app.end()
    app.log.write_text("")
    app.start(
        WORKER_CRON="true",
        WORKER_SCHEDULE__ENABLE_HOURLY_REFRESH="false",
        WORKER_SCHEDULE__WARMUP_HOUR=4,
        WORKER_SCHEDULE__CLEANUP_DAY_OF_WEEK=0,
        WORKER_SCHEDULE__CLEANUP_HOUR=23,
    )
    changed = {"warmup_ai_cache": ("0 4 * * *", "UTC"), "cleanup_stale_data": ("0 23 * * 1", "UTC")}
    wait_until(lambda: declared() == changed)
    app.end()
    app.log.write_text("")
    off = {f"WORKER_SCHEDULE__ENABLE_{n}": "false" for n in ("DAILY_WARMUP", "WEEKLY_CLEANUP")}
    app.start(WORKER_CRON="true", **off)
    wait_until(lambda: declared().keys() == {"refresh_exercises"})


def test_the_command_line_shares_the_jobs_keys(app: Application) -> None:
    def by_hand(**settings: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "examples.workouts.refresh"],
            cwd=ROOT,
            env=app.environment(**settings),
            capture_output=True,
            text=True,
            timeout=60,
        )

    app.api.fail_next = 2
    first = by_hand()
    assert first.returncode == 0, first.stderr
    assert first.stdout.splitlines() == [
        "total=24 refreshed=22 skipped=0 failed=2",
        "total=24 refreshed=2 skipped=22 failed=0",
    ]
    app.start()
    assert app.result(app.enqueue("refresh_exercises"))["skipped"] == 24
    app.api.down = True
    down = by_hand(WORKER_REFRESH__MAX_RETRIES=1)
    assert down.returncode == 1 and down.stderr.count("HTTP 503") == 2
    app.api.down = False
    away = by_hand(WORKER_REDIS__PORT=1)
    assert (away.returncode, away.stdout) == (69, "")


def test_jobs_can_be_enqueued_by_hand_and_from_python(app: Application) -> None:
    app.start()
    by_hand = app.command("enqueue", "cleanup_stale_data")
    assert app.result(by_hand.stdout.strip())["scanned"] == 0
    before = use_backend(ServersBackend(app.stack.jobs))
    try:
        handle = RefreshExercises.perform_async()
        assert handle.get(timeout=60)["refreshed"] == 24
        assert JobHandle(handle.id).status == "completed"
    finally:
        use_backend(before)


def test_what_cannot_be_enqueued_is_said(app: Application) -> None:
    unknown = app.command("enqueue", "refresh_nothing")
    assert (unknown.returncode, unknown.stderr) == (
        2,
        "error: kind: refresh_nothing is not known\n",
    )
    wrong = app.command("enqueue", "refresh_exercises", "--args", "[1]")
    assert wrong.returncode == 2 and "args" in wrong.stderr


def test_wrong_settings_are_listed_by_name(app: Application) -> None:
    ended = app.command(
        "check", WORKER_REDIS__PORT="soon", WORKER_SCHEDULE__WARMUP_HOUR=24, WORKER_LEASE_S=0
    )
    assert ended.returncode == 78
    named = [line.split(":")[0].strip() for line in ended.stderr.splitlines()[1:]]
    assert named == ["WORKER_REDIS__PORT", "WORKER_SCHEDULE__WARMUP_HOUR"]
