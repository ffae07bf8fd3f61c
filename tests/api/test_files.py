"""Files over HTTP: ranges, links that open one file for a while, uploads with caps."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image
from starlette.testclient import TestClient

from api.security import Guard
from api.shop import Shop
from store.records import NewJob
from tests.api.conftest import READ, bearer

VIDEO = bytes(range(256)) * 40


@pytest.fixture
def done(shop: Shop, tmp_path: Path) -> str:
    """A completed job with a file."""
    path = tmp_path / "video.mp4"
    path.write_bytes(VIDEO)
    artifact = shop.storage.publish(path, "default/ab/x/1-1/video.mp4")
    jobs = shop.database.jobs
    jobs.accept(NewJob("done", '{"product_name": "Mug"}'))
    jobs.change.claim("done", fence=1, worker_id="w", instance="i")
    result = {"artifacts": {"video.mp4": artifact.as_json()}, "stages": {}}
    assert jobs.change.complete("done", fence=1, result=result)
    return "done"


def test_a_video_is_fetched_whole_and_in_ranges(http: TestClient, done: str) -> None:
    path = f"/jobs/{done}/artifacts/video.mp4"
    whole = http.get(path)
    assert (whole.content, whole.headers["content-type"]) == (VIDEO, "video/mp4")
    part = http.get(path, headers={"Range": "bytes=100-199"})
    assert (part.status_code, part.content) == (206, VIDEO[100:200])
    assert part.headers["content-range"] == f"bytes 100-199/{len(VIDEO)}"
    assert http.get(path, headers={"Range": "bytes=999999-"}).status_code == 416


def test_a_link_opens_its_file_and_no_other(
    http: TestClient, done: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    [file] = http.get(f"/jobs/{done}/artifacts").json()
    nobody = {"Authorization": ""}
    assert http.get(file["url"], headers=nobody).content == VIDEO
    assert http.get(file["url"] + "x", headers=nobody).status_code == 401
    other = file["url"].replace("video.mp4", "report.json")
    assert http.get(other, headers=nobody).status_code == 401
    monkeypatch.setattr("api.security.LINK_S", -1)
    assert http.get(file["url"], headers=nobody).status_code == 401


def test_what_is_not_there_is_404(http: TestClient, done: str) -> None:
    assert http.get(f"/jobs/{done}/artifacts/x.mp4").status_code == 404
    assert http.get("/jobs/none/artifacts/video.mp4").status_code == 404
    assert http.get(f"/jobs/{done}/artifacts/..%2f..%2fetc%2fpasswd").status_code == 404


def test_a_link_is_for_its_own_job(http: TestClient, done: str) -> None:
    guard: Guard = http.app.state.guard  # type: ignore[attr-defined]
    link = guard.link("other", "video.mp4")
    nobody = {"Authorization": ""}
    answer = http.get(f"/jobs/{done}/artifacts/video.mp4?link={link}", headers=nobody)
    assert answer.status_code == 401


def picture(form: str = "PNG", size: tuple[int, int] = (40, 30)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, "red").save(out, form)
    return out.getvalue()


def test_an_uploaded_picture_can_be_used_in_a_job(http: TestClient, shop: Shop) -> None:
    answers = [http.post("/uploads", files={"file": ("../x.png", picture())}) for _ in range(2)]
    assert answers[0].status_code == 201
    assert answers[0].json() == answers[1].json()
    reference = answers[0].json()["reference"]
    assert (answers[0].json()["width"], answers[0].json()["height"]) == (40, 30)
    assert [path.name for path in shop.uploads.iterdir()] == [reference]
    job = {"product_name": "Mug", "images": [reference]}
    assert http.post("/jobs", json=job).status_code == 201


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"no picture", "not a PNG"),
        (picture("GIF"), "not a PNG"),
        (picture(size=(8, 8)), "only 8 x 8"),
        (b"", "not a PNG"),
        (picture() + b"x" * 26_000_000, "larger"),
    ],
    ids=["text", "gif", "tiny", "empty", "huge"],
)
def test_what_is_no_usable_picture_is_not_kept(
    http: TestClient, shop: Shop, content: bytes, reason: str
) -> None:
    answer = http.post("/uploads", files={"file": ("a.png", content)})
    assert (answer.status_code, answer.json()["field"]) == (422, "file")
    assert reason in answer.json()["detail"]
    assert list(shop.uploads.iterdir()) == []


def test_a_reader_may_not_upload(http: TestClient) -> None:
    answer = http.post("/uploads", files={"file": ("a.png", picture())}, headers=bearer(READ))
    assert answer.status_code == 403
