"""The notes example: a worker in this process, and the API over it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import select, text
from starlette.testclient import TestClient

from background.cron import next_tick
from background.handle import JobHandle
from background.services import services
from errors import InvalidInput, PermanentError
from examples.notes import embedding, jobs, people, settings, tables
from examples.notes.app import create_app
from examples.notes.jobs import CheckAndSendReminders, RegenerateEmbeddings
from examples.notes.notes import add_notes, search
from examples.notes.samples import sample_notes
from redis_queue.connection import connect
from tests.examples.smtp import MailServer
from worker import Worker

Work = Callable[[], None]
FIELDS = [
    "job_id",
    "job_type",
    "status",
    "progress_percent",
    "total_items",
    "processed_items",
    "failed_items",
    "created_at",
    "started_at",
    "completed_at",
]


@pytest.fixture
def ada(worker: Worker) -> str:
    """A user's token; the tables are there."""
    tables.create_tables()
    return people.add_user("ada")


@pytest.fixture
def http(ada: str) -> Iterator[TestClient]:
    with TestClient(create_app(), headers={"Authorization": f"Bearer {ada}"}) as opened:
        yield opened


@pytest.fixture
def configured(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Set WORKER_NOTES__... for what follows."""

    def configure(**values: object) -> None:
        for name, value in values.items():
            monkeypatch.setenv(f"WORKER_NOTES__{name.upper()}", str(value))
        settings.options.cache_clear()

    yield configure
    settings.options.cache_clear()


def given(http: TestClient, count: int) -> None:
    notes = [{"title": title, "text": words} for title, words in sample_notes(count)]
    assert http.post("/notes", json={"notes": notes}).json() == {"total": count}


def queued(http: TestClient) -> str:
    answer = http.post("/semantic/regenerate-embeddings")
    assert answer.status_code == 202
    body = answer.json()
    assert list(body) == ["message", "status", "task_id"]
    assert body["message"].startswith("Embedding regeneration has been queued")
    assert body["status"] == "queued"
    return str(body["task_id"])


def test_a_job_is_queued_run_and_shown(http: TestClient, work: Work) -> None:
    given(http, 150)
    job_id = queued(http)
    before = http.get(f"/jobs/{job_id}").json()
    assert list(before) == FIELDS
    assert (before["status"], before["progress_percent"], before["started_at"]) == (
        "queued",
        0,
        None,
    )
    work()
    after = http.get(f"/jobs/{job_id}").json()
    assert list(after) == FIELDS
    assert after["job_type"] == "embedding_regeneration"
    assert after["status"] == "completed"
    counted = ("progress_percent", "total_items", "processed_items", "failed_items")
    assert [after[name] for name in counted] == [100, 150, 150, 0]
    assert after["created_at"].endswith("Z") and after["completed_at"] >= after["started_at"]
    assert JobHandle(job_id).result == {"succeeded": 150, "failed": 0}


def test_the_progress_of_a_running_job_is_seen(
    http: TestClient, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    given(http, 150)
    job_id, seen = queued(http), []
    embed = embedding.embed

    def looking(texts: Any) -> Any:
        seen.append(http.get(f"/jobs/{job_id}").json())
        assert http.get("/jobs?status=running").json()["total"] == 1
        return embed(texts)

    monkeypatch.setattr(jobs, "embed", looking)
    work()
    assert [(now["status"], now["processed_items"]) for now in seen] == [
        ("running", 0),
        ("running", 100),
    ]
    assert seen[1]["progress_percent"] == 66
    assert seen[1]["completed_at"] is None


def test_jobs_are_listed_by_page_and_status(http: TestClient, work: Work) -> None:
    given(http, 3)
    ended = []
    for _ in range(3):
        ended.append(queued(http))
        work()
    waiting = queued(http)
    page = http.get("/jobs?limit=2&offset=1").json()
    assert list(page) == ["jobs", "total"]
    assert page["total"] == 4
    assert [job["job_id"] for job in page["jobs"]] == [ended[2], ended[1]]
    only = http.get("/jobs?limit=20&offset=0&status=queued").json()
    assert ([job["job_id"] for job in only["jobs"]], only["total"]) == ([waiting], 1)
    assert http.get("/jobs?status=completed").json()["total"] == 3
    for wrong in ("limit=0", "offset=-1", "status=odd"):
        assert http.get(f"/jobs?{wrong}").status_code == 422


def test_a_second_request_meanwhile_gets_the_first_ones_job(http: TestClient) -> None:
    given(http, 1)
    assert queued(http) == queued(http)


def test_a_user_sees_only_its_own(http: TestClient, work: Work) -> None:
    given(http, 2)
    job_id = queued(http)
    other = {"Authorization": f"Bearer {people.add_user('eve')}"}
    assert http.get(f"/jobs/{job_id}", headers=other).status_code == 404
    assert http.get("/jobs", headers=other).json() == {"jobs": [], "total": 0}
    work()
    assert http.get("/semantic/search?q=dinner", headers=other).json() == {"notes": []}
    with pytest.raises(InvalidInput, match="name"):
        people.add_user("eve")


@pytest.mark.parametrize("headers", [{"Authorization": ""}, {"Authorization": "Bearer nobody"}])
def test_nobody_is_let_in_without_a_token(http: TestClient, headers: dict[str, str]) -> None:
    asked = (("GET", "/jobs"), ("GET", "/jobs/x"), ("POST", "/semantic/regenerate-embeddings"))
    for method, path in asked:
        answer = http.request(method, path, headers=headers)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"


def test_the_docs_page_loads_nothing_from_elsewhere(http: TestClient) -> None:
    page = http.get("/docs").text
    assert "https://" not in page
    assert http.get("/swagger/swagger-ui-bundle.js").status_code == 200
    assert "/semantic/regenerate-embeddings" in http.get("/openapi.json").json()["paths"]


def test_a_note_without_words_is_counted_as_failed(http: TestClient, work: Work) -> None:
    notes = [{"title": title} for title in ("Garden", "", " \n", "Music")]
    http.post("/notes", json={"notes": notes})
    job_id = queued(http)
    work()
    shown = http.get(f"/jobs/{job_id}").json()
    assert (shown["status"], shown["processed_items"], shown["failed_items"]) == ("completed", 4, 2)
    assert len(http.get("/semantic/search?q=plants&limit=50").json()["notes"]) == 2


def test_a_job_without_notes_is_completed(http: TestClient, work: Work) -> None:
    job_id = queued(http)
    work()
    shown = http.get(f"/jobs/{job_id}").json()
    assert (shown["status"], shown["progress_percent"], shown["total_items"]) == (
        "completed",
        100,
        0,
    )


def test_the_vectors_tell_what_notes_mean(worker: Worker, ada: str, work: Work) -> None:
    user_id = people.user_of(ada)
    assert user_id is not None
    add_notes(
        user_id,
        [
            ("Carbonara", "whisk eggs with parmesan, toss with hot spaghetti"),
            ("Puppy", "the vet says to vaccinate the dog in March"),
            ("Portfolio", "rebalance stocks and bonds every quarter"),
            ("Sonata", "rehearse the violin part with the pianist"),
        ],
    )
    RegenerateEmbeddings.perform_async(user_id)
    work()
    # None of these words stands in the note that is to be found.
    for asked, wanted in (
        ("recipe for dinner", "Carbonara"),
        ("pet medicine", "Puppy"),
        ("investment money", "Portfolio"),
        ("classical music practice", "Sonata"),
    ):
        best, *_ = search(user_id, asked, 4)
        assert best.note.title == wanted, asked
    again = embedding.embed(["Sonata"])[0]
    assert np.isclose(np.linalg.norm(again), 1.0)
    assert np.array_equal(embedding.from_bytes([embedding.to_bytes(again)])[0], again)


def test_a_failed_try_waits_and_the_last_one_fails(
    http: TestClient, worker: Worker, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    given(http, 1)
    job_id = queued(http)

    def broken(_: Any) -> Any:
        raise RuntimeError("no such luck")

    monkeypatch.setattr(jobs, "embed", broken)
    for _ in range(RegenerateEmbeddings.max_retries):
        work()
        assert http.get(f"/jobs/{job_id}").json()["status"] == "queued"
        worker._housekeeping.promote(job_id)
    work()
    shown = http.get(f"/jobs/{job_id}").json()
    assert shown["status"] == "failed" and shown["completed_at"] is not None
    with worker.database.engine.connect() as connection:
        told = connection.execute(text("SELECT error_message FROM background_jobs")).scalar()
    assert told == "RuntimeError: no such luck"


def test_an_error_for_good_is_not_tried_again(
    http: TestClient, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    given(http, 1)
    job_id = queued(http)

    def refused(_: Any) -> Any:
        raise PermanentError("the model is gone")

    monkeypatch.setattr(jobs, "embed", refused)
    work()
    assert http.get(f"/jobs/{job_id}").json()["status"] == "failed"


def test_a_replayed_job_goes_on_or_begins_anew(
    http: TestClient, work: Work, monkeypatch: pytest.MonkeyPatch, configured: Callable[..., None]
) -> None:
    given(http, 30)
    configured(batch_size=10)
    job_id, embed, parts = queued(http), embedding.embed, []

    def embedding_some(texts: Any) -> Any:
        parts.append(len(texts))
        if len(parts) == 3:
            raise PermanentError("the model is gone")
        return embed(texts)

    monkeypatch.setattr(jobs, "embed", embedding_some)
    for processed in (20, 30, 30):
        work()
        shown = http.get(f"/jobs/{job_id}").json()
        assert (shown["status"], shown["processed_items"]) == (
            "failed" if processed == 20 else "completed",
            processed,
        )
        services().jobs.replay(job_id)
    # Two batches and one that failed; the third again; all three of them.
    assert parts == [10] * 7


def test_a_job_that_was_called_off_is_shown_as_failed(http: TestClient) -> None:
    given(http, 1)
    job_id = queued(http)
    JobHandle(job_id).cancel()
    assert http.get("/jobs?status=failed").json()["jobs"][0]["job_id"] == job_id
    assert http.get(f"/jobs/{job_id}").json()["status"] == "failed"


def test_due_reminders_go_out_once_and_no_others(
    http: TestClient, worker: Worker, work: Work, configured: Callable[..., None], tmp_path: Path
) -> None:
    configured(outbox=tmp_path / "outbox", mail_from="notes@example.com")
    now = datetime.now(UTC)
    ids = []
    for minutes in (-30, -1, 30):
        at = (now + timedelta(minutes=minutes)).isoformat()
        wanted = {"address": "ada@example.com", "message": f"in {minutes}", "scheduled_at": at}
        answer = http.post("/reminders", json=wanted)
        assert answer.status_code == 201
        ids.append(answer.json()["id"])
    first, second = CheckAndSendReminders.perform_async(), CheckAndSendReminders.perform_async()
    work()
    assert [first.result, second.result] == [{"sent": 2, "failed": 0}, {"sent": 0, "failed": 0}]
    mails = {path.stem: path.read_text() for path in (tmp_path / "outbox").iterdir()}
    assert mails.keys() == set(ids[:2])
    assert f"Message-ID: <{ids[0]}@example.com>" in mails[ids[0]]
    assert states(worker) == {ids[0]: "sent", ids[1]: "sent", ids[2]: "scheduled"}


def test_reminders_are_looked_for_every_quarter_of_an_hour() -> None:
    cron = CheckAndSendReminders.definition.options.cron_schedule
    assert cron is not None
    at, minutes = datetime(2026, 5, 1, 8, 59, tzinfo=UTC), []
    for _ in range(4):
        at = next_tick(cron, "UTC", at)
        minutes.append(at.minute)
    assert minutes == [0, 15, 30, 45]


def test_mails_go_through_a_server_and_are_tried_again(
    http: TestClient, worker: Worker, work: Work, configured: Callable[..., None]
) -> None:
    due = {"message": "now", "scheduled_at": "2026-01-01T00:00:00Z"}
    answer = http.post("/reminders", json={**due, "address": "ada@example.com"})
    reminder = answer.json()["id"]
    configured(smtp_url="smtp://127.0.0.1:1")
    failed = CheckAndSendReminders.perform_async()
    work()
    assert failed.result == {"sent": 0, "failed": 1}
    assert states(worker) == {reminder: "scheduled"}
    with MailServer() as server:
        configured(smtp_url=server.url)
        sent = CheckAndSendReminders.perform_async()
        work()
    assert sent.result == {"sent": 1, "failed": 0}
    assert states(worker) == {reminder: "sent"}
    (mail,) = server.mails
    assert (mail["To"], mail.get_payload()) == ("ada@example.com", "now\r\n")
    assert mail["Message-ID"].startswith(f"<{reminder}@")


def test_a_reminder_that_never_goes_fails_in_the_end(
    http: TestClient, worker: Worker, work: Work, configured: Callable[..., None]
) -> None:
    configured(smtp_url="smtp://127.0.0.1:1")
    due = {"address": "ada@example.com", "scheduled_at": "2026-01-01T00:00:00Z"}
    reminder = http.post("/reminders", json={**due, "message": "lost"}).json()["id"]
    for _ in range(5):
        CheckAndSendReminders.perform_async()
        work()
    assert states(worker) == {reminder: "failed"}
    assert http.post("/reminders", json={**due, "message": ""}).status_code == 422


def test_options_are_checked(configured: Callable[..., None]) -> None:
    configured(batch_size=0)
    with pytest.raises(ValueError, match="batch_size"):
        settings.options()
    configured(batch_size=7, smtp_url="http://mail")
    with pytest.raises(ValueError, match="smtp://"):
        settings.options()
    configured(smtp_url="smtp://mail:25")
    assert settings.options().batch_size == 7


def test_connections_to_redis_can_be_limited() -> None:
    limited = connect("redis://localhost:6379/0?max_connections=10")
    assert limited.connection_pool.max_connections == 10


def states(worker: Worker) -> dict[str, str]:
    chosen = select(tables.REMINDERS.c.id, tables.REMINDERS.c.status)
    with worker.database.engine.connect() as connection:
        return {row.id: row.status for row in connection.execute(chosen)}
