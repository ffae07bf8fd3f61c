"""ElevenLabs' voice, against a stub that speaks its protocol."""

from __future__ import annotations

import wave
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from errors import InvalidInput, JobCancelled, NotNow, ProviderRefused, ProviderUnavailable
from jobs.payload import VideoJob
from pipeline.calls import CallsInMemory
from pipeline.providers.elevenlabs_voice import ElevenLabsVoice
from pipeline.providers.http_errors import Unanswered
from pipeline.providers.script_ports import Script, Voice, voice_problems
from tests.pipeline.context import FakeContext
from tests.providers.breaker import CallsBehindBreaker
from tests.providers.secrets import assert_no_key
from tests.stubs.chat import GOOD_SCRIPT
from tests.stubs.elevenlabs import CHARACTER_S, ElevenLabsStub
from tests.stubs.server import Fault

_TEXT = "\n\n".join(scene["spoken"] for scene in GOOD_SCRIPT["scenes"])
_COST = 80 * len(_TEXT)


@pytest.fixture
def script() -> Script:
    return {"language": "en", "scenes": GOOD_SCRIPT["scenes"]}


@pytest.fixture
def stub(elevenlabs_stub: ElevenLabsStub) -> ElevenLabsStub:
    return elevenlabs_stub


def _voice(stub: ElevenLabsStub, timeout_s: float = 10.0) -> ElevenLabsVoice:
    return ElevenLabsVoice(stub.KEY, stub.url, timeout_s=timeout_s)


def _states(calls: CallsInMemory) -> list[str]:
    return [call.state for call in calls.calls.values()]


def _is_sound(voice: Voice, script: Script) -> None:
    assert not voice_problems(voice.data, script)
    with wave.open(str(voice.wav)) as wav:
        assert (wav.getnchannels(), wav.getsampwidth()) == (1, 2)
        assert wav.getnframes() / wav.getframerate() == pytest.approx(
            voice.data["duration_s"], abs=0.001
        )


def test_a_script_is_spoken_in_one_call_with_each_words_own_time(
    stub: ElevenLabsStub, ctx: FakeContext, calls: CallsInMemory, job: VideoJob, script: Script
) -> None:
    voice = _voice(stub).speak(job, script, ctx)
    _is_sound(voice, script)
    assert "word_times" not in voice.data
    second = voice.data["scenes"][1]["words"][1]
    at = _TEXT.index("Ember")
    assert second["text"] == "Ember,"
    assert second["start_s"] == pytest.approx(at * CHARACTER_S)
    assert second["end_s"] == pytest.approx((at + len("Ember,")) * CHARACTER_S)
    (call,) = calls.calls.values()
    assert call.state == "finished" and call.cost_microusd == _COST == stub.spent_microusd
    assert call.usage["characters"] == len(_TEXT) and call.estimate_microusd == _COST
    assert stub.created == 1


@pytest.mark.parametrize(
    "spoil",
    [
        lambda alignment: None,
        lambda alignment: {**alignment, "characters": ["x"] * len(alignment["characters"])},
        lambda alignment: {**alignment, "character_end_times_seconds": [1.0]},
        lambda alignment: {"characters": "?"},
    ],
    ids=["none", "another text", "of another length", "of another shape"],
)
def test_without_usable_times_the_words_share_the_time_and_the_data_says_so(
    stub: ElevenLabsStub, ctx: FakeContext, job: VideoJob, script: Script, spoil: Any
) -> None:
    from pipeline.providers.char_times import scenes_from

    stub.aligned = False
    voice = _voice(stub).speak(job, script, ctx)
    _is_sound(voice, script)
    assert voice.data["word_times"] == "proportional"
    good = {
        "characters": list(_TEXT),
        "character_start_times_seconds": [0.0] * len(_TEXT),
        "character_end_times_seconds": [0.1] * len(_TEXT),
    }
    lines = [scene["spoken"] for scene in script["scenes"]]
    assert scenes_from(lines, good, 9.0)[1]
    assert not scenes_from(lines, spoil(good), 9.0)[1]


