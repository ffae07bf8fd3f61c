"""`--watch`: the worker follows its source, and a job in hand follows the worker."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from runtime.arguments import parse_arguments
from runtime.reload import source_times
from tests.processes.conftest import ROOT, Stack, wait_until
from tests.processes.test_crashes import children_of, is_alive


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A copy of the source, to be edited."""
    copied = tmp_path / "source"
    left_out = shutil.ignore_patterns(
        ".*", "__pycache__", "var", "out", "tests", "docs", "seed", "node_modules"
    )
    shutil.copytree(ROOT, copied, ignore=left_out)
    return copied


def watched(stack: Stack, source: Path, *folder: str, **settings: object) -> Any:
    log = stack.folder / "watched.log"
    with log.open("wb") as file:
        parent = subprocess.Popen(
            [sys.executable, str(source / "worker.py"), "w", "--watch", *folder],
            cwd=stack.folder,
            env=stack.environment(**settings),
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
        )
    stack.workers.append(parent)
    stack.logs[parent.pid] = log
    return parent


def test_a_change_starts_the_worker_anew_and_its_job_goes_on(stack: Stack, source: Path) -> None:
    parent = watched(stack, source, NULL_STAGE_SECONDS=60)
    wait_until(lambda: stack.events(parent, "worker_started"))
    stack.submit("a")
    wait_until(lambda: stack.events(parent, "stage_started"))
    [first] = children_of(parent.pid)
    edited = source / "runtime/settle.py"
    edited.write_text(edited.read_text() + "\n# edited\n")
    wait_until(lambda: len(stack.events(parent, "job_processing_started")) == 2)
    assert not is_alive(first)
    assert stack.events(parent, "source_changed")[0]["files"] == ["runtime/settle.py"]
    record = stack.database.jobs.get("a")
    assert record is not None and (record.interruptions, record.crashes) == (1, 0)
    parent.send_signal(signal.SIGTERM)
    assert parent.wait(timeout=60) == 0
    assert stack.state("a") == "pending"


def test_a_mistake_in_the_source_waits_for_its_correction(stack: Stack, source: Path) -> None:
    edited = source / "runtime/settle.py"
    right = edited.read_text()
    parent = watched(stack, source)
    wait_until(lambda: _log(stack, parent).count('"worker_started"') == 1)
    edited.write_text("this is no Python\n")
    wait_until(lambda: "SyntaxError" in _log(stack, parent))
    edited.write_text(right)
    wait_until(lambda: _log(stack, parent).count('"worker_started"') == 2)
    parent.send_signal(signal.SIGTERM)
    assert parent.wait(timeout=60) == 0


def test_only_a_named_folder_is_watched(stack: Stack, source: Path) -> None:
    parent = watched(stack, source, str(source / "jobs"))
    wait_until(lambda: len(stack.events(parent, "worker_started")) == 1)
    (source / "runtime/settle.py").touch()
    (source / "jobs/states.py").touch()
    wait_until(lambda: len(stack.events(parent, "worker_started")) == 2)
    assert [told["files"] for told in stack.events(parent, "source_changed")] == [["states.py"]]
    parent.send_signal(signal.SIGTERM)
    assert parent.wait(timeout=60) == 0


def test_a_folder_is_told_from_a_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    named = parse_arguments(["--watch", "worker-1"])
    assert (named.watch, named.watch_folder, named.name) == (True, None, "worker-1")
    both = parse_arguments(["worker-1", "--watch", str(tmp_path)])
    assert (both.watch, both.watch_folder, both.name) == (True, str(tmp_path), "worker-1")
    assert parse_arguments(["w", "--watch", "--burst"]).watch_folder is None
    assert not parse_arguments(["w"]).watch
    with pytest.raises(SystemExit):
        parse_arguments(["w", "--watch", str(tmp_path / "nowhere")])
    assert "is no folder" in capsys.readouterr().err


def _log(stack: Stack, worker: Any) -> str:
    return stack.logs[worker.pid].read_text()


def test_only_source_is_watched(tmp_path: Path) -> None:
    for name in ("a.py", "scripts/b.lua", "var/c.py", ".git/d.py", "e.log"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert {path.name for path in source_times(tmp_path)} == {"a.py", "b.lua"}
