"""Background jobs and schedules on the command line."""

from __future__ import annotations

from tests.commands.test_cli import Cli, cli  # noqa: F401
from tests.processes.conftest import stack, wait_until  # noqa: F401


def test_a_job_is_enqueued_and_its_result_seen(cli: Cli) -> None:  # noqa: F811
    cli.stack.started()
    job_id = cli("enqueue", "load_test.io", "--args", '{"seconds": 0.01}').stdout.strip()
    cli.stack.wait_state(job_id, "completed")
    assert cli.json("status", job_id)["result"] == {"value": 0.01}
    assert job_id in cli("list").stdout


def test_kinds_are_listed_and_unknown_ones_reported(cli: Cli) -> None:  # noqa: F811
    assert "system.clean_up" in cli("kinds").stdout
    from store.records import NewJob

    cli.stack.jobs.enqueue([NewJob("odd", '{"args":[],"kwargs":{}}', kind="theirs", queue="low")])
    told = {line["kind"]: line["known"] for line in cli.json("kinds")}
    assert (told["theirs"], told["system.clean_up"]) == (False, True)
    assert "1 jobs wait of the kind theirs" in cli("kinds").stderr


def test_a_schedule_is_added_paused_run_and_removed(cli: Cli) -> None:  # noqa: F811
    added = cli("schedule", "add", "nightly", "--kind", "load_test.io", "--cron", "0 3 * * *")
    assert added.stdout.startswith("nightly: next at ")
    assert "is paused" in cli("schedule", "pause", "nightly").stdout
    assert "was paused already" in cli("schedule", "pause", "nightly").stdout
    assert "paused" in cli("schedule", "list").stdout
    assert "goes on" in cli("schedule", "resume", "nightly").stdout
    job_id = cli("schedule", "run", "nightly").stdout.strip()
    assert cli.stack.state(job_id) == "pending"
    once = cli("schedule", "once", "--kind", "load_test.io", "--at", "2099-05-01T09:00:00")
    assert cli.stack.state(once.stdout.strip()) == "scheduled"
    assert "is removed" in cli("schedule", "remove", "nightly").stdout
    assert cli.json("schedule", "list") == []
    wrong = cli("schedule", "add", "x", "--kind", "load_test.io", "--cron", "often", code=2)
    assert "cron_schedule" in wrong.stderr


def test_a_worker_declares_its_own_schedules(cli: Cli) -> None:  # noqa: F811
    worker = cli.stack.started(WORKER_CRON="true")
    names = wait_until(lambda: {line["name"] for line in cli.json("schedule", "list")})
    assert {"system.health_check", "system.warm_up"} <= names
    assert "declared" in cli("schedule", "remove", "system.warm_up", code=2).stderr
    assert cli.stack.events(worker, "schedule_failed") == []


def test_voices_are_those_of_the_last_look(cli: Cli) -> None:  # noqa: F811
    assert "refresh_catalog" in cli("voices", code=2).stderr
    cli.stack.started()
    job_id = cli("enqueue", "system.refresh_catalog").stdout.strip()
    cli.stack.wait_state(job_id, "completed")
    assert "joe" in cli("voices").stdout


def test_a_batch_is_shown_with_what_failed(cli: Cli) -> None:  # noqa: F811
    from background import Batch
    from background.builtin.load_test import failure, io_simulation
    from background.enqueue import ServersBackend, use_backend

    before = use_backend(ServersBackend(cli.stack.jobs))
    try:
        with Batch("two rows") as batch:
            batch.add(io_simulation, 0.0)
            batch.add(failure)
        cli.stack.started()
        wait_until(lambda: batch.status().pending == 0)
    finally:
        use_backend(before)
    shown = cli("batch", batch.id, code=1).stdout
    assert "1 completed" in shown and "1 failed" in shown and "has ended" in shown
