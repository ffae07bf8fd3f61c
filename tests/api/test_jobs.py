"""Jobs over HTTP: accepted, found, called off, run again; errors that name the field."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from api.shop import Shop
from tests.api.conftest import ACME, OTHER, READ, bearer

JOB: dict[str, Any] = {"product_name": "Ember Travel Mug", "style": "bold"}


def submitted(http: TestClient, token: str | None = None, **fields: Any) -> str:
    headers = bearer(token) if token else None
    answer = http.post("/jobs", json={**JOB, **fields}, headers=headers)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["job_id"])


def test_a_job_is_accepted_and_can_be_looked_at(http: TestClient) -> None:
    job_id = submitted(http, id="mug-1")
    found = http.get(f"/jobs/{job_id}").json()
    assert (found["job_id"], found["status"], found["product_name"]) == (
        "mug-1",
        "pending",
        "Ember Travel Mug",
    )
    assert found["payload"]["style"] == "bold"
    assert (found["stages"], found["files"], found["result"]) == ([], [], None)


@pytest.mark.parametrize(
    ("payload", "field"),
    [
        ({"product_name": ""}, "product_name"),
        ({"product_name": "Mug", "colour": "red"}, "colour"),
        ({"product_name": "Mug", "brand": {"colors": ["red"]}}, "brand.colors.0"),
        ({"product_name": "Mug", "images": ["http://x.example/a.png"]}, "images.0"),
        ({}, "product_name"),
    ],
)
def test_a_payload_that_cannot_be_used_is_refused_by_its_field(
    http: TestClient, payload: dict[str, Any], field: str
) -> None:
    answer = http.post("/jobs", json=payload)
    assert (answer.status_code, answer.json()["field"]) == (422, field)
    assert field in answer.json()["detail"]


def test_the_same_idempotency_key_is_the_same_job(http: TestClient) -> None:
    answers = [http.post("/jobs", json=JOB, headers={"Idempotency-Key": "k"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 200]
    assert len({answer.json()["job_id"] for answer in answers}) == 1


def test_a_batch_is_accepted_entry_by_entry(http: TestClient) -> None:
    jobs = [{**JOB, "id": "one"}, {"product_name": ""}, {**JOB, "id": "one"}]
    results = http.post("/jobs/batch", json={"jobs": jobs}).json()["results"]
    assert [entry["job_id"] for entry in results] == ["one", None, None]
    assert [entry["field"] for entry in results] == [None, "product_name", "id"]


def test_lists_are_filtered_and_paged_by_offset_and_by_cursor(http: TestClient) -> None:
    for number in range(5):
        submitted(http, id=f"job-{number}", product_name=f"Lamp {number}")
    submitted(http, id="other", product_name="50% off_mug")
    assert http.get("/jobs", params={"text": "lamp"}).json()["total"] == 5
    assert http.get("/jobs", params={"text": "50% off_"}).json()["total"] == 1
    assert http.get("/jobs", params={"text": "%"}).json()["total"] == 1
    assert http.get("/jobs", params={"status": "failed"}).json()["jobs"] == []
    whole = [job["job_id"] for job in http.get("/jobs").json()["jobs"]]
    assert whole == ["other", *(f"job-{number}" for number in (4, 3, 2, 1, 0))]
    by_offset = http.get("/jobs", params={"limit": 2, "offset": 2}).json()
    assert [job["job_id"] for job in by_offset["jobs"]] == whole[2:4]
    seen, after = [], None
    while True:
        page = http.get("/jobs", params={"limit": 4, **({"after": after} if after else {})}).json()
        seen += [job["job_id"] for job in page["jobs"]]
        after = page["after"]
        if after is None:
            break
    assert seen == whole
    assert http.get("/jobs", params={"after": "nonsense"}).status_code == 422


def test_a_waiting_job_is_cancelled_and_run_again(http: TestClient) -> None:
    job_id = submitted(http)
    assert http.post(f"/jobs/{job_id}/cancel").json()["status"] == "cancelled"
    assert http.post(f"/jobs/{job_id}/cancel").json()["status"] == "cancelled"
    again = http.post(f"/jobs/{job_id}/retry", json={"from_stage": "voice_gen"})
    assert again.json()["status"] == "pending"
    refused = http.post(f"/jobs/{job_id}/retry")
    assert (refused.status_code, refused.json()["field"]) == (422, "job_id")
    unknown = http.post(f"/jobs/{job_id}/retry", json={"from_stage": "x"})
    assert unknown.json()["field"] == "from_stage"


def test_without_a_token_nothing_is_told(http: TestClient) -> None:
    job_id = submitted(http)
    for path in ("/jobs", f"/jobs/{job_id}", "/workers", "/queues", "/events", "/metrics", "/me"):
        for headers in ({"Authorization": ""}, bearer("wrong-token-0123456789")):
            answer = http.get(path, headers=headers)
            assert answer.status_code == 401, path
            assert answer.headers["www-authenticate"] == "Bearer"
    assert http.get("/health", headers={"Authorization": ""}).status_code == 200


def test_a_role_may_do_what_it_may(http: TestClient) -> None:
    assert http.get("/jobs", headers=bearer(READ)).status_code == 200
    answer = http.post("/jobs", json=JOB, headers=bearer(READ))
    assert (answer.status_code, "submit" in answer.json()["detail"]) == (403, True)


def test_a_tenant_sees_and_touches_its_own_jobs_only(http: TestClient, shop: Shop) -> None:
    mine = submitted(http, ACME)
    record = shop.database.jobs.get(mine)
    assert record is not None and record.tenant == "acme"
    for method, path in (
        ("GET", f"/jobs/{mine}"),
        ("GET", f"/jobs/{mine}/artifacts"),
        ("GET", f"/jobs/{mine}/artifacts/video.mp4"),
        ("GET", f"/jobs/{mine}/events"),
        ("POST", f"/jobs/{mine}/cancel"),
        ("POST", f"/jobs/{mine}/retry"),
    ):
        assert http.request(method, path, headers=bearer(OTHER)).status_code == 404, path
    assert http.get("/jobs", headers=bearer(OTHER)).json()["total"] == 0
    assert http.get("/jobs", headers=bearer(OTHER), params={"tenant": "acme"}).json()["total"] == 0
    assert http.get("/jobs", headers=bearer(ACME)).json()["total"] == 1
    stolen = http.post("/jobs", json={**JOB, "tenant": "acme"}, headers=bearer(OTHER))
    assert (stolen.status_code, stolen.json()["field"]) == (422, "tenant")


def test_a_browser_logs_in_with_a_cookie_that_scripts_cannot_read(http: TestClient) -> None:
    anonymous = {"Authorization": ""}
    assert http.post("/login", json={"token": "wrong"}, headers=anonymous).status_code == 401
    answer = http.post("/login", json={"token": ACME}, headers=anonymous)
    assert answer.json() == {"role": "submit", "tenant": "acme"}
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=strict" in cookie
    assert ACME not in cookie
    del http.headers["Authorization"]
    assert http.get("/me").json()["tenant"] == "acme"
    elsewhere = {"Origin": "https://evil.example"}
    assert http.post("/jobs", json=JOB, headers=elsewhere).status_code == 403
    assert http.post("/jobs", json=JOB, headers={"Origin": "http://testserver"}).status_code == 201
    http.post("/logout")
    assert http.get("/me").status_code == 401


def test_many_failed_jobs_are_run_again_at_once(http: TestClient) -> None:
    ended, waiting = submitted(http), submitted(http)
    http.post(f"/jobs/{ended}/cancel")
    answer = http.post("/jobs/replay", json={"job_ids": [ended, waiting, "none"]}).json()
    assert [entry["job_id"] for entry in answer["results"]] == [ended, waiting, "none"]
    assert [bool(entry["error"]) for entry in answer["results"]] == [False, True, True]
    assert http.get(f"/jobs/{ended}").json()["status"] == "pending"
    theirs = http.post("/jobs/replay", json={"job_ids": [ended]}, headers=bearer(OTHER)).json()
    assert theirs["results"][0]["error"] == "there is no such job"
    empty = http.post("/jobs/replay", json={"job_ids": []})
    assert (empty.status_code, empty.json()["field"]) == (422, "job_ids")


def test_a_long_list_says_that_it_is_not_counted_or_searched_whole(
    http: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        submitted(http, product_name=f"Lamp {number}")
    for module in ("store.listing", "api.routes_jobs"):
        monkeypatch.setattr(f"{module}.COUNTED", 3)
        monkeypatch.setattr(f"{module}.SEARCHED", 4)
    whole = http.get("/jobs").json()
    assert (whole["total"], whole["total_capped"], whole["searched"]) == (3, True, None)
    found = http.get("/jobs", params={"text": "lamp 0"}).json()
    assert (found["total"], found["searched"]) == (0, 4)
    found = http.get("/jobs", params={"text": "lamp 4"}).json()
    assert (found["total"], found["total_capped"], found["searched"]) == (1, False, 4)


def test_a_page_asks_whether_it_is_logged_in_without_an_error(http: TestClient) -> None:
    anonymous = {"Authorization": ""}
    assert http.get("/session", headers=anonymous).json() == {"role": None, "tenant": None}
    http.post("/login", json={"token": ACME}, headers=anonymous)
    assert http.get("/session").json() == {"role": "submit", "tenant": "acme"}
