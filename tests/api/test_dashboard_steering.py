"""The dashboard's pages on schedules, background jobs and steering, in a real browser."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from background.builtin import load_test  # noqa: F401  # its kinds are asked for by name
from background.cron import declare
from background.kinds import REGISTRY
from redis_queue import control, presence
from store.items import Items
from store.records import utc_now
from tests.api.browser import DESK, PHONE, barriers, go, needs_chromium, width
from tests.api.conftest import ACME
from tests.api.served import Served
from tests.processes.conftest import Stack, wait_until

pytestmark = needs_chromium


def declared(served: Served) -> None:
    shop = served.shop
    declare(shop.database.schedules, shop.registry.all(), shop.settings, utc_now())


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_schedules_are_seen_paused_and_run(page: Page, served: Served, scheme: Any) -> None:
    declared(served)
    page.emulate_media(color_scheme=scheme)
    go(page, served, "/schedules")
    row = page.locator("tr", has_text="system.clean_up")
    expect(row).to_contain_text("0 2 * * 0")
    expect(row).to_contain_text("never")
    row.get_by_role("button", name="Pause: system.clean_up").click()
    expect(row).to_contain_text("paused")
    assert served.shop.schedules.get("system.clean_up").paused
    row.get_by_role("button", name="Resume: system.clean_up").click()
    expect(row).to_contain_text("in ")
    row.get_by_role("button", name="Run now: system.clean_up").click()
    expect(page.locator("#said")).to_contain_text("Queued now")
    assert served.shop.database.jobs.count_by_state() == {"pending": 1}
    for size in (DESK, PHONE):
        page.set_viewport_size(size)
        assert width(page) <= size["width"]
        assert barriers(page) == []


def test_a_tenant_is_not_offered_what_is_not_its_own(page: Page, served: Served) -> None:
    page.get_by_role("button", name="Log out").click()
    page.get_by_label("Token").fill(ACME)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    expect(page.get_by_role("link", name="Schedule", exact=True)).to_be_hidden()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_background_job_tells_of_its_items_and_result(
    page: Page, served: Served, scheme: Any
) -> None:
    from background.enqueue import new_job

    kind = REGISTRY.get("load_test.io")
    assert kind is not None
    job = new_job(kind, [0.1], {})
    served.shop.jobs.enqueue([job])
    database = served.shop.database
    database.jobs.change.claim(job.id, fence=1, worker_id="w", instance="i")
    database.items.record(job.id, fence=1, items=Items(1200, 1500, 3))
    page.emulate_media(color_scheme=scheme)
    go(page, served, f"/jobs/{job.id}")
    expect(page.locator("#items")).to_have_text("1,200 of 1,500 items, 3 failed")
    database.jobs.change.complete(job.id, fence=1, result={"value": {"done": 1500}})
    go(page, served, "/jobs")
    go(page, served, f"/jobs/{job.id}")
    expect(page.get_by_label("Result")).to_contain_text('"done": 1500')
    expect(page.get_by_role("button", name="Run again")).to_be_visible()
    expect(page.get_by_text("anew from the beginning")).to_have_count(1)
    assert page.get_by_text("Script").count() == 0
    for size in (DESK, PHONE):
        page.set_viewport_size(size)
        assert width(page) <= size["width"]
        assert barriers(page) == []


def test_workers_and_queues_are_steered(page: Page, served: Served, stack: Stack) -> None:
    worker = stack.started()
    wait_until(lambda: presence.workers(served.shop.client))
    go(page, served, "/workers")
    page.get_by_role("button", name="Pause: video", exact=True).click()
    expect(page.get_by_role("button", name="Resume: video", exact=True)).to_be_visible()
    assert control.paused(served.shop.client) == {"video"}
    page.get_by_role("button", name="Quiet: worker-1").click()
    expect(page.get_by_role("button", name="Work: worker-1")).to_be_visible()
    page.get_by_role("button", name="Stop: worker-1").click()
    assert worker.wait(timeout=60) == 0
    for size in (DESK, PHONE):
        page.set_viewport_size(size)
        assert width(page) <= size["width"]
        assert barriers(page) == []
