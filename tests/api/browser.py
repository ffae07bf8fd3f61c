"""The system's own Chromium, and what tests of pages share."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import axe_core_python
import pytest
from playwright.sync_api import Page, ViewportSize, expect

from tests.api.served import Served

CHROMIUM = os.environ.get("CHROMIUM_BINARY") or shutil.which("chromium") or shutil.which("chrome")
needs_chromium = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium on PATH, and CHROMIUM_BINARY names none"
)
#: A page that shares two cores with the rest of the tests is slow at times, and not wrong.
SLOWEST_MS = 60_000
expect.set_options(timeout=SLOWEST_MS)
PHONE: ViewportSize = {"width": 390, "height": 844}
DESK: ViewportSize = {"width": 1280, "height": 900}
_AXE = (Path(axe_core_python.__file__).parent / "axe.min.js").read_text()


def go(page: Page, served: Served, place: str) -> None:
    """Open a page of the dashboard; returns when it is there."""
    page.goto(f"{served.url}/#{place}")
    page.wait_for_selector("main h1")


def barriers(page: Page) -> list[Any]:
    """What keeps people out of the page as it is now: each rule that is broken, and where."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(_AXE)
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        (entry["id"], [node["html"] for node in entry["nodes"]])
        for entry in found["violations"]
        if entry["impact"] in ("serious", "critical")
    ]


def width(page: Page) -> int:
    """How wide the page's content is; more than the window means that it scrolls sideways."""
    return int(page.evaluate("document.documentElement.scrollWidth"))
