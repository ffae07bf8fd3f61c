"""Replicate and fal film the scenes, against stubs that speak their protocols."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import pytest

from errors import (
    ConfigError,
    JobCancelled,
    LeaseLost,
    NotNow,
    ProviderRefused,
    ProviderUnavailable,
    ShutdownRequested,
)
from jobs.payload import VideoJob
from pipeline.calls import Call, CallsInMemory
from pipeline.media.boxes import read_mp4
from pipeline.providers import clip_files, fal_video, replicate_video
from pipeline.providers import clips as clips_module
from pipeline.providers.clip_files import filmed_scenes
from pipeline.providers.fal_video import FalVideo
from pipeline.providers.ffmpeg_compositor import FfmpegCompositor
from pipeline.providers.http_errors import Unanswered
from pipeline.providers.replicate_video import ReplicateVideo
from pipeline.providers.script_ports import Script, VoiceData
from pipeline.providers.video_models import clip_model, clip_prompt
from pipeline.stage import StageOutput
from tests.pipeline.context import FakeContext
from tests.pipeline.visual import samples
from tests.providers.breaker import CallsBehindBreaker
from tests.providers.secrets import assert_no_key
from tests.stubs.media import make_mp4
from tests.stubs.queues import FalStub, ReplicateStub
from tests.stubs.server import Fault

_SCRIPT = cast(
    Script,
    samples.script(
        [
            ("hook", "Cold tea again?", "Cold again?", "hero"),
            ("product", "Meet Ember.", "Ember", "quote"),
            ("benefit", "Warm to the last sip.", "Warm", "list"),
            ("cta", "Shop now.", "Shop now", "card"),
        ]
    ),
)
_VOICE = cast(VoiceData, samples.voice(cast(Any, _SCRIPT)))
#: Scenes that are filmed, and so paid for, in the script above.
_FILMED = len(filmed_scenes(_SCRIPT))


@dataclass
class Queue:
    stub: ReplicateStub | FalStub
    can_look_up: bool

    def provider(self, timeout_s: float = 10.0, key: str | None = None) -> Any:
        kind = ReplicateVideo if isinstance(self.stub, ReplicateStub) else FalVideo
        return kind(key or self.stub.KEY, self.stub.url, timeout_s=timeout_s, scale=0.25)

    def film(self, ctx: FakeContext, job: VideoJob | None = None, **options: Any) -> StageOutput:
        provider = self.provider(**options)
        output: StageOutput = provider.film(job or samples.job(), _SCRIPT, _VOICE, {}, ctx)
        return output


@pytest.fixture(params=["replicate", "fal"])
def queue(request: pytest.FixtureRequest, mp4: bytes) -> Iterator[Queue]:
    if request.param == "replicate":
        with ReplicateStub(mp4) as stub:
            yield Queue(stub, can_look_up=True)
    else:
        with FalStub(mp4) as fal:
            yield Queue(fal, can_look_up=False)


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The drawn ad that filmed clips go into, made once."""
    ctx = FakeContext(tmp_path_factory.mktemp("drawn"))
    return clip_files.drawn(samples.job(), _SCRIPT, _VOICE, {}, ctx, 0.25)


