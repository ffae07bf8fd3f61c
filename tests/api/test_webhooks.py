"""Webhooks of Replicate: who is believed, and what a word of it does."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from config import Settings
from redis_queue import hints
from store.calls import CallOwner, Caps
from store.records import NewJob
from tests.api.served import Served
from tests.processes.conftest import Stack, wait_until
from tests.stubs.media import make_mp4
from tests.stubs.queues import ReplicateStub, send_webhook
from tests.stubs.receiver import SECRET
from tests.stubs.server import Fault

#: Polling as good as never: only a word can make a job go on.
_NEVER_S = 600
_OTHER = "whsec_" + "QUJD" * 8
_ENDED = {"id": "abc123", "status": "succeeded", "output": None}


@pytest.fixture
def served(api_settings: Settings, client: Any) -> Iterator[Served]:
    changed = api_settings.model_copy(update={"replicate_webhook_secret": SecretStr(SECRET)})
    with Served(changed) as opened:
        yield opened


@pytest.fixture
def stub(tmp_path: Path) -> Iterator[ReplicateStub]:
    with ReplicateStub(make_mp4(tmp_path, 2.0)) as opened:
        opened.held = True
        yield opened


def _url(served: Served, call: str | None = None) -> str:
    return f"{served.url}/webhooks/replicate" + (f"?call={call}" if call else "")


def _heard(served: Served) -> bool:
    return bool(hints.take(served.shop.client, "replicate", ["other", "abc123"]))


def _intent(served: Served, job_id: str = "j") -> str:
    """A call that was begun, and whose answer never came."""
    jobs, call_id = served.shop.database.jobs, uuid.uuid4().hex
    jobs.accept(NewJob(job_id, "{}"))
    jobs.change.claim(job_id, fence=1, worker_id="w", instance="i")
    owner = CallOwner(job_id, 1, "default", "video_gen", "scope")
    served.shop.database.calls.begin(
        owner, "replicate", "asked", call_id=call_id, estimate=1, caps=Caps()
    )
    return call_id


def _call(served: Served, job_id: str = "j") -> tuple[str, str | None]:
    [call] = served.shop.database.calls.of_job(job_id)
    return call.state, call.remote_id


def test_a_signed_word_is_heard_once_however_often_it_comes(served: Served) -> None:
    call_id = _intent(served)
    for _ in range(2):
        assert send_webhook(_url(served, call_id), _ENDED) == 204
    assert _call(served) == ("submitted", "abc123")
    assert _heard(served)
    assert not _heard(served)


@pytest.mark.parametrize(
    ("secret", "age"),
    [
        (_OTHER, timedelta()),
        (SECRET, timedelta(minutes=10)),
        (SECRET, timedelta(minutes=-10)),
    ],
    ids=["another key", "old", "from the future"],
)
def test_a_word_that_cannot_be_believed_changes_nothing(
    served: Served, secret: str, age: timedelta
) -> None:
    call_id = _intent(served)
    sent_at = datetime.now(UTC) - age
    assert send_webhook(_url(served, call_id), _ENDED, secret=secret, at=sent_at) == 401
    assert _call(served) == ("intent", None)
    assert not _heard(served)


@pytest.mark.parametrize("signature", ["", "v1", "v1,", "v1,é", "v2,AAAA", "v1,!"])
def test_a_signature_that_is_none_is_refused(served: Served, signature: str) -> None:
    now = str(int(datetime.now(UTC).timestamp()))
    headers = {"webhook-id": "m", "webhook-timestamp": now, "webhook-signature": signature}
    encoded = [(name.encode(), value.encode()) for name, value in headers.items()]
    answer = httpx.post(_url(served), json=_ENDED, headers=encoded, timeout=60)
    assert answer.status_code == 401


def test_what_nobody_waits_for_does_no_harm(served: Served) -> None:
    assert send_webhook(_url(served), _ENDED) == 204
    assert send_webhook(_url(served, uuid.uuid4().hex), _ENDED) == 204
    assert send_webhook(_url(served), {"id": "../../x"}) == 422
    assert send_webhook(_url(served), ["no prediction"]) == 422


def test_a_call_that_has_its_id_keeps_it(served: Served) -> None:
    call_id = _intent(served)
    assert send_webhook(_url(served, call_id), _ENDED) == 204
    assert send_webhook(_url(served, call_id), {**_ENDED, "id": "zzz"}) == 204
    assert _call(served) == ("submitted", "abc123")


def test_without_a_secret_there_is_no_such_page(api_settings: Settings, client: Any) -> None:
    with Served(api_settings) as served:
        assert send_webhook(_url(served), _ENDED) == 404


def test_a_word_ends_the_wait_of_a_worker_that_hardly_polls(
    served: Served, stub: ReplicateStub, stack: Stack
) -> None:
    _filming(served, stub, stack)
    stack.submit("ad")
    wait_until(lambda: stub.predictions, what="a prediction")
    # Each was asked about once, and would be again in ten minutes.
    wait_until(lambda: len(stub.seen("GET", "/v1/predictions/")) == len(stub.predictions))
    for prediction in list(stub.predictions):
        assert prediction["_webhook"].startswith(_url(served))
        assert stub.end(prediction["id"]) == 204
    stack.wait_state("ad", "completed", within_s=60)
    assert {call.state for call in stack.database.calls.of_job("ad")} == {"finished"}


def test_a_word_finds_the_call_whose_answer_was_cut_off(
    served: Served, stub: ReplicateStub, stack: Stack
) -> None:
    """The account's list does not show it, so nothing else could."""
    stub.unlisted = stub.tells_at_once = True
    stub.plan("create", Fault("cut_after"))
    _filming(served, stub, stack)
    stack.submit("ad")
    stack.wait_state("ad", "completed", within_s=60)
    calls = stack.database.calls.of_job("ad")
    assert {call.state for call in calls} == {"finished"}
    assert stub.created == len(calls) == len({call.remote_id for call in calls})


def _filming(served: Served, stub: ReplicateStub, stack: Stack) -> None:
    stack.started(
        **stub.settings,
        REPLICATE_WEBHOOK_URL=_url(served),
        REPLICATE_WEBHOOK_SECRET=SECRET,
        REPLICATE_POLL_S=_NEVER_S,
    )