def test_times_past_the_sounds_end_are_held_back(
    stub: ElevenLabsStub, ctx: FakeContext, job: VideoJob, script: Script
) -> None:
    long = "It keeps your tea warm. " * 20
    script["scenes"] = [{**script["scenes"][0], "spoken": long}, *script["scenes"][1:]]
    _is_sound(_voice(stub).speak(job, script, ctx), script)


@pytest.mark.parametrize(
    "fault",
    [
        Fault("cut_after"),
        Fault("malformed"),
        Fault("truncated"),
        Fault("latency", delay_s=1.0),
    ],
    ids=lambda fault: fault.kind,
)
def test_an_answer_that_was_lost_is_found_in_the_history_and_not_paid_again(
    stub: ElevenLabsStub,
    ctx: FakeContext,
    calls: CallsInMemory,
    job: VideoJob,
    script: Script,
    fault: Fault,
) -> None:
    stub.plan("create", fault)
    with pytest.raises(Unanswered) as caught:
        _voice(stub, timeout_s=0.4).speak(job, script, ctx)
    assert _states(calls) == ["intent"]
    assert_no_key(stub.KEY, calls, caught.value)
    voice = _voice(stub).speak(job, script, ctx)
    _is_sound(voice, script)
    assert "word_times" not in voice.data
    assert stub.created == 1
    (call,) = calls.calls.values()
    assert call.state == "finished" and call.cost_microusd == _COST


@pytest.mark.parametrize("fault", [Fault("cut_before"), Fault("status", 500), Fault("status", 503)])
def test_a_request_that_never_arrived_is_sent_anew_after_a_look(
    stub: ElevenLabsStub, ctx: FakeContext, job: VideoJob, script: Script, fault: Fault
) -> None:
    stub.plan("create", fault)
    with pytest.raises(ProviderUnavailable):
        _voice(stub).speak(job, script, ctx)
    _voice(stub).speak(job, script, ctx)
    assert stub.created == 1
    assert len(stub.seen("GET", "/v1/history")) == 2
    assert ctx.slept_s > 0


def test_a_crash_after_the_result_fetches_the_sound_again(
    stub: ElevenLabsStub, ctx: FakeContext, calls: CallsInMemory, job: VideoJob, script: Script
) -> None:
    first = _voice(stub).speak(job, script, ctx)
    first.wav.unlink()
    second = _voice(stub).speak(job, script, ctx)
    assert second.data == first.data
    assert stub.created == 1 and _states(calls) == ["finished"]


def test_a_sound_that_is_no_longer_kept_is_paid_again_and_shown_as_lost(
    stub: ElevenLabsStub, ctx: FakeContext, calls: CallsInMemory, job: VideoJob, script: Script
) -> None:
    _voice(stub).speak(job, script, ctx)
    stub.history.clear()
    _voice(stub).speak(job, script, ctx)
    assert stub.created == 2
    assert [(call.state, call.cost_microusd) for call in calls.calls.values()] == [
        ("failed", _COST),
        ("finished", _COST),
    ]


def test_a_crash_between_intent_and_answer_looks_far_enough(
    stub: ElevenLabsStub, ctx: FakeContext, calls: CallsInMemory, job: VideoJob, script: Script
) -> None:
    _voice(stub).speak(job, script, ctx)
    (call,) = calls.calls.values()
    calls.calls[call.id] = replace(call, state="intent", answer=None, cost_microusd=None)
    stub.history[:0] = [
        {**stub.history[0], "history_item_id": f"other{n}", "text": f"Other {n}"}
        for n in range(150)
    ]
    _is_sound(_voice(stub).speak(job, script, ctx), script)
    assert stub.created == 1


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        (401, "quota_exceeded", "no credit or quota left"),
        (401, "invalid_api_key", "check ELEVENLABS_API_KEY"),
        (402, "payment_required", "no credit or quota left"),
        (403, "output_format_not_allowed", "does not allow this"),
        (404, "voice_not_found", "does not know the voice"),
        (422, "", "refused the request"),
    ],
)
def test_what_a_person_must_settle_is_said_and_not_retried(
    stub: ElevenLabsStub,
    ctx: FakeContext,
    calls: CallsInMemory,
    job: VideoJob,
    script: Script,
    status: int,
    code: str,
    words: str,
) -> None:
    body = {"detail": {"status": code, "message": f"key {stub.KEY}"}}
    stub.plan("create", Fault("status", status, body=body))
    with pytest.raises(ProviderRefused, match=f"ElevenLabs.*{words}") as caught:
        _voice(stub).speak(job, script, ctx)
    assert _states(calls) == ["failed"]
    assert_no_key(stub.KEY, calls, caught.value, _voice(stub))


