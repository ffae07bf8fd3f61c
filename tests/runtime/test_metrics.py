"""What a worker counts, in the names and labels that dashboards and alerts rely on."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from errors import ProviderUnavailable, StageTimeout
from jobs.states import JobState
from runtime.metrics import WorkerMetrics, reason_of
from runtime.observer import Both
from store.records import JobRecord, utc_now


def samples(metrics: WorkerMetrics) -> dict[str, float]:
    """Sample name with its labels' values, sorted by label name, to its value."""
    found = {}
    for family in text_string_to_metric_families(metrics.text().decode()):
        for sample in family.samples:
            labels = [value for _, value in sorted(sample.labels.items())]
            found[" ".join([sample.name, *labels])] = sample.value
    return found


def row(state: JobState, **changes: Any) -> JobRecord:
    now = utc_now()
    values: dict[str, Any] = dict.fromkeys(JobRecord.__dataclass_fields__)
    values |= {"id": "a", "queue": "video", "state": state, "created_at": now, "started_at": now}
    values |= {"interruptions": 0, "crashes": 0, "finished_at": now + timedelta(seconds=3)}
    return JobRecord(**{**values, **changes})


@pytest.fixture
def metrics() -> WorkerMetrics:
    return WorkerMetrics(
        busy=lambda: True, rss_bytes=lambda: 5e7, breakers=lambda: {"fal": True, "claude": False}
    )


def test_stages_are_counted_by_provider_and_outcome(metrics: WorkerMetrics) -> None:
    told = Both(metrics, metrics)  # twice, so that both sides are seen to be told
    told.stage_started("voice_gen", "piper/1.8", 1)
    told.stage_failed("voice_gen", ProviderUnavailable("busy"), 1)
    told.retry_scheduled("voice_gen", 2.0, 1, "busy")
    told.stage_started("voice_gen", "piper/1.8", 2)
    told.stage_completed("voice_gen", 3.0)
    told.stage_reused("script_gen")
    found = samples(metrics)
    assert found["video_stage_seconds_count completed piper voice_gen"] == 2
    assert found["video_stage_seconds_sum completed piper voice_gen"] == 6.0
    assert found["video_stage_seconds_count failed piper voice_gen"] == 2
    assert found["video_stage_failures_total piper provider_unavailable voice_gen"] == 2
    assert found["video_retries_total voice_gen"] == 2
    assert found["video_stage_reused_total script_gen"] == 2


def test_jobs_are_counted_when_they_end(metrics: WorkerMetrics) -> None:
    metrics.job_started(row(JobState.PROCESSING), 0.3)
    metrics.job_settled(row(JobState.COMPLETED))
    metrics.job_settled(row(JobState.SCHEDULED, finished_at=None))
    found = samples(metrics)
    assert found["video_wait_seconds_sum video"] == 0.3
    assert found["video_job_seconds_sum completed"] == 3.0
    assert not [name for name in found if name.startswith("video_job_seconds_count sch")]


def test_a_job_that_was_handed_back_does_not_count_as_having_waited(
    metrics: WorkerMetrics,
) -> None:
    metrics.job_started(row(JobState.PROCESSING, interruptions=1), 99)
    metrics.job_started(row(JobState.PROCESSING, crashes=1), 99)
    assert "video_wait_seconds_sum video" not in samples(metrics)


def test_gauges_are_asked_at_each_scrape(metrics: WorkerMetrics) -> None:
    metrics.spent("fal", 250_000)
    found = samples(metrics)
    assert found["video_worker_busy"] == 1
    assert found["video_worker_rss_bytes"] == 5e7
    assert found["video_breaker_open fal"] == 1
    assert found["video_breaker_open claude"] == 0
    assert found["video_cost_microdollars_total fal"] == 250_000


def test_reasons_are_the_classes_of_errors() -> None:
    assert reason_of(StageTimeout("late")) == "stage_timeout"
    assert reason_of(OSError()) == "os_error"
    assert reason_of(KeyError()) == "key_error"
