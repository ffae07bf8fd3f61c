"""Order, checkpoints, retries and publishing, without media work."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from config import load_settings
from errors import (
    InvalidInput,
    LeaseLost,
    NotNow,
    ProviderRefused,
    ProviderUnavailable,
    StorageUnavailable,
)
from jobs.payload import parse_job
from jobs.retry import RetryPolicy
from pipeline.inputs import InputFiles
from pipeline.orchestrator import JobParked, Pipeline, PipelineOrchestrator, Ports, StageGaveUp
from pipeline.ports import Artifact, Begun, StageId, Tools
from pipeline.public_http import PublicHttp
from pipeline.stage import Json, StageContext, StageInputs, StageOutput
from pipeline.standalone import KeptInMemory, NoInterrupts, NoObserver, PublishedProgress
from pipeline.storage import ObjectStorage

JOB = parse_job({"id": "a", "product_name": "Mug"})


class Step:
    """A stage that writes one file, after the failures it was given."""

    provider = "test/1"

    def __init__(self, name: str, failures: list[BaseException] | None = None) -> None:
        self.name = name
        self.failures = list(failures or [])
        self.runs = 0

    def run(self, ctx: StageContext, inputs: StageInputs) -> StageOutput:
        self.runs += 1
        ctx.progress(0.5)
        if self.failures:
            raise self.failures.pop(0)
        path = ctx.workdir / "out.txt"
        path.write_text("+".join([*inputs.earlier, self.name]))
        return StageOutput({"earlier": list(inputs.earlier)}, {"out.txt": path})


class Waits(NoInterrupts):
    """Notes waits instead of waiting."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


class Bench:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.waits = Waits()
        self.checkpoints = KeptInMemory("h")
        self.runs = 0
        storage = ObjectStorage((folder / "artifacts").as_uri())
        self.ports = Ports(
            storage=storage,
            checkpoints=self.checkpoints,
            progress=PublishedProgress("a", None),
            interrupts=self.waits,
            observer=NoObserver(),
            tools=Tools(folder / "work", "ffmpeg", 512),
            references=InputFiles([], storage, PublicHttp()),
        )

    def run(self, *steps: Step, **more: Any) -> Json:
        self.runs += 1
        self.checkpoints.holder = f"h{self.runs}"  # as each claim has a fence of its own
        pipeline = Pipeline(steps, policy=RetryPolicy(), rng=random.Random(0))
        return pipeline.run(JOB, self.ports, **more)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def steps() -> list[Step]:
    return [Step(name) for name in ("script_gen", "voice_gen", "video_gen", "compositing")]


def test_stages_run_in_order_and_see_what_came_before(bench: Bench) -> None:
    result = bench.run(*steps())
    key = result["artifacts"]["out.txt"]["key"]
    assert (bench.folder / "artifacts" / key).read_text() == (
        "script_gen+voice_gen+video_gen+compositing"
    )
    assert [stage["reused"] for stage in result["stages"].values()] == [False] * 4
    assert list((bench.folder / "work").iterdir()) == [], "nothing is left behind"


def test_finished_stages_are_not_run_again(bench: Bench) -> None:
    first, second = steps(), steps()
    bench.run(*first)
    result = bench.run(*second)
    assert [step.runs for step in second] == [0] * 4
    assert all(stage["reused"] for stage in result["stages"].values())


def test_a_stage_with_a_new_generation_runs_again_and_its_successors_do_not_have_to(
    bench: Bench,
) -> None:
    bench.run(*steps())
    again = steps()
    bench.run(*again, generations={"voice_gen": 1})
    assert [step.runs for step in again] == [0, 1, 0, 0], "an equal result is the same input"


def test_a_job_waits_for_storage_that_is_away_and_runs_nothing_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.run(*steps())
    again = steps()

    def fetch(_storage: ObjectStorage, _artifact: Artifact, _destination: Path) -> None:
        raise StorageUnavailable("artefact storage: GenericError")

    with monkeypatch.context() as away:
        away.setattr(ObjectStorage, "fetch", fetch)
        with pytest.raises(JobParked) as parked:
            bench.run(*again)
        assert parked.value.delay_s > 0 and parked.value.failures == 1
        with pytest.raises(StageGaveUp):
            bench.run(*again, failures=RetryPolicy().max_failures)
    bench.run(*again)
    assert [step.runs for step in again] == [0] * 4


def test_a_damaged_artefact_makes_its_stage_run_again(bench: Bench) -> None:
    result = bench.run(*steps())
    (bench.folder / "artifacts" / result["artifacts"]["out.txt"]["key"]).write_text("damaged")
    bench.checkpoints.holder = "h2"
    again = steps()
    bench.run(*again)
    assert [step.runs for step in again] == [0, 0, 0, 1]


def test_retries_wait_2_4_and_8_seconds(bench: Bench) -> None:
    flaky = Step("voice_gen", [ProviderUnavailable("x")] * 3)
    bench.run(Step("script_gen"), flaky)
    assert flaky.runs == 4
    assert bench.waits.slept == [2, 4, 8]


def test_the_budget_is_per_stage(bench: Bench) -> None:
    bench.run(
        Step("script_gen", [ProviderUnavailable("x")] * 2),
        Step("voice_gen", [ProviderUnavailable("x")] * 2),
    )
    assert bench.waits.slept == [2, 4, 2, 4]


def test_a_spent_budget_gives_up_with_a_reason_for_users(bench: Bench) -> None:
    with pytest.raises(StageGaveUp, match="script_gen: the voice is busy"):
        bench.run(Step("script_gen", [ProviderUnavailable("the voice is busy")] * 4))


