"""The API over an embedded Redis and SQLite, with tokens of each kind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Playwright, expect, sync_playwright
from pydantic import SecretStr
from starlette.testclient import TestClient

from api.app import create_app
from api.shop import Shop
from config import Settings
from tests.api.browser import CHROMIUM, DESK, SLOWEST_MS
from tests.api.served import Served
from tests.processes.conftest import Stack

OPERATE, READ = "operate-token-0123456789", "read-token-0123456789"
ACME, OTHER = "acme-token-0123456789", "other-token-0123456789"
TOKENS = f"{OPERATE}=operate,{READ}=read,{ACME}=submit@acme,{OTHER}=submit@other"


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
def api_settings(null_settings: Settings, tmp_path: Path) -> Settings:
    return null_settings.model_copy(
        update={
            "api_tokens": SecretStr(TOKENS),
            "api_secret": SecretStr("a-secret-of-the-tests"),
            "image_folders": (str(tmp_path / "uploads"),),
        }
    )


@pytest.fixture
def http(api_settings: Settings, client: Any) -> Iterator[TestClient]:
    """A client with every right; `bearer` changes that for a request."""
    with TestClient(create_app(api_settings), headers=bearer(OPERATE)) as opened:
        yield opened


@pytest.fixture
def shop(http: TestClient) -> Shop:
    found: Shop = http.app.state.shop  # type: ignore[attr-defined]  # Starlette's own state
    return found


@pytest.fixture
def stack(redis_url: str, client: Any, tmp_path: Path) -> Iterator[Stack]:
    """Workers on the servers of `served`."""
    opened = Stack(redis_url, f"sqlite:///{tmp_path / 'test.db'}", tmp_path)
    yield opened
    opened.kill_all()
    opened.database.close()


@pytest.fixture
def served(api_settings: Settings, client: Any) -> Iterator[Served]:
    """The API as browsers meet it."""
    with Served(api_settings) as opened:
        yield opened


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    opened = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
    yield opened
    opened.close()


@pytest.fixture
def forgiven() -> tuple[int, ...]:
    """Statuses that the browser notes as errors, and that are no fault of the page."""
    return (422,)


@pytest.fixture
def page(browser: Browser, served: Served, forgiven: tuple[int, ...]) -> Iterator[Page]:
    """A logged-in page; it fails its test by any other error in the console."""
    context = browser.new_context(viewport=DESK)
    context.set_default_timeout(SLOWEST_MS)
    opened = context.new_page()
    wrong: list[str] = []

    def hear(said: ConsoleMessage) -> None:
        fine = any(f" {status} " in said.text for status in forgiven)
        if said.type == "error" and not fine:
            wrong.append(said.text)

    opened.on("console", hear)
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    opened.goto(f"{served.url}/#token={OPERATE}")
    expect(opened.get_by_role("heading", name="Overview")).to_be_visible()
    yield opened
    context.close()
    assert wrong == []
