"""A finished job whose files lie in a bucket, seen in a real browser under the page's policy."""

from __future__ import annotations

import io
import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect
from starlette.testclient import TestClient

from config import Settings
from pipeline.storage import ObjectStorage, _bucket
from store.records import NewJob
from tests.api.browser import go, needs_chromium
from tests.api.served import Served
from tests.pipeline.test_storage import s3_endpoint
from tests.processes.conftest import wait_until
from tests.stubs.media import make_mp4

__all__ = ["s3_endpoint"]

_VTT = b"WEBVTT\n\n00:00.000 --> 00:01.500\nWarm to the last sip\n"


@pytest.fixture
def api_settings(
    api_settings: Settings, s3_endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> Settings:
    for name, value in {
        "AWS_ENDPOINT_URL": s3_endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    create = urllib.request.Request(f"{s3_endpoint}/videos", method="PUT")
    urllib.request.urlopen(create).close()
    return api_settings.model_copy(update={"artifact_url": "s3://videos/of-tests"})


@pytest.fixture
def done(served: Served, tmp_path: Path) -> Iterator[str]:
    """A completed job with a film, its poster, captions and report."""
    poster = io.BytesIO()
    Image.new("RGB", (270, 480), "teal").save(poster, "JPEG")
    report = {"checks": [{"name": "fast_start", "passed": True, "measured": True}]}
    files = {
        "video.mp4": make_mp4(tmp_path, 2.0),
        "poster.jpg": poster.getvalue(),
        "captions.vtt": _VTT,
        "report.json": json.dumps(report).encode(),
    }
    artifacts = {}
    for name, raw in files.items():
        path = tmp_path / name
        path.write_bytes(raw)
        key = f"default/ab/{tmp_path.name}/{name}"
        artifacts[name] = served.shop.storage.publish(path, key).as_json()
    jobs = served.shop.database.jobs
    jobs.accept(NewJob("done", json.dumps({"id": "done", "product_name": "Ember"})))
    jobs.change.claim("done", fence=1, worker_id="w", instance="i")
    result = {"artifacts": artifacts, "stages": {}, "frame": "9:16"}
    assert jobs.change.complete("done", fence=1, result=result)
    yield "done"


def test_a_bucket_that_is_away_is_a_503(
    http: TestClient, done: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert http.get(f"/jobs/{done}/artifacts/report.json").status_code == 200
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setattr(ObjectStorage, "_open", lambda _: _bucket("s3://videos/of-tests"))
    answer = http.get(f"/jobs/{done}/artifacts/report.json")
    assert answer.status_code == 503
    assert "storage" in answer.json()["detail"]


def test_the_policy_names_the_bucket_and_nothing_more(http: TestClient, s3_endpoint: str) -> None:
    policy = http.get("/").headers["content-security-policy"]
    assert f"img-src 'self' data: {s3_endpoint};" in policy
    assert f"media-src 'self' {s3_endpoint};" in policy
    assert "https:" not in policy


@needs_chromium
def test_poster_film_captions_and_report_are_shown(page: Page, served: Served, done: str) -> None:
    """The page's fixture fails this test by any error in the console: the policy's are such."""
    asked: list[str] = []
    page.on("requestfinished", lambda request: asked.append(request.url))
    go(page, served, "/jobs/done")
    video = page.locator("video")
    expect(page.get_by_text("1 of 1 checks passed")).to_be_visible()
    wait_until(lambda: _from_bucket(page, asked, "poster.jpg"), what="the poster")
    video.evaluate("video => { video.muted = true; return video.play(); }")
    wait_until(lambda: video.evaluate("video => video.currentTime") > 0.3, what="playing")
    assert _from_bucket(page, asked, "video.mp4")
    video.evaluate("video => { video.textTracks[0].mode = 'showing'; }")
    cues = "video => video.textTracks[0].cues?.length || 0"
    wait_until(lambda: video.evaluate(cues) == 1, what="captions")


def _from_bucket(page: Page, asked: list[str], name: str) -> bool:
    page.wait_for_timeout(20)  # events are handed over while the page is waited for
    return any(name in url and "X-Amz-Signature" in url for url in asked)
