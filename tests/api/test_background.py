"""Background jobs and schedules over HTTP."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from api.shop import Shop
from tests.api.conftest import ACME, READ, bearer


def test_kinds_are_listed_with_their_options(http: TestClient) -> None:
    found = {line["kind"]: line for line in http.get("/kinds").json()}
    assert found["system.health_check"]["cron_schedule"] == "*/10 * * * *"
    assert found["load_test.io"]["arguments"] == "(seconds: 'float' = 0.1) -> 'float'"


def test_a_background_job_is_enqueued_and_told_of(http: TestClient, shop: Shop) -> None:
    answer = http.post("/background/load_test.io", json={"args": [0.1], "queue": "low"})
    assert answer.status_code == 201
    job_id = answer.json()["job_id"]
    told = http.get(f"/jobs/{job_id}").json()
    assert (told["kind"], told["job_type"], told["queue"]) == ("load_test.io",) * 2 + ("low",)
    assert told["payload"] == {"args": [0.1], "kwargs": {}}
    assert told["processed_items"] is None and told["completed_at"] is None
    listed = http.get("/jobs", params={"kind": "load_test.io"}).json()
    assert [job["job_id"] for job in listed["jobs"]] == [job_id]


@pytest.mark.parametrize(
    ("kind", "body", "named"),
    [
        ("nobody", {}, "kind"),
        ("load_test.io", {"args": [1, 2]}, "arguments"),
        ("load_test.io", {"queue": "video"}, "queue"),
        ("load_test.io", {"run_at": "soon"}, "run_at"),
    ],
)
def test_a_wrong_background_job_is_refused_by_field(
    http: TestClient, kind: str, body: dict[str, Any], named: str
) -> None:
    answer = http.post(f"/background/{kind}", json=body)
    assert (answer.status_code, answer.json()["field"]) == (422, named)


def test_schedules_are_made_paused_run_and_removed(http: TestClient, shop: Shop) -> None:
    wanted = {"name": "nightly", "kind": "load_test.io", "cron": "0 3 * * *", "args": [0.5]}
    made = http.post("/schedules", json=wanted)
    assert made.status_code == 201 and made.json()["declared"] is False
    assert http.post("/schedules/nightly/pause").json()["paused"] is True
    assert http.post("/schedules/nightly/resume").json()["paused"] is False
    job_id = http.post("/schedules/nightly/run").json()["job_id"]
    record = shop.database.jobs.get(job_id)
    assert record is not None and record.payload == '{"args":[0.5],"kwargs":{}}'
    assert http.delete("/schedules/nightly").status_code == 204
    assert http.delete("/schedules/nightly").status_code == 404
    assert http.get("/schedules").json() == []


def test_a_batch_is_shown(http: TestClient, shop: Shop) -> None:
    shop.database.batches.open("b1", tenant="default", description="rows", callback=None)
    shop.database.batches.seal("b1")
    told = http.get("/batches/b1").json()
    assert (told["total"], told["pending"], told["description"]) == (0, 0, "rows")
    assert http.get("/batches/b2").status_code == 404


def test_a_tenants_token_may_not_touch_them_and_a_reader_only_looks(http: TestClient) -> None:
    for path in ("/kinds", "/schedules", "/batches/x"):
        assert http.get(path, headers=bearer(ACME)).status_code == 403
        assert http.get(path, headers=bearer(READ)).status_code in (200, 404)
    assert http.post("/background/load_test.io", json={}, headers=bearer(READ)).status_code == 403
