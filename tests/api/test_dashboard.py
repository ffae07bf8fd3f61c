"""The dashboard in a real browser, over the API, with real workers behind it."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Page, Route, expect

from store.records import NewJob
from tests.api.browser import DESK, PHONE, barriers, go, needs_chromium, width
from tests.api.conftest import OPERATE, READ
from tests.api.served import Served, tell
from tests.processes.conftest import Stack, wait_until

pytestmark = needs_chromium
PAGES = {
    "/": "Overview",
    "/jobs": "Jobs",
    "/new": "New job",
    "/jobs/done": "Lamp done",
    "/jobs/broken": "Lamp broken",
    "/workers": "Workers",
    "/dead": "Dead letters",
    "/schedules": "Schedule",
    "/costs": "Costs",
}


def percent(page: Page) -> int | None:
    """What the bar says; None when there is none (any more)."""
    bar = "document.querySelector('.now [role=progressbar]')?.getAttribute('aria-valuenow')"
    told = page.evaluate(f"() => {bar}")
    return None if told is None else int(told)


def record(served: Served, job_id: str, state: str) -> None:
    """A row that has ended, as a worker would have left it."""
    jobs = served.shop.database.jobs
    jobs.accept(NewJob(job_id, json.dumps({"id": job_id, "product_name": f"Lamp {job_id}"})))
    jobs.change.claim(job_id, fence=1, worker_id="w", instance="i")
    if state == "completed":
        jobs.change.complete(job_id, fence=1, result={"artifacts": {}, "stages": {}})
    else:
        jobs.change.fail(job_id, fence=1, error="the voice could not be made")


def test_a_token_in_the_address_logs_in_and_leaves_it(page: Page, served: Served) -> None:
    assert OPERATE not in page.url
    assert page.evaluate("document.cookie") == ""
    page.get_by_role("button", name="Log out").click()
    token = page.get_by_label("Token")
    token.fill(READ)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    expect(page.get_by_role("link", name="New job")).to_be_hidden()


def test_a_job_is_submitted_watched_and_played(
    page: Page, served: Served, stack: Stack, tmp_path: Path
) -> None:
    stack.started(
        SCRIPT_PROVIDER="template",
        VOICE_PROVIDER="piper",
        VIDEO_PROVIDER="motion",
        COMPOSITOR="ffmpeg",
        WORKER_LEASE_S=15,
    )
    picture = io.BytesIO()
    Image.new("RGB", (400, 400), "teal").save(picture, "PNG")
    go(page, served, "/new")
    page.get_by_role("button", name="Make the video").click()
    expect(page.locator("#product_name-error")).to_contain_text("required")
    expect(page.get_by_label("Product name")).to_be_focused()
    page.get_by_label("Product name").fill("Ember Travel Mug")
    page.get_by_label("Pictures").set_input_files(
        {"name": "mug.png", "mimeType": "image/png", "buffer": picture.getvalue()}
    )
    expect(page.get_by_alt_text("mug.png")).to_be_visible()
    page.get_by_label("Bold").check(force=True)
    page.get_by_label("Seconds").fill("6")
    page.get_by_role("button", name="Make the video").click()
    expect(page.get_by_role("heading", name="Ember Travel Mug")).to_be_visible()
    seen: set[int] = set()

    def plays() -> bool:
        if (now := percent(page)) is not None:
            seen.add(now)
        page.wait_for_timeout(50)
        return page.locator("video").count() == 1

    wait_until(plays, within_s=90, what="a finished video")
    assert len(seen) >= 2, seen
    video = page.locator("video")
    expect(video.locator("track[kind=captions]")).to_have_count(1)
    video.evaluate("video => { video.muted = true; return video.play(); }")
    wait_until(lambda: video.evaluate("video => video.currentTime") > 0.3, what="playing")
    assert video.evaluate("video => video.error") is None
    expect(page.get_by_text("checks passed")).to_be_visible()
    expect(page.get_by_text("at most -1 dBTP")).to_be_visible()
    expect(page.get_by_role("link", name="manifest.json")).to_be_visible()


def test_progress_comes_by_the_event_stream(page: Page, served: Served) -> None:
    """Nothing but the stream is answered once the page is there."""
    holder = served.held("live")
    served.shop.database.jobs.change.claim("live", fence=1, worker_id="w", instance="i")
    tell(holder, 1)
    go(page, served, "/jobs/live")
    go(page, served, "/jobs")
    bar = page.locator('[data-job="live"] [role=progressbar]')
    expect(page.get_by_text("Live", exact=True)).to_be_visible()
    page.evaluate("() => { window.fetch = () => new Promise(() => {}); }")
    for figure in (7, 19, 23):
        tell(holder, figure)
        expect(bar).to_have_attribute("aria-valuenow", str(figure))


def test_a_page_left_while_it_was_being_made_leaves_the_stream_to_the_next(
    page: Page, served: Served
) -> None:
    holder = served.held("live")
    served.shop.database.jobs.change.claim("live", fence=1, worker_id="w", instance="i")
    held: list[Route] = []
    page.route("**/jobs/live", lambda route: held.append(route))
    page.goto(f"{served.url}/#/jobs/live")
    wait_until(lambda: page.evaluate("1") and held, what="the job to be asked for")
    go(page, served, "/jobs")
    expect(page.get_by_text("Live", exact=True)).to_be_visible()
    with page.expect_response("**/jobs/live"):
        held[0].continue_()
    bar = page.locator('[data-job="live"] [role=progressbar]')
    for figure in (7, 19):
        tell(holder, figure)
        expect(bar).to_have_attribute("aria-valuenow", str(figure))


def test_the_overview_names_the_stage_that_the_bar_is_in(page: Page, served: Served) -> None:
    holder = served.held("live")
    served.shop.database.jobs.change.claim("live", fence=1, worker_id="w", instance="i")
    tell(holder, 1)
    go(page, served, "/jobs")
    go(page, served, "/")
    made = page.locator(".running li")
    expect(made).to_be_visible()
    expect(page.get_by_text("Live", exact=True)).to_be_visible()
    page.evaluate("() => { window.fetch = () => new Promise(() => {}); }")
    for stage, name in (("voice_gen", "Voice"), ("compositing", "Compositing")):
        tell(holder, 40, stage=stage)
        expect(made).to_contain_text(name)


def test_a_job_is_cancelled_and_a_dead_letter_is_replayed(
    page: Page, served: Served, stack: Stack
) -> None:
    stack.submit("waits")
    go(page, served, "/jobs/waits")
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator(".page-head .badge")).to_have_text("cancelled")
    assert stack.state("waits") == "cancelled"
    stack.submit("broken", images=["missing.png"])
    worker = stack.started()
    stack.wait_state("broken", "failed")
    go(page, served, "/dead")
    expect(page.get_by_text("names no file")).to_be_visible()
    page.get_by_label("Choose Product broken").check()
    page.get_by_role("button", name="Replay 1").click()
    expect(page.locator("#said")).to_contain_text("1 queued again")
    wait_until(lambda: len(stack.events(worker, "job_failed")) == 2, what="a second run")


def test_the_form_is_sent_with_the_keyboard_alone(page: Page, served: Served) -> None:
    go(page, served, "/new")
    page.get_by_label("Product name").focus()
    page.keyboard.type("Solstice Lamp")
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent") == "Make the video":
            break
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Solstice Lamp")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_are_accessible_and_fit_a_phone(page: Page, served: Served, scheme: Any) -> None:
    record(served, "done", "completed")
    record(served, "broken", "failed")
    page.emulate_media(color_scheme=scheme)
    for place, title in PAGES.items():
        page.set_viewport_size(DESK)
        page.goto(f"{served.url}/#{place}")
        expect(page.locator("main h1")).to_have_text(title)
        assert barriers(page) == [], place
        page.set_viewport_size(PHONE)
        assert width(page) <= PHONE["width"], place


def test_what_the_token_may_not_do_is_not_offered(page: Page, served: Served) -> None:
    record(served, "broken", "failed")
    page.goto(f"{served.url}/#token={READ}")
    expect(page.get_by_role("link", name="New job")).to_be_hidden()
    go(page, served, "/jobs/broken")
    expect(page.locator(".wrong")).to_contain_text("the voice could not be made")
    expect(page.get_by_role("button", name="Run again")).to_have_count(0)
