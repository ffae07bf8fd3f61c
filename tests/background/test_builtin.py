"""This project's own background jobs, run by a worker in this process."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from background import JobHandle
from background.builtin.clean import CleanTemp, CleanUp
from background.builtin.health import HealthCheck, RefreshCatalog
from background.builtin.load_test import cpu_intensive, failure, io_simulation
from background.builtin.send_due import SendDue
from background.builtin.warm_up import PrepareVideo, WarmUp
from background.kinds import REGISTRY
from background.services import services
from pipeline import assembly
from store.bulk import insert_jobs
from tests.stubs.receiver import SECRET, Receiver
from tests.stubs.server import Reply, Request, Stub
from worker import Worker

Work = Callable[[], None]


def configured(worker: Worker, **changes: Any) -> None:
    """Change the settings that jobs see."""
    found = services()
    found.settings = worker.settings.model_copy(update=changes)


def ran(work: Work, handle: JobHandle) -> Any:
    work()
    assert handle.status == "completed", handle.error
    return handle.result


def test_each_has_a_kind_and_most_a_time() -> None:
    times = {
        kind.name: kind.options.cron_schedule
        for kind in REGISTRY.all()
        if kind.origin.startswith("background.builtin.") and kind.name.startswith("system.")
    }
    assert times == {
        "system.clean_temp": "30 * * * *",
        "system.clean_up": "0 2 * * 0",
        "system.health_check": "*/10 * * * *",
        "system.prepare_video": None,
        "system.refresh_catalog": "0 * * * *",
        "system.send_due": "*/15 * * * *",
        "system.warm_up": "0 6 * * *",
    }


def test_the_health_check_tells_what_it_found(worker: Worker, work: Work) -> None:
    told = ran(work, HealthCheck.perform_async())
    assert told["storage"] == "ok"
    assert told["queue"]["running"] == 1


def test_the_health_check_fails_where_something_is_away(worker: Worker, work: Work) -> None:
    configured(worker, artifact_url="s3://nowhere")
    os.environ["AWS_ENDPOINT_URL"] = "http://127.0.0.1:1"
    try:
        handle = HealthCheck.perform_async()
        work()
    finally:
        del os.environ["AWS_ENDPOINT_URL"]
    assert handle.status == "failed"
    assert (handle.error or "").startswith("storage: ")


@pytest.fixture
def vendors() -> Iterator[Stub]:
    def answer(request: Request) -> Reply:
        bodies: dict[str, Any] = {
            "/el/v1/voices": {"voices": [{"voice_id": "v2"}, {"voice_id": "v1"}]},
            "/el/v1/models": [{"model_id": "eleven_v4"}],
            "/cl/v1/models": {"data": [{"id": "claude-haiku-5-5"}]},
            "/oa/v1/models": {"data": [{"id": "llama3.1"}, {"id": 7}]},
        }
        return Reply(bodies.get(request.path), 200 if request.path in bodies else 500)

    with Stub() as stub:
        stub.route("GET", r"/.*", "list", answer)
        yield stub


def test_the_catalog_lists_what_the_configured_providers_offer(
    worker: Worker, work: Work, vendors: Stub
) -> None:
    key = SecretStr("a-key-of-the-tests")
    configured(
        worker,
        elevenlabs_api_key=key,
        elevenlabs_base_url=f"{vendors.url}/el",
        anthropic_api_key=key,
        anthropic_base_url=f"{vendors.url}/cl",
        openai_api_key=key,
        openai_base_url=f"{vendors.url}/oa/v1",
        replicate_api_token=key,
        replicate_base_url=f"{vendors.url}/rp",
    )
    told = ran(work, RefreshCatalog.perform_async())
    assert told["elevenlabs"] == {"models": ["eleven_v4"], "voices": ["v1", "v2"]}
    assert told["claude"]["models"] == ["claude-haiku-5-5"]
    assert told["openai"]["models"] == ["llama3.1"]
    assert told["piper"]["voices"] == ["joe"]
    assert "error" in told["replicate"]
    assert "a-key-of-the-tests" not in json.dumps(told)


def test_temporary_things_go_and_fresh_ones_stay(
    worker: Worker, work: Work, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(assembly, "VAR", tmp_path)
    for name, age_days in (("old", 2), ("fresh", 0), ("in-use", 2)):
        folder = tmp_path / "work" / name
        folder.mkdir(parents=True)
        (folder / "file").touch()
        stamp = time.time() - age_days * 86_400
        for path in (folder / "file", folder):
            os.utime(path, (stamp, stamp))
    (tmp_path / "work" / "in-use" / "written-now").touch()
    assert ran(work, CleanTemp.perform_async())["folders"] == 1
    assert sorted(path.name for path in (tmp_path / "work").iterdir()) == ["fresh", "in-use"]


def test_the_weekly_clean_up_frees_old_keys_and_removes_old_artefacts(
    worker: Worker, work: Work, tmp_path: Path
) -> None:
    configured(worker, artifact_ttl_days=1.0)
    now = datetime.now(UTC)
    insert_jobs(
        worker.database.engine,
        [
            {
                "id": name,
                "kind": "video",
                "queue": "video",
                "state": "completed",
                "tenant": "default",
                "payload": "{}",
                "idempotency_key": name,
                "created_at": now,
                "updated_at": now,
                "stage_generations": "{}",
                "finished_at": now - timedelta(days=days),
            }
            for name, days in (("old", 40), ("new", 3))
        ],
    )
    assert ran(work, CleanUp.perform_async()) == {"keys": 1, "uniques": 0, "artifacts": 0}
    assert worker.database.jobs.by_idempotency_key("default", "old") is None
    assert worker.database.jobs.by_idempotency_key("default", "new") is not None


def test_a_dead_letter_is_reminded_of_once(worker: Worker, work: Work) -> None:
    with Receiver() as receiver:
        host = receiver.url.removeprefix("http://")
        configured(worker, webhook_secret=SecretStr(SECRET), fetch_trusted_hosts=(host,))
        ended = datetime.now(UTC) - timedelta(hours=30)
        payload = json.dumps({"id": "dead", "callback_url": f"{receiver.url}/hook"})
        insert_jobs(
            worker.database.engine,
            [
                {
                    "id": "dead",
                    "kind": "video",
                    "queue": "video",
                    "state": "failed",
                    "tenant": "default",
                    "payload": payload,
                    "error": "no such luck",
                    "created_at": ended,
                    "updated_at": ended,
                    "finished_at": ended,
                    "stage_generations": "{}",
                }
            ],
        )
        assert ran(work, SendDue.perform_async()) == {"reminders": 1, "callbacks": 1}
        assert ran(work, SendDue.perform_async()) == {"reminders": 0, "callbacks": 0}
        (message,) = receiver.messages
    assert message["type"] == "job.reminder"
    assert message["data"]["status"] == "failed"
    assert message["data"]["error"] == "no such luck"


def test_a_video_whose_script_and_voice_are_warm_makes_neither(
    worker: Worker, work: Work, tmp_path: Path
) -> None:
    listed = tmp_path / "warm.json"
    listed.write_text(json.dumps([{"product_name": "Solstice Lamp", "style": "bold"}]))
    configured(worker, warm_up_file=str(listed))
    assert ran(work, WarmUp.perform_async()) == {"queued": 1}
    services().jobs.submit({"id": "real", "product_name": "Solstice Lamp", "style": "bold"})
    work()
    record = worker.database.jobs.get("real")
    assert record is not None and record.result is not None
    reused = {name: line["reused"] for name, line in record.result["stages"].items()}
    assert reused == {
        "script_gen": True,
        "voice_gen": True,
        "video_gen": False,
        "compositing": False,
    }


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("no json", "WARM_UP_FILE"),
        ("{}", "WARM_UP_FILE"),
        ('[{"product_name": "x"}, {"style": "none"}]', "WARM_UP_FILE.1.product_name"),
        ('[{"product_name": "x", "colour": 1}]', "WARM_UP_FILE.0.colour"),
    ],
)
def test_a_wrong_list_to_warm_up_is_refused_by_place(
    worker: Worker, work: Work, tmp_path: Path, text: str, named: str
) -> None:
    listed = tmp_path / "warm.json"
    listed.write_text(text)
    configured(worker, warm_up_file=str(listed))
    handle = WarmUp.perform_async()
    work()
    assert handle.status == "failed"
    assert (handle.error or "").startswith(f"{named}: ")


def test_a_video_is_prepared_by_a_worker_alone() -> None:
    from errors import PermanentError

    with pytest.raises(PermanentError, match="worker alone"):
        PrepareVideo.perform({"product_name": "x"})


def test_load_test_kinds_compute_wait_and_fail(work: Work) -> None:
    handles = [cpu_intensive.perform_async(0.01), io_simulation.perform_async(0.01)]
    dead = failure.perform_async()
    work()
    assert handles[0].result > 0 and handles[1].result == 0.01
    assert dead.status == "failed"
