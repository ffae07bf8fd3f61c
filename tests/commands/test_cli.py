"""The command line as people and scripts use it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.commands.warm import run_cli
from tests.processes.conftest import ROOT, Stack, any_stack, stack, wait_until  # noqa: F401
from tests.stubs.receiver import SECRET, Receiver
from tests.stubs.server import Fault


class Cli:
    """Runs cli.py against a stack."""

    def __init__(self, on: Stack) -> None:
        self.stack = on

    def __call__(self, *arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        ended = run_cli(arguments, self.stack.environment())
        assert ended.returncode == code, ended.stderr
        assert "Traceback" not in ended.stderr
        return ended

    def json(self, *arguments: str) -> Any:
        return json.loads(self(*arguments, "--json").stdout)


@pytest.fixture
def cli(stack: Stack) -> Cli:  # noqa: F811
    return Cli(stack)


def test_submit_prints_the_id_alone_and_the_job_can_be_watched(cli: Cli) -> None:
    printed = cli("submit", "--product-name", "Mug", "--style", "bold", "--cta-text", "Go").stdout
    job_id = printed.strip()
    assert printed == f"{job_id}\n"
    assert cli.json("queue") == {
        "queues": {"video": 1, "video-high": 0, "video-low": 0},
        "waiting": 1,
        "running": 0,
        "scheduled": 0,
    }
    cli.stack.started()
    cli("watch", job_id)
    status = cli.json("status", job_id)
    assert (status["status"], status["progress"]) == ("completed", 100)
    assert len(status["stages"]) == 4
    assert "completed" in cli("status", job_id).stdout


def test_submit_watch_shows_the_stages_and_ends_with_the_job(cli: Cli) -> None:
    cli.stack.started()
    ended = cli("submit", "--product-name", "Mug", "--id", "mine", "--watch")
    assert ended.stdout == "mine\n"
    for label in ("Script", "Voice", "Scenes", "Video"):
        assert label in ended.stderr


def test_a_payload_file_is_submitted_whole(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "job.json"
    file.write_text(json.dumps({"id": "f", "product_name": "Mug", "priority": "high"}))
    assert cli("submit", "--file", str(file)).stdout == "f\n"
    assert cli.json("queue")["queues"]["video-high"] == 1


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        (["--product-name", ""], "product_name"),
        ([], "product_name"),
        (["--product-name", "x", "--style", "baroque"], "style"),
        (["--product-name", "x" * 10_000], "product_name"),
        (["--product-name", "a\x07b"], "product_name"),
        (["--product-name", "x", "--id", "a/b"], "id"),
        (["--product-name", "x", "--image", __file__], "images.0"),
        (["--product-name", "x", "--image", "/nowhere.png"], "images.0"),
        (["--file", "/nowhere.json"], "--file"),
    ],
)
def test_bad_input_is_refused_with_the_field_and_code_2(
    cli: Cli, arguments: list[str], field: str
) -> None:
    ended = cli("submit", *arguments, code=2)
    assert f"error: {field}: " in ended.stderr
    assert cli.stack.database.jobs.count_by_state() == {}


def test_an_id_is_accepted_once(cli: Cli) -> None:
    cli("submit", "--product-name", "x", "--id", "a")
    assert "id: a is taken" in cli("submit", "--product-name", "x", "--id", "a", code=2).stderr


def test_an_image_is_copied_to_where_workers_may_read_it(cli: Cli, tmp_path: Path) -> None:
    picture = tmp_path / "mug.png"
    Image.new("RGB", (400, 300), "teal").save(picture)
    job_id = cli("submit", "--product-name", "x", "--image", str(picture)).stdout.strip()
    record = cli.stack.database.jobs.get(job_id)
    assert record is not None
    (reference,) = json.loads(record.payload)["images"]
    assert Path(reference).parent == cli.stack.folder / "uploads"
    cli.stack.started()
    cli.stack.wait_state(job_id, "completed")


def test_an_image_outside_the_allowed_folders_fails_the_job(cli: Cli) -> None:
    cli.stack.started()
    cli.stack.submit("a", images=["/etc/passwd"])
    cli.stack.submit("b", images=[str(cli.stack.folder / "uploads" / ".." / ".." / "x.png")])
    for job in ("a", "b"):
        cli.stack.wait_state(job, "failed")
        record = cli.stack.database.jobs.get(job)
        assert record is not None and record.error and record.error.startswith("images.0: ")


def test_lists_filter_by_state_and_print_ids_for_programs(cli: Cli) -> None:
    for name in ("a", "b", "c"):
        cli.stack.submit(name)
    cli("cancel", "b")
    assert cli("list").stdout.split() == ["c", "b", "a"]
    assert cli("list", "--state", "cancelled").stdout.split() == ["b"]
    assert cli("list", "--kind", "video", "--state", "cancelled").stdout.split() == ["b"]
    assert cli("list", "--kind", "reports.gone").stdout.split() == []
    assert [job["status"] for job in cli.json("list", "--state", "pending")] == ["pending"] * 2


def test_dead_letters_are_listed_and_replayed(cli: Cli) -> None:
    worker = cli.stack.started()
    cli.stack.submit("a", images=["/etc/passwd"])
    cli.stack.client.rpush("video_generation_queue", b"{broken")
    wait_until(lambda: len(cli.json("dead")) == 2)
    assert "images.0" in cli("dead").stdout
    assert cli("replay", "--dead").stdout == "a\n"
    wait_until(lambda: len(cli.stack.events(worker, "job_failed")) == 2)
    assert cli("retry", "a").stdout == "a\n"
    assert "is not known" in cli("retry", "nobody", code=2).stderr
    assert "from_stage" in cli("replay", "a", "--from", "nowhere", code=2).stderr


def test_cancel_says_what_happened(cli: Cli) -> None:
    cli.stack.submit("a")
    assert cli("cancel", "a").stdout == "a cancelled\n"
    assert "is cancelled already" in cli("cancel", "a", code=2).stderr
    assert "is not known" in cli("cancel", "nobody", code=2).stderr


def test_without_servers_a_command_says_what_to_do(cli: Cli) -> None:
    cli.stack.redis_url = "redis://127.0.0.1:1/0"
    ended = cli("queue", code=69)
    assert "run_worker.sh up" in ended.stderr


def test_a_finished_file_is_found_and_a_callback_is_delivered(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Receiver() as receiver:
        monkeypatch.setenv("WEBHOOK_SECRET", SECRET)
        monkeypatch.setenv("WEBHOOK_RETRY_BASE_S", "0.1")
        monkeypatch.setenv("FETCH_TRUSTED_HOSTS", receiver.url.removeprefix("http://"))
        receiver.plan("create", Fault("status", 503))
        file = tmp_path / "job.json"
        job = {"id": "a", "product_name": "Mug", "callback_url": f"{receiver.url}/hook"}
        file.write_text(json.dumps(job))
        cli("submit", "--file", str(file))
        cli.stack.started()
        wait_until(lambda: cli.json("status", "a")["callbacks"], within_s=90)
        wait_until(lambda: cli.json("status", "a")["callbacks"][0]["state"] == "delivered")
        assert "delivered after 2 tries" in cli("status", "a").stdout
        assert Path(cli("link", "a", "--file", "report.json").stdout.strip()).is_file()
        assert "not among" in cli("link", "a", "--file", "x", code=2).stderr
        cli("resend", "a")
        wait_until(lambda: len(receiver.messages) == 2)
        assert set(receiver.ids) == {"a.0.completed"}


def test_the_flags_become_frames_variants_and_a_brand(cli: Cli, tmp_path: Path) -> None:
    Image.new("RGB", (64, 32), "navy").save(tmp_path / "logo.png")
    cli(
        *("submit", "--id", "many", "--product-name", "Mug", "--frame", "9:16", "--frame", "1:1"),
        *("--hooks", "2", "--other-cta", "Try it", "--color", "#0b5fff", "--platform", "tiktok"),
        *("--logo", str(tmp_path / "logo.png"), "--image", "https://pictures.example/mug.png"),
    )
    payload = json.loads(cli.json("status", "many")["payload"])
    assert payload["frames"] == ["9:16", "1:1"]
    assert payload["variants"] == {"hooks": 2, "ctas": ["Try it"]}
    assert payload["brand"] == {"colors": ["#0b5fff"]}
    assert payload["images"] == ["https://pictures.example/mug.png"]
    assert Path(payload["logo"]).is_file()
    wrong = cli("submit", "--product-name", "Mug", "--frame", "2:1", code=2)
    assert "frames.0" in wrong.stderr