def test_permanent_errors_are_not_tried_again(bench: Bench) -> None:
    step = Step("script_gen", [ProviderRefused("the key is not valid")])
    with pytest.raises(StageGaveUp, match="the key is not valid"):
        bench.run(step)
    assert step.runs == 1


def test_a_fallback_takes_over_and_is_named_in_the_result(bench: Bench) -> None:
    paid = Step("voice_gen", [ProviderRefused("quota is used up")])
    free = Step("voice_gen")
    free.provider = "free/1"
    pipeline = Pipeline(
        [Step("script_gen"), paid], policy=RetryPolicy(), fallbacks={"voice_gen": free}
    )
    stages = pipeline.run(JOB, bench.ports)["stages"]
    assert stages["voice_gen"]["provider"] == "free/1"
    assert stages["voice_gen"]["instead_of"] == "test/1"
    assert "quota is used up" in stages["voice_gen"]["because"]
    assert "instead_of" not in stages["script_gen"]


@pytest.mark.parametrize(
    "errors",
    [
        [InvalidInput("language", "nobody speaks it")],
        [StorageUnavailable("artefact storage: GenericError")] * 4,
    ],
    ids=["bad input", "storage away"],
)
def test_what_no_provider_can_mend_falls_back_to_nobody(
    bench: Bench, errors: list[BaseException]
) -> None:
    free = Step("voice_gen")
    pipeline = Pipeline(
        [Step("voice_gen", errors)], policy=RetryPolicy(), fallbacks={"voice_gen": free}
    )
    with pytest.raises(StageGaveUp):
        pipeline.run(JOB, bench.ports)
    assert free.runs == 0


def test_a_job_waits_where_its_manifest_cannot_be_stored(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish = ObjectStorage.publish

    def refuse(storage: ObjectStorage, path: Path, key: str) -> Artifact:
        if "manifest" in key:
            raise StorageUnavailable("artefact storage: GenericError")
        return publish(storage, path, key)

    again = steps()
    with monkeypatch.context() as away:
        away.setattr(ObjectStorage, "publish", refuse)
        with pytest.raises(JobParked):
            bench.run(*again)
    assert "manifest.json" in bench.run(*again)["artifacts"]
    assert [step.runs for step in again] == [1] * 4


def test_a_limit_parks_without_counting_a_failure(bench: Bench) -> None:
    with pytest.raises(JobParked) as caught:
        bench.run(Step("script_gen", [NotNow("all places are taken", retry_after_s=5)]))
    assert (caught.value.delay_s, caught.value.failures) == (5, 0)


def test_unknown_errors_show_users_no_internals(bench: Bench) -> None:
    with pytest.raises(StageGaveUp) as caught:
        bench.run(Step("script_gen", [KeyError("/secret/path")] * 4))
    assert "secret" not in str(caught.value) and "KeyError" in str(caught.value)


def test_a_long_hint_parks_the_job_with_its_failures(bench: Bench) -> None:
    busy = ProviderUnavailable("rate limited", retry_after_s=120)
    with pytest.raises(JobParked) as caught:
        bench.run(Step("script_gen", [busy]), failures=1)
    assert (caught.value.delay_s, caught.value.failures) == (120, 2)


def test_control_flow_passes_through_and_is_not_counted(bench: Bench) -> None:
    step = Step("script_gen", [LeaseLost()])
    with pytest.raises(LeaseLost):
        bench.run(step)
    assert step.runs == 1
    assert list((bench.folder / "work").iterdir()) == []


def test_publishing_never_overwrites(tmp_path: Path) -> None:
    storage = ObjectStorage((tmp_path / "a").as_uri())
    file = tmp_path / "x"
    file.write_text("one")
    assert storage.publish(file, "k/x") == storage.publish(file, "k/x")
    file.write_text("two")
    with pytest.raises(FileExistsError):
        storage.publish(file, "k/x")


def test_a_checkpoint_is_asked_before_a_stage_is_run(bench: Bench) -> None:
    asked: list[StageId] = []

    class Asked(KeptInMemory):
        def begin(self, stage: StageId) -> Any:
            asked.append(stage)
            return Begun(1)

    bench.ports = Ports(**{**bench.ports.__dict__, "checkpoints": Asked("h")})
    bench.run(*steps())
    assert [stage.stage for stage in asked] == [
        "script_gen",
        "voice_gen",
        "video_gen",
        "compositing",
    ]
    assert len({stage.input_hash for stage in asked}) == 4


class Published:
    """What `publish` was told, as redis-py's client has it."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, dict[str, Any]]] = []

    def publish(self, channel: str, message: str) -> None:
        self.messages.append((channel, json.loads(message)))


def test_the_orchestrator_runs_one_job_by_itself(tmp_path: Path) -> None:
    client = Published()
    settings = load_settings(
        _env_file=None,
        artifact_url=(tmp_path / "artifacts").as_uri(),
        script_provider="null",
        voice_provider="null",
        video_provider="null",
        compositor="null",
    )
    orchestrator = PipelineOrchestrator(
        job_id="a", redis_client=client, db_session=None, using=settings
    )
    result = orchestrator.execute_pipeline({"product_name": "Mug", "style": "bold"})
    assert list(result["artifacts"]) == ["report.json", "manifest.json"]
    channel, last = client.messages[-1]
    assert channel == "video_generation_progress:a"
    assert last == {"job_id": "a", "stage": "compositing", "progress": 100, "worker_id": None}
    with pytest.raises(InvalidInput, match="style"):
        orchestrator.execute_pipeline({"product_name": "Mug", "style": "baroque"})