@pytest.fixture(autouse=True)
def drawn_before(
    request: pytest.FixtureRequest, plan: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Drawing takes seconds: all but the slow tests use what was drawn once, and draw no more."""
    if request.node.get_closest_marker("slow"):
        return

    def rendered(plan: Any, ctx: FakeContext) -> Path:
        (ctx.workdir / "motion.mp4").write_bytes(b"")
        return ctx.workdir / "motion.mp4"

    monkeypatch.setattr(clip_files, "_motion", rendered)
    for module in (replicate_video, fal_video):
        monkeypatch.setattr(module, "drawn", lambda *_: plan)


def _states(calls: CallsInMemory) -> list[str]:
    return sorted(call.state for call in calls.calls.values())


def test_scenes_are_filmed_checked_and_fitted(
    queue: Queue, ctx: FakeContext, calls: CallsInMemory
) -> None:
    output = queue.film(ctx)
    assert output.data["kind"] == "clips"
    assert queue.stub.created == _FILMED == len(output.data["filmed"]["scenes"])
    for scene in output.data["scenes"]:
        if scene["clip"] == "motion.mp4":
            assert scene["from_f"] == scene["start_f"]
            continue
        pictures = read_mp4(output.files[scene["clip"]]).track("video")
        assert pictures is not None
        assert pictures.size == (output.data["width"], output.data["height"])
        assert pictures.samples == scene["end_f"] - scene["start_f"]
        assert pictures.frame_s == pytest.approx(1 / 30)
    assert _states(calls) == ["finished"] * _FILMED
    for call in calls.calls.values():
        assert call.cost_microusd == call.estimate_microusd > 0
        assert call.remote_id
    assert ctx.slept_s > 0


class _CallsThatAreTold(CallsInMemory):
    """The vendor tells of every call as soon as anybody asks."""

    def told(self, provider: str, remote_ids: Sequence[str]) -> list[str]:
        return list(remote_ids)


def test_a_word_of_the_vendor_ends_the_wait_between_two_polls(
    replicate_stub: ReplicateStub, tmp_path: Path
) -> None:
    url = "https://videos.example/webhooks/replicate"
    provider = ReplicateVideo(
        replicate_stub.KEY, replicate_stub.url, scale=0.25, webhook_url=url, poll_s=500
    )
    calls = _CallsThatAreTold()
    ctx = FakeContext(tmp_path, calls=calls)
    provider.film(samples.job(), _SCRIPT, _VOICE, {}, ctx)
    assert 0 < ctx.slept_s < 500
    asked = [request.json() for request, _ in replicate_stub.charges]
    assert {body["webhook"] for body in asked} == {f"{url}?call={name}" for name in calls.calls}
    assert all(body["webhook_events_filter"] == ["completed"] for body in asked)


def test_without_a_webhook_url_none_is_asked_for(
    replicate_stub: ReplicateStub, ctx: FakeContext
) -> None:
    Queue(replicate_stub, can_look_up=True).film(ctx)
    assert not any("webhook" in request.json() for request, _ in replicate_stub.charges)


@pytest.mark.slow
def test_filmed_and_drawn_scenes_become_one_video(queue: Queue, tmp_path: Path) -> None:
    folder = tmp_path / "film"
    folder.mkdir()
    film = queue.film(FakeContext(folder))
    join = FakeContext(tmp_path / "join")
    join.workdir.mkdir()
    earlier = {**samples.earlier(tmp_path, cast(Any, _SCRIPT)), "video_gen": film}
    compositor = FfmpegCompositor(mix=samples.mix_stub, report=samples.report_stub)
    video = compositor.compose(samples.job(), earlier, join).files["video.mp4"]
    pictures = read_mp4(video).track("video")
    assert pictures is not None and pictures.samples == film.data["frames"]


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 422])
def test_what_a_person_must_settle_is_not_retried(
    queue: Queue, ctx: FakeContext, calls: CallsInMemory, status: int
) -> None:
    queue.stub.plan("create", Fault("status", status))
    with pytest.raises(ProviderRefused, match=queue.provider().title) as caught:
        queue.film(ctx)
    assert queue.stub.created == 0
    assert _states(calls) == ["failed"]
    assert_no_key(queue.stub.KEY, calls, caught.value, queue.provider())


def test_a_refusal_of_a_later_scene_cancels_the_earlier_ones(
    queue: Queue, ctx: FakeContext, calls: CallsInMemory
) -> None:
    queue.stub.plan("create", Fault("latency"), Fault("status", 402))
    with pytest.raises(ProviderRefused):
        queue.film(ctx)
    assert len(queue.stub.seen("POST", "/cancel") + queue.stub.seen("PUT", "/cancel")) == 1
    assert _states(calls) == ["failed", "failed"]


def test_a_busy_vendor_says_when(queue: Queue, ctx: FakeContext) -> None:
    queue.stub.plan("create", Fault("status", 429, headers={"retry-after-ms": "2500"}))
    with pytest.raises(ProviderUnavailable) as caught:
        queue.film(ctx)
    assert caught.value.retry_after_s == 2.5
    queue.film(ctx)
    assert queue.stub.created == _FILMED


def test_replicate_says_when_in_the_body(replicate_stub: ReplicateStub, ctx: FakeContext) -> None:
    replicate_stub.plan("create", Fault("status", 429))
    with pytest.raises(ProviderUnavailable) as caught:
        Queue(replicate_stub, can_look_up=True).film(ctx)
    assert caught.value.retry_after_s == 5


@pytest.mark.parametrize(
    "fault",
    [
        Fault("cut_after"),
        Fault("malformed"),
        Fault("truncated"),
        Fault("drip", delay_s=0.05),
    ],
    ids=lambda fault: fault.kind,
)
def test_an_accepted_request_whose_answer_was_lost(
    queue: Queue, ctx: FakeContext, calls: CallsInMemory, fault: Fault
) -> None:
    """Replicate is asked, and nothing is paid twice; at fal one call is in doubt."""
    queue.stub.plan("create", fault)
    with pytest.raises(Unanswered):
        queue.film(ctx, timeout_s=0.6)
    queue.film(ctx)
    doubts = 0 if queue.can_look_up else 1
    assert queue.stub.created == _FILMED + doubts
    assert _states(calls) == ["doubtful"] * doubts + ["finished"] * _FILMED


@pytest.mark.parametrize("fault", [Fault("cut_before"), Fault("status", 500)])
def test_a_request_that_never_arrived_is_sent_anew(
    queue: Queue, ctx: FakeContext, fault: Fault
) -> None:
    queue.stub.plan("create", fault)
    with pytest.raises(ProviderUnavailable):
        queue.film(ctx)
    queue.film(ctx)
    assert queue.stub.created == _FILMED


class _Killed(BaseException):
    """Stands for SIGKILL: nothing of ours runs any more."""


class _CallsThatDie(CallsInMemory):
    """Dies right before or after the nth write of a kind, as a killed worker would."""

    def __init__(self, kind: str, when: str) -> None:
        super().__init__()
        self._kind, self._when = kind, when

    def revive(self) -> None:
        self._kind = ""

    def begin(self, provider: str, request_hash: str, *, estimate_microusd: int) -> Call:
        self._die("begin", "before")
        call = super().begin(provider, request_hash, estimate_microusd=estimate_microusd)
        self._die("begin", "after")
        return call

    def submitted(self, call: Call, remote_id: str) -> Call:
        self._die("submitted", "before")
        call = super().submitted(call, remote_id)
        self._die("submitted", "after")
        return call

    def finished(self, call: Call, **values: Any) -> Call:
        self._die("finished", "before")
        call = super().finished(call, **values)
        self._die("finished", "after")
        return call

    def _die(self, kind: str, when: str) -> None:
        if (kind, when) == (self._kind, self._when):
            raise _Killed


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("kind", ["begin", "submitted", "finished"])
def test_a_crash_at_any_write_pays_once(queue: Queue, tmp_path: Path, kind: str, when: str) -> None:
    calls = _CallsThatDie(kind, when)
    with pytest.raises(_Killed):
        queue.film(FakeContext(tmp_path, calls=calls))
    calls.revive()
    again = tmp_path / "again"
    again.mkdir()
    output = queue.film(FakeContext(again, calls=calls))
    assert output.data["kind"] == "clips"
    lost_an_id = (kind, when) == ("submitted", "before") and not queue.can_look_up
    unsent = (kind, when) == ("begin", "after") and not queue.can_look_up
    assert queue.stub.created == _FILMED + lost_an_id
    doubtful = [call for call in calls.calls.values() if call.state == "doubtful"]
    assert len(doubtful) == int(lost_an_id or unsent)


def test_lost_predictions_are_found_behind_many_others(
    replicate_stub: ReplicateStub, tmp_path: Path
) -> None:
    queue = Queue(replicate_stub, can_look_up=True)
    calls = _CallsThatDie("submitted", "before")
    with pytest.raises(_Killed):
        queue.film(FakeContext(tmp_path, calls=calls))
    mine = replicate_stub.predictions[0]
    others = [{**mine, "id": f"other{n}", "input": {**mine["input"], "seed": n}} for n in range(10)]
    replicate_stub.predictions[:0] = others
    calls.revive()
    queue.film(FakeContext(tmp_path, calls=calls))
    assert replicate_stub.created == _FILMED
    assert mine["id"] in {call.remote_id for call in calls.calls.values()}


def test_polls_may_fail_for_a_while(queue: Queue, ctx: FakeContext) -> None:
    queue.stub.plan(
        "get", Fault("status", 500), Fault("cut_before"), Fault("malformed"), Fault("status", 429)
    )
    queue.film(ctx)
    assert queue.stub.created == _FILMED


def test_polls_that_fail_for_long_fail_the_stage_which_then_re_attaches(
    queue: Queue, ctx: FakeContext, calls: CallsInMemory
) -> None:
    queue.stub.plan("get", *[Fault("status", 503)] * 6)
    with pytest.raises(ProviderUnavailable):
        queue.film(ctx)
    assert _states(calls) == ["submitted"] * _FILMED
    queue.film(ctx)
    assert queue.stub.created == _FILMED


@pytest.mark.parametrize("kind", ["cut_before", "truncated", "drip"])
def test_a_download_that_breaks_is_repeated(queue: Queue, ctx: FakeContext, kind: Any) -> None:
    queue.stub.plan("download", Fault(kind))
    queue.film(ctx)
    assert queue.stub.created == _FILMED


def test_a_file_that_is_no_video_is_paid_for_and_filmed_anew(
    queue: Queue, ctx: FakeContext, calls: CallsInMemory
) -> None:
    queue.stub.plan("download", Fault("malformed"))
    with pytest.raises(ProviderUnavailable, match="not a video"):
        queue.film(ctx)
    queue.film(ctx)
    assert queue.stub.created == _FILMED + 1
    failed = [call for call in calls.calls.values() if call.state == "failed"]
    assert [call.cost_microusd for call in failed] == [failed[0].estimate_microusd]


def test_a_tiny_clip_is_refused(queue: Queue, ctx: FakeContext, tmp_path: Path) -> None:
    queue.stub.mp4 = make_mp4(tmp_path, 1.0, size="64x64")
    with pytest.raises(ProviderUnavailable, match="unusable clip"):
        queue.film(ctx)


def test_an_output_that_expired_is_filmed_anew(
    queue: Queue, ctx: FakeContext, calls: CallsInMemory
) -> None:
    queue.film(ctx)
    queue.stub.expired = True
    with pytest.raises(ProviderUnavailable, match="no longer keeps"):
        queue.film(ctx)
    queue.stub.expired = False
    queue.film(ctx)
    assert queue.stub.created == _FILMED + 1
    assert _states(calls) == ["failed"] + ["finished"] * _FILMED


def test_a_finished_clip_is_fetched_again_and_not_paid(queue: Queue, ctx: FakeContext) -> None:
    first = queue.film(ctx)
    assert queue.film(ctx).data == first.data
    assert queue.stub.created == _FILMED


@pytest.mark.parametrize("ending", ["failed", "canceled", "aborted"])
def test_a_prediction_that_comes_to_nothing_is_made_anew(
    replicate_stub: ReplicateStub, ctx: FakeContext, calls: CallsInMemory, ending: str
) -> None:
    queue = Queue(replicate_stub, can_look_up=True)
    replicate_stub.endings.append(ending)
    with pytest.raises(ProviderUnavailable, match="failed to make a clip"):
        queue.film(ctx)
    queue.film(ctx)
    assert replicate_stub.created == _FILMED + 1
    failed = [call for call in calls.calls.values() if call.state == "failed"]
    assert [call.cost_microusd for call in failed] == [0]


def test_moderation_is_permanent_and_cancels_the_others(
    queue: Queue, ctx: FakeContext, calls: CallsInMemory
) -> None:
    if isinstance(queue.stub, ReplicateStub):
        queue.stub.endings.append("failed")
        queue.stub.errors.append("The input was flagged as sensitive (E005)")
    else:
        detail = [{"loc": ["body"], "msg": "no", "type": "content_policy_violation"}]
        queue.stub.failures.append({"detail": detail})
    with pytest.raises(ProviderRefused, match="declined the content; change the product's"):
        queue.film(ctx)
    assert set(_states(calls)) <= {"failed", "finished"}


def test_a_failed_result_at_fal_is_retryable(fal_stub: FalStub, ctx: FakeContext) -> None:
    fal_stub.failures.append({"detail": "Internal error"})
    with pytest.raises(ProviderUnavailable, match="failed to make a clip"):
        Queue(fal_stub, can_look_up=False).film(ctx)


class _Interrupted(FakeContext):
    """Raises `interrupt` at the first wait between polls."""

    wait_error: BaseException | None = None

    def sleep(self, seconds: float) -> None:
        if self.wait_error is not None:
            raise self.wait_error
        super().sleep(seconds)


def test_a_cancelled_job_cancels_its_clips(
    queue: Queue, tmp_path: Path, calls: CallsInMemory
) -> None:
    queue.stub.held = True
    ctx = _Interrupted(tmp_path, calls=calls)
    ctx.wait_error = JobCancelled()
    with pytest.raises(JobCancelled):
        queue.film(ctx)
    asked = queue.stub.seen("POST", "/cancel") + queue.stub.seen("PUT", "/cancel")
    assert len(asked) == _FILMED
    assert _states(calls) == ["failed"] * _FILMED
    assert [call.cost_microusd for call in calls.calls.values()] == [0] * _FILMED


def test_a_failing_cancel_does_not_hold_up_the_cancellation(queue: Queue, tmp_path: Path) -> None:
    queue.stub.held = True
    queue.stub.plan("cancel", Fault("status", 500), Fault("cut_before"))
    ctx = _Interrupted(tmp_path)
    ctx.wait_error = JobCancelled()
    with pytest.raises(JobCancelled):
        queue.film(ctx)


@pytest.mark.parametrize("error", [ShutdownRequested(), LeaseLost()])
def test_a_stopped_worker_leaves_its_clips_to_the_next(
    queue: Queue, tmp_path: Path, calls: CallsInMemory, error: BaseException
) -> None:
    ctx = _Interrupted(tmp_path, calls=calls)
    ctx.wait_error = error
    with pytest.raises(type(error)):
        queue.film(ctx)
    assert not queue.stub.seen("POST", "/cancel") and not queue.stub.seen("PUT", "/cancel")
    queue.film(FakeContext(tmp_path, calls=calls))
    assert queue.stub.created == _FILMED


def test_a_picture_goes_along_as_a_small_data_url(
    queue: Queue, ctx: FakeContext, tmp_path: Path
) -> None:
    from PIL import Image

    picture = tmp_path / "mug.png"
    Image.effect_noise((1600, 1600), 90).convert("RGB").save(picture)
    queue.film(ctx, samples.job(images=(str(picture),)))
    sent = [request.json() for request in queue.stub.seen("POST") if "cancel" not in request.path]
    asked = [body.get("input", body) for body in sent]
    urls = [body.get("image") or body.get("image_url") for body in asked]
    assert any(url and url.startswith("data:image/jpeg;base64,") for url in urls)
    assert all(len(url) <= 256_000 for url in urls if url)
    assert all(("aspect_ratio" in body) != bool(url) for body, url in zip(asked, urls, strict=True))
    if isinstance(queue.stub, FalStub):
        assert any("image-to-video" in request.path for request in queue.stub.seen("POST"))


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("replicate", "bytedance/seedance-1-pro"),
        ("replicate", "kwaivgi/kling-v3-video"),
        ("fal", "fal-ai/kling-video/v2.5-turbo/pro/text-to-video"),
    ],
)
def test_each_models_own_names_and_limits_are_kept(provider: str, model: str) -> None:
    found = clip_model(provider, model)
    long_job = samples.job(description="warm " * 119)
    prompt = clip_prompt(long_job, _SCRIPT["scenes"][0], 300)
    assert len(prompt) <= 300 and prompt.endswith("watermark.")
    for frame in ("9:16", "4:5", "1:1", "16:9"):
        asked = found.inputs(prompt, frame, found.seconds_for(3.2), None)
        assert re.fullmatch(r"\d+:\d+", asked[found.aspect_field])
    assert found.seconds_for(99) == found.durations[-1]
    assert found.price_microusd(5) > 0
    dear = clip_model(provider, model, usd_per_second=1.0)
    assert dear.price_microusd(5) == 5_000_000


def test_an_unknown_model_is_a_wrong_setting() -> None:
    with pytest.raises(ConfigError, match="known are bytedance/seedance-1-lite"):
        ReplicateVideo("key", model="someone/else")


def test_a_list_that_points_elsewhere_is_not_followed(
    replicate_stub: ReplicateStub, tmp_path: Path
) -> None:
    queue = Queue(replicate_stub, can_look_up=True)
    calls = _CallsThatDie("begin", "after")
    with pytest.raises(_Killed):
        queue.film(FakeContext(tmp_path, calls=calls))
    calls.revive()
    page = {"results": [], "next": "https://elsewhere.example/v1/predictions"}
    replicate_stub.plan("list", Fault("status", 200, page))
    with pytest.raises(Unanswered, match="cannot be read"):
        queue.film(FakeContext(tmp_path, calls=calls))


def test_an_older_prediction_with_the_same_words_is_not_taken(
    replicate_stub: ReplicateStub, tmp_path: Path
) -> None:
    queue = Queue(replicate_stub, can_look_up=True)
    calls = _CallsThatDie("submitted", "before")
    with pytest.raises(_Killed):
        queue.film(FakeContext(tmp_path, calls=calls))
    calls.revive()
    later_s = 4_000_000_000.0
    for call in list(calls.calls.values()):
        calls.calls[call.id] = replace(call, begun_at=later_s)
    queue.film(FakeContext(tmp_path, calls=calls))
    assert replicate_stub.created == _FILMED + 1


def test_the_pause_between_polls_is_the_interruptible_one(queue: Queue, ctx: FakeContext) -> None:
    queue.film(ctx)
    assert ctx.slept_s >= clips_module.POLL_S


def test_an_open_breaker_parks_what_polls_cannot_reach(queue: Queue, tmp_path: Path) -> None:
    calls = CallsBehindBreaker()
    ctx = _Interrupted(tmp_path, calls=calls)
    queue.stub.held = True
    ctx.wait_error = ShutdownRequested()
    with pytest.raises(ShutdownRequested):
        queue.film(ctx)
    ctx.wait_error = None
    calls.breaker = "open"
    queue.stub.plan("get", *[Fault("status", 503)] * 6)
    with pytest.raises(NotNow):
        queue.film(ctx)
    assert _states(calls) == ["submitted"] * _FILMED
    queue.stub.held = False
    calls.breaker = "closed"
    queue.film(ctx)
    assert queue.stub.created == _FILMED


def test_an_open_breaker_holds_the_look_into_the_list_too(
    replicate_stub: ReplicateStub, tmp_path: Path
) -> None:
    calls = CallsBehindBreaker()
    ctx = FakeContext(tmp_path, calls=calls)
    film = Queue(replicate_stub, can_look_up=True).film
    replicate_stub.plan("create", Fault("status", 503))
    with pytest.raises(Unanswered):
        film(ctx)
    calls.breaker = "open"
    with pytest.raises(NotNow):
        film(ctx)
    assert replicate_stub.seen("GET") == []
