"""The notes example with real workers that are killed, and every command of its README."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import select

from background.handle import JobHandle
from config import EXIT_CONFIG
from examples.notes import people, progress, reminding, tables, tracking
from examples.notes.jobs import CheckAndSendReminders
from examples.notes.notes import add_notes
from examples.notes.samples import sample_notes
from store.records import utc_now
from tests.examples.readme import commands, free_port, run, serve, status_of
from tests.examples.smtp import MailServer
from tests.processes.conftest import ROOT, Stack, wait_until

README = ROOT / "examples/notes/README.md"
MODULES = {"WORKER_BACKGROUND_MODULES": "examples.notes.jobs"}


@pytest.fixture
def user_id(fleet: Stack) -> int:
    """Somebody with a thousand notes."""
    tables.create_tables()
    found = people.user_of(people.add_user("ada"))
    assert found is not None
    add_notes(found, sample_notes(1000))
    return found


def revisions(fleet: Stack) -> list[int]:
    with fleet.database.engine.connect() as connection:
        chosen = select(tables.VECTORS.c.revision).order_by(tables.VECTORS.c.note_id)
        return list(connection.execute(chosen).scalars())


def test_a_killed_worker_costs_no_finished_batch(fleet: Stack, user_id: int) -> None:
    victim = fleet.started("victim", **MODULES, WORKER_NOTES__BATCH_PAUSE_S=0.2)
    job_id = tracking.regenerate(user_id)
    wait_until(lambda: progress.get(job_id).processed_items >= 400)
    victim.send_signal(signal.SIGKILL)
    victim.wait()
    stood = progress.get(job_id)
    assert stood.status == "running" and 400 <= stood.processed_items < 1000
    assert len(revisions(fleet)) == stood.processed_items
    heir = fleet.started("heir", **MODULES)
    assert JobHandle(job_id).get(timeout=60) == {"succeeded": 1000, "failed": 0}
    shown = tracking.look(job_id, user_id)
    assert shown is not None
    assert (shown.status, shown.progress_percent) == ("completed", 100)
    assert (shown.processed_items, shown.total_items, shown.failed_items) == (1000, 1000, 0)
    # Each note was embedded once: neither a finished batch twice nor a note left out.
    assert revisions(fleet) == [1] * 1000
    (began,) = fleet.events(heir, "embeddings_started")
    assert began["job_id"] == job_id
    batches = fleet.events(heir, "embeddings_batch_done")
    assert batches[0]["processed"] == stood.processed_items + 100
    assert len(batches) == (1000 - stood.processed_items) // 100


def test_a_deploy_in_the_middle_goes_on_too(fleet: Stack, user_id: int) -> None:
    first = fleet.started("first", **MODULES, WORKER_NOTES__BATCH_PAUSE_S=0.3)
    job_id = tracking.regenerate(user_id)
    wait_until(lambda: progress.get(job_id).processed_items >= 100)
    first.send_signal(signal.SIGTERM)
    assert first.wait(timeout=60) == 0
    fleet.started("second", **MODULES)
    JobHandle(job_id).get(timeout=60)
    assert revisions(fleet) == [1] * 1000
    assert JobHandle(job_id).record.interruptions == 1


def test_a_kill_between_sending_and_noting_it_repeats_that_mail_alone(
    fleet: Stack, user_id: int
) -> None:
    due = [reminding.schedule(user_id, "ada@example.com", "now", utc_now()) for _ in range(6)]
    with MailServer(silent_after=3) as server:
        settings = {**MODULES, "WORKER_NOTES__SMTP_URL": server.url}
        victim = fleet.started("victim", **settings)
        handle = CheckAndSendReminders.perform_async()
        wait_until(lambda: len(server.mails) == 3)
        victim.kill()
        victim.wait()
        fleet.started("heir", **settings)
        handle.get(timeout=60)
        ids = [str(mail["Message-ID"])[1:37] for mail in server.mails]
    # The third was taken, but the worker died before it heard so.
    assert len(ids) == 7 and ids[2] == ids[3]
    assert sorted(set(ids)) == sorted(due)
    with fleet.database.engine.connect() as connection:
        assert set(connection.execute(select(tables.REMINDERS.c.status)).scalars()) == {"sent"}


def test_a_folder_of_mails_has_each_once_whatever_is_killed(
    fleet: Stack, user_id: int, tmp_path: Path
) -> None:
    outbox = tmp_path / "outbox"
    due = [reminding.schedule(user_id, "ada@example.com", "now", utc_now()) for _ in range(150)]
    settings = {**MODULES, "WORKER_NOTES__OUTBOX": outbox}
    handle = CheckAndSendReminders.perform_async()
    for wanted in (20, 70):
        victim = fleet.started(f"victim-{wanted}", **settings)
        wait_until(partial(has_mails, outbox, wanted))
        victim.kill()
        victim.wait()
    fleet.started("heir", **settings)
    handle.get(timeout=60)
    assert sorted(path.stem for path in outbox.glob("*.eml")) == sorted(due)


def has_mails(outbox: Path, wanted: int) -> bool:
    return len(list(outbox.glob("*.eml"))) >= wanted


def test_a_result_is_kept_for_the_set_time(fleet: Stack, user_id: int) -> None:
    fleet.started("worker", **MODULES, WORKER_RESULT_TTL_S=3600)
    handle = JobHandle(tracking.regenerate(user_id))
    handle.get(timeout=60)
    record = handle.record
    assert record.result_until is not None and record.finished_at is not None
    kept = (record.result_until - record.finished_at).total_seconds()
    assert abs(kept - 3600) < 5


def test_a_job_may_take_so_long_and_no_longer(fleet: Stack, user_id: int) -> None:
    fleet.started(
        "worker",
        **MODULES,
        WORKER_STAGE_TIMEOUT_S=1,
        WORKER_STALL_S=1,
        WORKER_NOTES__BATCH_PAUSE_S=0.4,
    )
    job_id = tracking.regenerate(user_id)
    record = wait_until(lambda: (r := JobHandle(job_id).record).failures and r)
    assert record.error == "the stage did not finish within 1 s"
    assert tracking.look(job_id, user_id).status == "queued"  # type: ignore[union-attr]


def test_jobs_that_cannot_be_imported_end_the_start(stack: Stack) -> None:
    worker = stack.start("worker", WORKER_BACKGROUND_MODULES="examples.nothing")
    assert worker.wait(timeout=60) == EXIT_CONFIG
    told = stack.logs[worker.pid].read_text()
    assert "WORKER_BACKGROUND_MODULES: examples.nothing cannot be imported" in told


# ---- The README, command by command ------------------------------------------------------------


def test_the_readme_works_from_top_to_bottom(stack: Stack) -> None:
    """Servers in the background, the rest in order, each by the shell as it is written."""
    port = free_port()
    environment = stack.environment(
        **MODULES, PATH=f"{ROOT}/.venv/bin:/usr/local/bin:/usr/bin:/bin"
    )
    ran, token = [], ""
    for command in commands(README):
        ran.append(command)
        # On a port of its own, and on this test's Redis.
        line = command.replace("localhost:8000", f"localhost:{port}")
        line = line.replace("--port 8000", f"--port {port}")
        if line.startswith("redis-cli") and shutil.which("redis-cli") is None:
            told_by_client = stack.client.execute_command(*shlex.split(line)[1:])
            check(stack, command, str(told_by_client).replace("True", "PONG"))
            continue
        line = re.sub(r"^redis-cli", f"redis-cli -s {stack.redis_url[7:].partition('?')[0]}", line)
        if "run_worker.sh" in line or "uvicorn" in line:
            serve(stack, line, environment)
            if "uvicorn" in line:
                wait_until(partial(is_served, port), what="the API")
            continue
        ended = run(
            f"set -e; token={shlex.quote(token)}; {line}; echo; echo token=$token", environment
        )
        assert ended.returncode == 0, (line, ended.stderr)
        *told, last = ended.stdout.strip().splitlines()
        token = last.removeprefix("token=")
        check(stack, command, "\n".join(told).strip())
    assert [name for name in ran if "regenerate" in name or "LLEN" in name]
    assert len(ran) >= 10


def is_served(port: int) -> bool:
    return status_of(f"http://localhost:{port}/docs") == 200


def check(stack: Stack, command: str, told: str) -> None:
    if "regenerate-embeddings" in command:
        assert json.loads(told)["status"] == "queued"
        job_id = json.loads(told)["task_id"]
        wait_until(lambda: stack.state(job_id) == "completed", within_s=60)
    elif "search" in command:
        assert json.loads(told)["notes"][0]["score"] > 0.2
    elif "/jobs" in command:
        assert json.loads(told)["total"] == 1
    elif "LLEN" in command:
        assert told == "0"
    elif "ping" in command:
        assert told == "PONG"
    elif "--check" in command:
        assert "ok" in told


def test_the_api_is_started_anew_when_its_source_changes(stack: Stack, tmp_path: Path) -> None:
    log, port = tmp_path / "uvicorn.log", free_port()
    watched = tmp_path / "watched"
    watched.mkdir()
    (watched / "a.py").write_text("")
    with log.open("wb") as file:
        parent = subprocess.Popen(
            [
                *(sys.executable, "-m", "uvicorn", "examples.notes.app:app", "--reload"),
                *("--reload-dir", str(watched), "--port", str(port)),
            ],
            cwd=ROOT,
            env=stack.environment(**MODULES),
            stdout=file,
            stderr=file,
            start_new_session=True,
        )
    try:
        wait_until(partial(is_served, port))
        (watched / "a.py").write_text("# edited\n")
        wait_until(lambda: log.read_text().count("Application startup complete") == 2)
    finally:
        # Its child too, which a kill of the parent alone would leave behind.
        os.killpg(parent.pid, signal.SIGKILL)
        parent.wait()


def test_the_settings_of_the_readme_are_real() -> None:
    named = set(re.findall(r"\bWORKER_NOTES__([A-Z_]+)", README.read_text()))
    from examples.notes.settings import NotesOptions

    assert {name.lower() for name in named} == set(NotesOptions.model_fields)
    assert sys.version_info >= (3, 11)
