"""The operators' commands: looking at a fleet, asking it for something, loading it."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys

import pytest

from commands.load_test import latency
from redis_queue import control, presence
from tests.commands.test_cli import Cli, cli  # noqa: F401
from tests.processes.conftest import ROOT, stack, wait_until  # noqa: F401


def test_a_fleet_is_seen_by_all_views(cli: Cli) -> None:  # noqa: F811
    cli.stack.started(NULL_STAGE_SECONDS=30)
    cli.stack.submit("held")
    cli.stack.submit("waits", priority="low")
    cli.stack.submit("off")
    cli("cancel", "off")
    wait_until(
        lambda: [r.get("current_job") for r in presence.workers(cli.stack.client)] == ["held"]
    )
    (worker,) = cli.json("workers")
    assert (worker["worker_id"], worker["state"], worker["current_job"]) == (
        "worker-1",
        "working",
        "held",
    )
    assert worker["stage"] == "script_gen" and worker["progress"] < 25 and worker["rss_mb"] > 10
    frame = cli.json("top", "--once")
    assert frame["running"] == 1 and frame["workers"][0]["current_job"] == "held"
    assert [job["job_id"] for job in frame["ended"]] == ["off"]
    lines = {line["name"]: line for line in frame["queues"]}
    assert lines["video-low"]["depth"] == 1 and lines["video-low"]["oldest_s"] >= 0
    shown = cli("top", "--once").stdout
    for text in ("worker-1", "held", "video-low", "off", "cancelled"):
        assert text in shown
    assert "script_gen" in cli("workers").stdout


def test_top_stays_until_it_is_interrupted(cli: Cli) -> None:  # noqa: F811
    watching = subprocess.Popen(
        [sys.executable, str(ROOT / "cli.py"), "top", "--json", "--interval-s", "0.2"],
        env=cli.stack.environment(PYTHONUNBUFFERED=1),
        stdout=subprocess.PIPE,
        text=True,
    )
    with watching:
        assert watching.stdout is not None
        for _ in range(2):
            assert json.loads(watching.stdout.readline())["workers"] == []
        watching.send_signal(signal.SIGINT)
        assert watching.wait(timeout=60) == 0


def test_top_keeps_a_terminal_fresh_and_leaves_it_as_it_was(cli: Cli) -> None:  # noqa: F811
    ours, theirs = pty.openpty()
    watching = subprocess.Popen(
        [sys.executable, str(ROOT / "cli.py"), "top", "--interval-s", "0.2"],
        env=cli.stack.environment(TERM="xterm", COLUMNS=120, LINES=40),
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    shown = bytearray()

    def shows(what: bytes) -> bool:
        shown.extend(os.read(ours, 65_536))
        return what in shown

    def ends() -> bool:
        try:
            shown.extend(os.read(ours, 65_536))
        except OSError:  # the other side is closed
            return True
        return False

    try:
        wait_until(lambda: shows(b"video-low"))
        cli.stack.submit("a")
        wait_until(lambda: shows(b"1 waiting"))
        watching.send_signal(signal.SIGINT)
        wait_until(ends)
        assert watching.wait(timeout=60) == 0
    finally:
        watching.kill()
        watching.wait()
        os.close(ours)
    assert shown.count(b"\x1b[?1049h") == shown.count(b"\x1b[?1049l") == 1
    assert b"Traceback" not in shown


def test_a_queue_is_paused_and_resumed(cli: Cli) -> None:  # noqa: F811
    assert cli("pause", "video").stdout == "video paused\n"
    assert cli.json("pause", "video") == {"queue": "video", "paused": True, "changed": False}
    assert control.paused(cli.stack.client) == {"video"}
    assert "paused" in cli("queues").stdout
    assert cli("resume", "video").stdout == "video running\n"
    assert "vidoe is not known (critical, default" in cli("pause", "vidoe", code=2).stderr


def test_a_worker_is_told_to_be_quiet_and_to_stop(cli: Cli) -> None:  # noqa: F811
    worker = cli.stack.started()
    wait_until(lambda: presence.workers(cli.stack.client))
    (asked,) = cli.json("quiet", "worker-1")
    assert asked["asked"] == "quiet"
    wait_until(lambda: cli.stack.events(worker, "worker_quieted"))
    cli("quiet", "--lift", asked["instance"][:8])
    wait_until(lambda: cli.stack.events(worker, "worker_resumed"))
    assert "stop" in cli("stop", "worker-1").stdout
    assert worker.wait(timeout=60) == 0
    assert "no worker lives" in cli("stop", "worker-1", code=2).stderr


def test_health_says_who_is_missing(cli: Cli) -> None:  # noqa: F811
    assert json.loads(cli("health", "--json").stdout)["status"] == "healthy"
    cli.stack.submit("a")
    report = json.loads(cli("health", "--json", code=1).stdout)
    assert report["status"] == "unhealthy" and report["queue_depth"] == 1
    assert report["details"]["problem"] == "jobs wait, and no worker takes any"
    cli.stack.redis_url = "redis://127.0.0.1:1/0"
    report = json.loads(cli("health", "--json", code=69).stdout)
    assert not report["redis_connected"] and report["database_connected"]


def test_tail_shows_events_as_they_come(cli: Cli) -> None:  # noqa: F811
    cli.stack.submit("before")
    cli("cancel", "before")
    tailing = subprocess.Popen(
        [sys.executable, str(ROOT / "cli.py"), "tail", "-n", "1", "--json"],
        env=cli.stack.environment(),
        stdout=subprocess.PIPE,
        text=True,
    )
    with tailing:
        assert tailing.stdout is not None
        first = json.loads(tailing.stdout.readline())
        assert (first["job_id"], first["status"]) == ("before", "cancelled")
        cli.stack.submit("after")
        cli("cancel", "after")
        second = json.loads(tailing.stdout.readline())
        assert (second["job_id"], second["tenant"]) == ("after", "default")
        tailing.send_signal(signal.SIGINT)
        assert tailing.wait(timeout=60) == 0
    assert "before" in cli("tail", "-n", "2", "--no-follow").stdout


@pytest.mark.parametrize(
    ("load", "state"),
    [
        ("video", "completed"),
        ("failure", "failed"),
        ("cpu_intensive", "completed"),
        ("io_simulation", "completed"),
    ],
)
def test_a_load_test_reports_throughput_and_latencies(
    cli: Cli,  # noqa: F811
    load: str,
    state: str,
) -> None:
    cli.stack.started()
    report = cli.json("load-test", "run", "--type", load, "--tasks", "5", "--timeout", "60")
    assert report["states"] == {state: 5} and report["per_second"] > 0
    start, end = report["submit_to_start_s"], report["submit_to_end_s"]
    assert 0 <= start["p50"] <= start["max"] <= end["max"]


def test_a_load_test_that_nobody_works_on_says_so(cli: Cli) -> None:  # noqa: F811
    ended = cli("load-test", "run", "--tasks", "2", "--timeout", "1", code=1)
    assert "2 jobs are not completed" in ended.stderr and "2 pending" in ended.stdout


def test_percentiles_are_by_nearest_rank() -> None:
    found = latency([float(number) for number in range(1, 101)])
    assert (found.p50, found.p90, found.p99, found.max) == (50, 90, 99, 100)
    assert latency([]).max is None
