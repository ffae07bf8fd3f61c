"""Health, workers, queues, costs, the overview and the metrics, with servers up and away."""

from __future__ import annotations

import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from api.shop import Shop
from errors import QueueUnavailable, StoreUnavailable
from redis_queue import control, presence
from store.records import NewJob
from tests.api.conftest import ACME, bearer
from tests.api.test_jobs import submitted

NOBODY = {"Authorization": ""}


def test_health_says_what_waits_and_that_all_answer(http: TestClient) -> None:
    submitted(http)
    answer = http.get("/health", headers=NOBODY)
    assert answer.status_code == 200
    assert answer.json() == {
        "status": "healthy",
        "redis_connected": True,
        "database_connected": True,
        "queue_depth": 1,
        "workers": 0,
        "details": {"queue_depth": "1", "redis": "ok", "database": "ok"},
    }
    assert http.get("/health/live", headers=NOBODY).json() == {"status": "alive"}


def test_health_is_503_where_a_server_is_away(
    http: TestClient, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away() -> None:
        raise StoreUnavailable("database: gone")

    monkeypatch.setattr(shop.database.jobs, "ping", away)
    answer = http.get("/health/ready", headers=NOBODY)
    assert answer.status_code == 503
    assert answer.json()["status"] == "unhealthy"
    assert answer.json()["details"]["database"] == "does not answer"


def test_a_server_that_is_away_is_a_503_with_words(
    http: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise QueueUnavailable("redis: gone")

    monkeypatch.setattr("api.routes_system.waiting.depths", away)
    answer = http.get("/queues")
    assert (answer.status_code, answer.json()["field"]) == (503, None)
    assert "Redis" in answer.json()["detail"]


def test_queues_and_workers_are_told(http: TestClient, shop: Shop) -> None:
    submitted(http, priority="high")
    told = http.get("/queues").json()
    waits = {queue["name"]: queue["waiting"] for queue in told["queues"]}
    assert waits == {"video": 0, "video-high": 1, "video-low": 0}
    assert told["queues"][0]["list_key"].endswith("video_generation_queue")
    assert told["oldest_waiting_s"] >= 0
    description = {"worker_id": "w-1", "pid": "7", "current_job": "a", "queues": "video,video-low"}
    presence.beat(shop.client, "instance", description, ttl_s=30)
    [worker] = http.get("/workers").json()
    assert (worker["worker_id"], worker["state"], worker["queues"]) == (
        "w-1",
        "working",
        ["video", "video-low"],
    )
    assert worker["beat_age_s"] < 5


def test_a_queue_is_paused_and_resumed_by_operators_only(http: TestClient) -> None:
    assert http.post("/queues/video/pause", headers=bearer(ACME)).status_code == 403
    assert http.post("/queues/video/pause").json()["paused"] is True
    told = {queue["name"]: queue["paused"] for queue in http.get("/queues").json()["queues"]}
    assert told == {"video": True, "video-high": False, "video-low": False}
    assert http.post("/queues/video/resume").json()["paused"] is False
    assert http.post("/queues/own:x/pause").status_code == 422


def test_a_living_worker_is_given_orders(http: TestClient, shop: Shop) -> None:
    presence.beat(shop.client, "living", {"worker_id": "w-1"}, ttl_s=30)
    for asked in ("quiet", "work", "stop"):
        answer = http.post(f"/workers/living/{asked}")
        assert answer.json() == {"instance": "living", "order": asked}
        assert control.order_for(shop.client, "living") == asked
    assert http.post("/workers/gone/stop").status_code == 404
    assert http.post("/workers/living/dance").status_code == 422
    assert http.post("/workers/living/stop", headers=bearer(ACME)).status_code == 403


def test_the_overview_counts_what_ended_and_each_tenant_its_own(
    http: TestClient, shop: Shop
) -> None:
    change = shop.database.jobs.change
    for number, ending in enumerate(("complete", "complete", "fail")):
        job_id = submitted(http, ACME if number else None)
        assert change.claim(job_id, fence=number + 1, worker_id="w", instance="i")
        if ending == "complete":
            change.complete(job_id, fence=number + 1, result={})
        else:
            change.fail(job_id, fence=number + 1, error="no")
    told = http.get("/overview").json()
    assert (told["completed"], told["failed"]) == (2, 1)
    assert sum(bucket["completed"] for bucket in told["buckets"]) == 2
    assert told["states"]["completed"] == 2
    assert told["seconds_median"] is not None
    assert told["cost_today_microusd"] == 0
    theirs = http.get("/overview", headers=bearer(ACME)).json()
    assert (theirs["completed"], theirs["failed"]) == (1, 1)


def test_the_pace_of_the_overview_is_that_of_videos(http: TestClient, shop: Shop) -> None:
    job_id = http.post("/background/load_test.io", json={}).json()["job_id"]
    change = shop.database.jobs.change
    assert change.claim(job_id, fence=1, worker_id="w", instance="i")
    change.complete(job_id, fence=1, result={"value": None})
    told = http.get("/overview").json()
    assert (told["completed"], told["seconds_median"], told["wait_median_s"]) == (1, None, None)


def test_costs_come_by_day_provider_and_tenant(http: TestClient) -> None:
    for by in ("day", "provider", "tenant"):
        assert http.get("/costs", params={"by": by}).json() == []
    assert http.get("/costs", params={"by": "phase"}).status_code == 422


def test_the_metrics_are_what_prometheus_reads(http: TestClient, shop: Shop) -> None:
    submitted(http)
    shop.database.jobs.accept(NewJob("other", "{}", queue="low", kind="of.another.app"))
    answer = http.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    found = {
        (sample.name, tuple(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }
    assert found["video_queue_depth", ("video",)] == 1
    assert found["video_jobs", ("pending",)] == 2
    assert found["video_unknown_kind_jobs", ("of.another.app",)] == 1
    assert len([name for name, _ in found if name == "video_unknown_kind_jobs"]) == 1
    assert found["video_oldest_waiting_seconds", ()] >= 0
    assert found["video_workers", ("idle",)] == 0


def test_the_document_of_the_api_names_every_route(http: TestClient) -> None:
    paths = http.get("/openapi.json").json()["paths"]
    assert {"/jobs", "/jobs/batch", "/jobs/{job_id}/events", "/uploads", "/health"} <= paths.keys()
    assert all(route.get("summary") for path in paths.values() for route in path.values())