@pytest.mark.parametrize("code", ["too_many_concurrent_requests", "system_busy"])
def test_a_busy_vendor_is_asked_later(
    stub: ElevenLabsStub, ctx: FakeContext, job: VideoJob, script: Script, code: str
) -> None:
    body = {"detail": {"status": code, "message": ""}}
    stub.plan("create", Fault("status", 429, body, {"retry-after": "3"}))
    with pytest.raises(ProviderUnavailable, match="is busy") as caught:
        _voice(stub).speak(job, script, ctx)
    assert caught.value.retry_after_s == 3
    _voice(stub).speak(job, script, ctx)
    assert stub.created == 1


def test_a_dripping_answer_has_a_deadline(
    stub: ElevenLabsStub, ctx: FakeContext, job: VideoJob, script: Script
) -> None:
    stub.plan("create", Fault("drip", delay_s=0.05), Fault("drip", delay_s=0.001))
    with pytest.raises(Unanswered):
        _voice(stub, timeout_s=0.5).speak(job, script, ctx)
    _is_sound(_voice(stub).speak(job, script, ctx), script)
    assert stub.created == 1


def test_an_empty_sound_is_refused(
    stub: ElevenLabsStub, ctx: FakeContext, job: VideoJob, script: Script, tmp_path: Any
) -> None:
    from tests.stubs.media import make_mp3

    stub.mp3 = make_mp3(tmp_path, 0.1)
    with pytest.raises(ProviderUnavailable, match="nothing in it"):
        _voice(stub).speak(job, script, ctx)


def test_a_voice_that_is_no_id_is_refused_before_anything_is_sent(
    stub: ElevenLabsStub, ctx: FakeContext, script: Script
) -> None:
    odd = VideoJob(id="x", product_name="Mug", voice="../../history")
    with pytest.raises(InvalidInput, match="voice"):
        _voice(stub).speak(odd, script, ctx)
    assert not stub.requests


def test_a_cancelled_job_leaves_the_call_to_be_looked_up(
    stub: ElevenLabsStub, ctx: FakeContext, calls: CallsInMemory, job: VideoJob, script: Script
) -> None:
    ctx.interrupt = JobCancelled()
    with pytest.raises(JobCancelled):
        _voice(stub).speak(job, script, ctx)
    ctx.interrupt = None
    _voice(stub).speak(job, script, ctx)
    assert stub.created == 1


def test_an_open_breaker_holds_the_look_into_the_history_too(
    stub: ElevenLabsStub, tmp_path: Path, job: VideoJob, script: Script
) -> None:
    calls = CallsBehindBreaker()
    ctx = FakeContext(tmp_path, calls=calls)
    stub.plan("create", Fault("status", 503))
    with pytest.raises(Unanswered):
        _voice(stub).speak(job, script, ctx)
    sent = len(stub.requests)
    calls.breaker = "open"
    with pytest.raises(NotNow):
        _voice(stub).speak(job, script, ctx)
    assert len(stub.requests) == sent
    calls.breaker = "trial"
    stub.plan("list", Fault("status", 503))
    with pytest.raises(NotNow):
        _voice(stub).speak(job, script, ctx)
    calls.breaker = "closed"
    _voice(stub).speak(job, script, ctx)
    assert (stub.created, _states(calls)) == (1, ["finished"])
