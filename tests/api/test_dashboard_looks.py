"""Pages with what real use fills them with: money, long names, other directions, outages."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from pydantic import SecretStr

from config import Settings
from redis_queue import control
from runtime.embedded import EmbeddedRedis
from store.calls import CallOwner, Caps
from store.records import NewJob
from tests.api.browser import DESK, PHONE, barriers, go, needs_chromium, width
from tests.api.served import Served

pytestmark = needs_chromium

_LONG = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"
_HEBREW = "מנורת השולחן סולסטיס 2000!"
#: Provider, how its call ended, and what it cost in micro-dollars.
_CALLS = [
    ("claude", "finished", 2_150),
    ("elevenlabs", "finished", 31_000),
    ("replicate", "doubtful", 1_250_000),
    ("fal", "failed", 250_000),
]


def _paid(served: Served, job_id: str, name: str, tenant: str = "default") -> None:
    """A failed job with a call to each provider."""
    jobs, calls = served.shop.database.jobs, served.shop.database.calls
    payload = {"id": job_id, "product_name": name, "style": "bold"}
    jobs.accept(NewJob(job_id, json.dumps(payload), tenant=tenant))
    jobs.change.claim(job_id, fence=1, worker_id="w", instance="i")
    owner = CallOwner(job_id, 1, tenant, "video_gen", f"scope of {job_id}")
    for provider, state, cost in _CALLS:
        begun = calls.begin(
            owner, provider, "asked", call_id=uuid.uuid4().hex, estimate=cost, caps=Caps()
        )
        calls.change(owner, begun.id, state, cost_microusd=cost)
    jobs.change.fail(job_id, fence=1, error="x" * 200)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_costs_are_told_by_day_provider_and_tenant(page: Page, served: Served, scheme: Any) -> None:
    _paid(served, "one", "Lamp")
    _paid(served, "two", "Mug", tenant="a-tenant-with-quite-a-long-name-of-its-own")
    page.emulate_media(color_scheme=scheme)
    go(page, served, "/costs")
    spent = page.locator(".figure", has_text="Spent")
    expect(spent).to_contain_text("$3.07")
    expect(spent).to_contain_text("8 paid calls")
    expect(page.locator(".figure", has_text="In doubt")).to_contain_text("$2.50")
    expect(page.locator(".by-day tbody tr")).to_have_count(1)
    # The dearest first, and nothing where nothing is in doubt.
    providers = page.locator(".by-provider tbody tr")
    assert [row.split()[0] for row in providers.all_inner_texts()] == [
        *("replicate", "fal", "elevenlabs", "claude")
    ]
    expect(providers.first).to_contain_text("$2.50")
    expect(providers.last.locator("td").nth(3)).to_have_text("–")
    expect(page.locator(".by-tenant tbody tr")).to_have_count(2)
    assert barriers(page) == []
    for size in (DESK, PHONE):
        page.set_viewport_size(size)
        assert width(page) <= size["width"]
        for panel in page.locator(".costs .scroll").all():
            assert panel.evaluate("node => node.scrollWidth <= node.clientWidth")


def test_long_names_and_errors_fit_a_phone(page: Page, served: Served) -> None:
    _paid(served, "long", _LONG)
    page.set_viewport_size(PHONE)
    for place in ("/jobs", "/dead", "/jobs/long"):
        go(page, served, place)
        expect(page.locator("#main")).to_contain_text(_LONG[:40])
        assert width(page) <= PHONE["width"], place


def test_a_name_keeps_its_own_direction(page: Page, served: Served) -> None:
    _paid(served, "lamp", _HEBREW)
    go(page, served, "/jobs/lamp")
    expect(page.locator("h1")).to_have_css("direction", "rtl")
    go(page, served, "/jobs")
    name = page.get_by_role("link", name=_HEBREW)
    expect(name).to_have_css("direction", "rtl")
    expect(page.locator("body")).to_have_css("direction", "ltr")


def test_a_paused_queue_is_shown_as_such(page: Page, served: Served) -> None:
    control.pause(served.shop.client, "video-low")
    go(page, served, "/")
    queues = page.locator(".lines")
    expect(queues.locator("div", has_text="video-low")).to_contain_text("paused")
    expect(queues.get_by_text("paused")).to_have_count(1)


def test_empty_pages_say_that_they_are(page: Page, served: Served) -> None:
    go(page, served, "/jobs")
    expect(page.get_by_text("No job yet.")).to_be_visible()
    expect(page.get_by_role("table")).to_be_hidden()
    _paid(served, "lamp", "Lamp")
    page.get_by_label("Search").fill("mug")
    expect(page.get_by_text("No job fits.")).to_be_visible()
    page.get_by_label("Search").fill("lam")
    expect(page.get_by_role("link", name="Lamp")).to_be_visible()


def test_a_job_that_waits_says_for_what(page: Page, served: Served) -> None:
    later = datetime(2030, 1, 1, tzinfo=UTC)
    served.shop.jobs.submit({"id": "later", "product_name": "Lamp", "run_at": later.isoformat()})
    served.shop.jobs.submit({"id": "soon", "product_name": "Lamp"})
    go(page, served, "/jobs/later")
    expect(page.locator(".doing")).to_contain_text("Waits until 1 Jan 2030")
    go(page, served, "/jobs/soon")
    expect(page.locator(".doing")).to_have_text("Waits for a worker")


class TestWithRedisAway:
    @pytest.fixture
    def redis(self, tmp_path: Path) -> EmbeddedRedis:
        return EmbeddedRedis(tmp_path / "valkey")

    @pytest.fixture
    def forgiven(self) -> tuple[int, ...]:
        return (503,)

    @pytest.fixture
    def served(self, api_settings: Settings, redis: EmbeddedRedis) -> Iterator[Served]:
        changed = api_settings.model_copy(update={"redis_url": SecretStr(redis.url)})
        with redis, Served(changed) as opened:
            yield opened

    def test_an_open_page_says_that_it_may_be_old(
        self, page: Page, served: Served, redis: EmbeddedRedis
    ) -> None:
        banner = page.locator("#away")
        expect(banner).to_be_hidden()
        redis.__exit__(None, None, None)
        expect(banner).to_contain_text("Redis does not answer")
        expect(page.get_by_role("heading", name="Overview")).to_be_visible()
        redis.__enter__()
        expect(banner).to_be_hidden()

    def test_a_page_that_cannot_be_shown_comes_by_itself_later(
        self, page: Page, served: Served, redis: EmbeddedRedis
    ) -> None:
        redis.__exit__(None, None, None)
        go(page, served, "/workers")
        expect(page.locator(".wrong")).to_contain_text("Redis does not answer")
        expect(page.get_by_role("button", name="Try again")).to_be_visible()
        redis.__enter__()
        heading = page.get_by_role("heading", name="Workers")
        expect(heading).to_be_visible()
