"""The stubs are honest: each vendor's own client library works against its stub."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anthropic
import httpx
import pytest
from elevenlabs.client import ElevenLabs
from elevenlabs.core.api_error import ApiError
from replicate.client import Client as Replicate
from replicate.exceptions import ReplicateError

from tests.stubs.chat import GOOD_SCRIPT, AnthropicStub, OpenAIStub
from tests.stubs.elevenlabs import CHARACTER_S, ElevenLabsStub
from tests.stubs.media import make_mp3, make_mp4
from tests.stubs.queues import FalStub, ReplicateStub
from tests.stubs.server import Fault, Stub

_NO_RETRIES: Any = {"max_retries": 0}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("media")


@pytest.fixture
def claude() -> Iterator[tuple[AnthropicStub, anthropic.Anthropic]]:
    with (
        AnthropicStub() as stub,
        anthropic.Anthropic(base_url=stub.url, api_key=stub.KEY, max_retries=0) as client,
    ):
        yield stub, client


def _ask(client: anthropic.Anthropic) -> anthropic.types.Message:
    return client.messages.create(
        model="claude-haiku-4-5", max_tokens=1000, messages=[{"role": "user", "content": "Hi"}]
    )


def test_the_anthropic_client_gets_text_and_usage(
    claude: tuple[AnthropicStub, anthropic.Anthropic],
) -> None:
    stub, client = claude
    message = _ask(client)
    text = next(block.text for block in message.content if block.type == "text")
    assert json.loads(text) == GOOD_SCRIPT
    assert message.stop_reason == "end_turn"
    assert message.usage.output_tokens == 300
    assert stub.created == 1 and stub.spent_microusd == 2700


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (401, anthropic.AuthenticationError),
        (429, anthropic.RateLimitError),
        (529, anthropic.InternalServerError),
    ],
)
def test_the_anthropic_client_reads_the_stubs_errors(
    claude: tuple[AnthropicStub, anthropic.Anthropic],
    status: int,
    error: type[anthropic.APIStatusError],
) -> None:
    stub, client = claude
    stub.plan("create", Fault("status", status, headers={"retry-after": "7"}))
    with pytest.raises(error) as caught:
        _ask(client)
    assert caught.value.response.headers["retry-after"] == "7"
    assert isinstance(caught.value.body, dict) and caught.value.body["type"] == "error"
    assert stub.created == 0


def test_a_wrong_key_and_a_cut_are_seen_as_such() -> None:
    with AnthropicStub() as stub:
        with (
            anthropic.Anthropic(base_url=stub.url, api_key="wrong", max_retries=0) as wrong,
            pytest.raises(anthropic.AuthenticationError),
        ):
            _ask(wrong)
        stub.plan("create", Fault("cut_before"), Fault("cut_after"))
        with anthropic.Anthropic(base_url=stub.url, api_key=stub.KEY, max_retries=0) as client:
            for created in (0, 1):
                with pytest.raises(anthropic.APIConnectionError):
                    _ask(client)
                assert stub.created == created


def test_the_elevenlabs_client_speaks_and_finds_its_history(folder: Path) -> None:
    with (
        ElevenLabsStub(make_mp3(folder, 1.0)) as stub,
        httpx.Client(timeout=30) as http,
    ):
        client = ElevenLabs(base_url=stub.url, api_key=stub.KEY, httpx_client=http)
        answer = client.text_to_speech.with_raw_response.convert_with_timestamps(
            "voice1", text="Warm tea.", request_options=_NO_RETRIES
        )
        alignment = answer.data.alignment
        assert answer.headers["character-cost"] == "9"
        assert alignment is not None and "".join(alignment.characters) == "Warm tea."
        assert alignment.character_end_times_seconds[-1] == pytest.approx(9 * CHARACTER_S)
        found = client.history.list(voice_id="voice1", date_after_unix=0, source="TTS")
        assert [item.text for item in found.history] == ["Warm tea."]
        audio = b"".join(client.history.get_audio(found.history[0].history_item_id))
        assert audio == stub.mp3
        assert stub.created == 1


def test_the_elevenlabs_client_reads_the_stubs_errors(folder: Path) -> None:
    with ElevenLabsStub(b"") as stub, httpx.Client(timeout=30) as http:
        client = ElevenLabs(base_url=stub.url, api_key="wrong", httpx_client=http)
        with pytest.raises(ApiError) as caught:
            client.text_to_speech.convert_with_timestamps(
                "voice1", text="Tea.", request_options=_NO_RETRIES
            )
        assert caught.value.status_code == 401
        assert caught.value.body["detail"]["status"] == "invalid_api_key"


def test_the_replicate_client_creates_lists_cancels_and_downloads(folder: Path) -> None:
    with ReplicateStub(make_mp4(folder, 0.5)) as stub:
        client = Replicate(api_token=stub.KEY, base_url=stub.url)
        made = client.models.predictions.create(
            "bytedance/seedance-1-lite", input={"prompt": "a mug"}, wait=False
        )
        assert made.status == "starting"
        made.wait()
        assert httpx.get(str(made.output), timeout=30).content == stub.mp4
        other = client.predictions.create(version="a/b:c1", input={"prompt": "x"}, wait=False)
        other.cancel()
        assert other.status == "canceled"
        assert [found.id for found in client.predictions.list()] == [other.id, made.id]
        assert client.files.create(io.BytesIO(b"picture")).urls["get"]
        stub.plan("create", Fault("status", 402))
        with pytest.raises(ReplicateError) as caught:
            client.predictions.create(version="a/b:c1", input={"prompt": "x"}, wait=False)
        assert caught.value.status == 402
        assert stub.created == 2
        client._client.close()


def test_the_openai_and_fal_stubs_hold_to_their_documented_shapes(folder: Path) -> None:
    """Their clients are not installed here, or need TLS: plain requests, as documented."""
    with OpenAIStub() as stub:
        question = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
        answer = httpx.post(
            f"{stub.url}/v1/chat/completions", json=question, headers=_bearer(stub)
        ).json()
        assert answer["choices"][0]["finish_reason"] == "stop"
        assert (
            httpx.post(f"{stub.url}/v1/chat/completions", json=question, timeout=30).status_code
            == 401
        )
    with FalStub(make_mp4(folder, 0.5)) as fal:
        headers = {"authorization": f"Key {fal.KEY}"}
        url = f"{fal.url}/fal-ai/some-model/text-to-video"
        asked = httpx.post(url, json={"prompt": "a mug"}, headers=headers, timeout=30).json()
        seen = [
            httpx.get(asked["status_url"], headers=headers, timeout=30).json()["status"]
            for _ in range(2)
        ]
        assert seen == ["IN_PROGRESS", "COMPLETED"]
        result = httpx.get(asked["response_url"], headers=headers, timeout=30).json()
        assert httpx.get(result["video"]["url"], timeout=30).content == fal.mp4
        assert httpx.put(asked["cancel_url"], headers=headers, timeout=30).status_code == 400


def _bearer(stub: Stub) -> dict[str, str]:
    return {"authorization": f"Bearer {stub.KEY}"}
