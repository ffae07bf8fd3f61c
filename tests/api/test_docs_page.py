"""`/docs`: Swagger UI from this server's own files, under the page's policy."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect
from starlette.testclient import TestClient

from tests.api.browser import DESK, PHONE, needs_chromium, width
from tests.api.conftest import OPERATE
from tests.api.served import Served


def test_its_files_are_this_servers_own(http: TestClient) -> None:
    page = http.get("/docs")
    assert page.status_code == 200
    assert "http://" not in page.text and "https://" not in page.text
    for name, kind in (("swagger-ui-bundle.js", "text/javascript"), ("swagger-ui.css", "text/css")):
        answer = http.get(f"/docs/{name}")
        assert answer.headers["content-type"].startswith(kind)
        assert len(answer.content) > 100_000
    assert http.get("/docs/main.py").status_code == 422


@needs_chromium
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_shows_every_operation_in_both_schemes(page: Page, served: Served, scheme: Any) -> None:
    """The page's fixture fails this test by any error in the console: the policy's are such."""
    page.emulate_media(color_scheme=scheme)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{served.url}/docs")
    expect(page.locator(".opblock").first).to_be_visible()
    document = page.request.get(f"{served.url}/openapi.json").json()
    operations = sum(len(methods) for methods in document["paths"].values())
    expect(page.locator(".opblock")).to_have_count(operations)
    brightness = "getComputedStyle(document.body).backgroundColor.match(/\\d+/g)[0]"
    assert (int(page.evaluate(brightness)) < 100) == (scheme == "dark")
    assert [url for url in asked if not url.startswith((served.url, "data:"))] == []
    for size in (DESK, PHONE):
        page.set_viewport_size(size)
        assert width(page) <= size["width"]


@needs_chromium
def test_a_request_is_tried_with_a_token(page: Page, served: Served) -> None:
    page.goto("about:blank")  # the overview asks for news, and would be refused
    page.context.clear_cookies()
    page.goto(f"{served.url}/docs")
    page.get_by_role("button", name="Authorize").click()
    page.get_by_label("auth-bearer-value").fill(OPERATE)
    page.locator(".auth-btn-wrapper").get_by_role("button", name="Apply credentials").click()
    page.locator(".auth-btn-wrapper").get_by_role("button", name="Close").click()
    operation = page.locator("#operations-jobs-submit_jobs_post")
    operation.locator(".opblock-summary-control").click()
    operation.get_by_role("button", name="Try it out").click()
    operation.get_by_role("button", name="Execute").click()
    expect(operation.locator(".live-responses-table .response-col_status").last).to_contain_text(
        "201"
    )
    assert len(served.shop.database.jobs.page(state=None, limit=10)) == 1
    # A token lies nowhere that another script could read it from later.
    assert OPERATE not in page.evaluate("JSON.stringify({...localStorage, ...sessionStorage})")
