"""What a newcomer does: one command, and a finished video; with the real providers."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

from config import VAR
from tests.processes.conftest import ROOT, Stack, any_stack, wait_until  # noqa: F401

FILES = ["captions.srt", "captions.vtt", "manifest.json", "poster.jpg", "report.json", "video.mp4"]


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "cli.py"), "demo", *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_demo_makes_a_video_whatever_is_exported(tmp_path: Path) -> None:
    out = tmp_path / "out"
    # A seed of its own, so that nothing of an earlier run is found again.
    seed = str(int.from_bytes(os.urandom(3), "big"))
    made = run(
        *("--out", str(out), "--seed", seed, "--duration-s", "8"),
        REDIS_URL="redis://127.0.0.1:1/0",
        DATABASE_URL="postgresql://127.0.0.1:1/nowhere",
        SCRIPT_PROVIDER="null",
        ANTHROPIC_API_KEY="sk-not-to-be-used",
    )
    assert made.returncode == 0, made.stderr
    assert made.stdout.splitlines()[-1] == str(out / "video.mp4")
    assert sorted(path.name for path in out.iterdir()) == FILES
    report = json.loads((out / "report.json").read_text())
    assert report["passed"] and all(check["passed"] for check in report["checks"])
    assert (out / "video.mp4").read_bytes()[4:8] == b"ftyp"
    assert (out / "captions.srt").read_text().startswith("1\n")
    assert (out / "captions.vtt").read_text().startswith("WEBVTT")
    again = run("--out", str(out), "--seed", seed, "--duration-s", "8")
    assert again.returncode == 0
    log = (VAR / "demo.log").read_text().splitlines()
    reused = [line for line in log[-20:] if '"stage_reused"' in line]
    assert len(reused) == 4, "what was made once is not made again"


def test_demo_says_why_it_cannot(tmp_path: Path) -> None:
    wrong = run("--out", str(tmp_path / "out"), "--style", "baroque")
    assert wrong.returncode == 2
    assert "error: style: must be one of" in wrong.stderr
    no_image = run("--out", str(tmp_path / "out"), "--image", __file__)
    assert no_image.returncode == 2
    assert "error: images.0: " in no_image.stderr
    assert not (tmp_path / "out").exists()


def test_demo_live_uses_the_servers_of_the_environment(any_stack: Stack, tmp_path: Path) -> None:  # noqa: F811
    environment = any_stack.environment()
    made = run("--live", "--out", str(tmp_path / "out"), **environment)
    assert made.returncode == 0, made.stderr
    (record,) = any_stack.database.jobs.page()
    assert record.state == "completed"
    assert any_stack.status(record.id) == "completed"


def test_up_starts_a_stack_that_other_terminals_find(tmp_path: Path) -> None:
    """In a copy of the checkout: its var/ is its own."""
    copy = tmp_path / "checkout"
    copy.mkdir()
    for name in subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines():
        if not name.startswith(("tests/", "docs/")) and (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            (copy / name).write_bytes((ROOT / name).read_bytes())
    log = tmp_path / "up.log"
    kept = {"WORKER_LOG_FORMAT": "json", "SCRIPT_PROVIDER": "null", "VOICE_PROVIDER": "null"}
    nulls: dict[str, Any] = {**os.environ, **kept, "VIDEO_PROVIDER": "null", "COMPOSITOR": "null"}
    with log.open("wb") as file:
        up = subprocess.Popen(
            [sys.executable, str(copy / "cli.py"), "up", "--live"],
            env=nulls,
            stdout=file,
            stderr=file,
        )
    try:
        wait_until(lambda: log.read_text().count('"worker_started"') == 2, what="two workers")
        printed = log.read_text()
        assert re.search(r"export REDIS_URL='unix://.+'", printed)
        assert re.search(r"export DATABASE_URL='sqlite:///.+'", printed)
        submitted = subprocess.run(
            [sys.executable, str(copy / "cli.py"), "submit", "--product-name", "x", "--watch"],
            env=nulls,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert submitted.returncode == 0, submitted.stderr
        second = subprocess.run(
            [sys.executable, str(copy / "cli.py"), "up"],
            env=nulls,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert second.returncode == 1 and "runs already" in second.stderr
        found = wait_until(lambda: re.search(r"(http://\S+)/#token=(\S+)", log.read_text()))
        jobs = urllib.request.Request(
            found[1] + "/jobs", headers={"Authorization": f"Bearer {found[2]}"}
        )
        with urllib.request.urlopen(jobs) as answer:
            assert json.load(answer)["jobs"][0]["status"] == "completed"
        assert (copy / "var" / "api-token").stat().st_mode & 0o077 == 0
    finally:
        up.send_signal(signal.SIGINT)
        code = up.wait(timeout=60)
    assert code == 0
    assert log.read_text().count('"worker_shutdown_complete"') == 2
    assert not (copy / "var" / "up.json").exists()
