"""Finding kinds: modules and folders that the settings list, and what cannot be imported."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import background.builtin  # noqa: F401  # known before any test counts kinds
from background.assembly import build_runner
from background.discovery import discover
from background.kinds import REGISTRY
from background.services import Services
from config import Settings, load_settings
from database import Database
from errors import ConfigError
from redis_queue.connection import connect
from runtime.interrupts import Interrupts
from runtime.patience import Patience
from tests.processes.conftest import ROOT

_FILE = """
from background import job

@job("found.{name}")
def {name}() -> str:
    return "{name}"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    kept = {kind.name for kind in REGISTRY.all()}
    found = tmp_path / "jobs"
    found.mkdir()
    yield found
    for kind in REGISTRY.all():
        if kind.name not in kept:
            REGISTRY._kinds.pop(kind.name)


def settings(**changes: Any) -> Settings:
    return load_settings(_env_file=None, **changes)


def test_every_file_of_a_folder_is_imported_once(folder: Path) -> None:
    for name in ("alpha", "beta"):
        (folder / f"{name}.py").write_text(_FILE.format(name=name))
    (folder / "notes.txt").write_text("no Python")
    wanted = settings(background_folders=(str(folder),))
    names = {kind.name for kind in discover(wanted).all()}
    assert {"found.alpha", "found.beta", "system.clean_up"} <= names
    assert {kind.name for kind in discover(wanted).all()} == names


def test_all_that_cannot_be_imported_is_named_at_once(folder: Path) -> None:
    (folder / "broken.py").write_text("import nothing_of_this_name")
    (folder / "twice.py").write_text(_FILE.format(name="x").replace("found.x", "system.clean_up"))
    with pytest.raises(ConfigError) as caught:
        discover(
            settings(
                background_modules=("no.such.module",),
                background_folders=(str(folder), str(folder / "nowhere")),
            )
        )
    told = "\n".join(caught.value.problems)
    for part in (
        "WORKER_BACKGROUND_MODULES: no.such.module",
        "broken.py cannot be imported (ModuleNotFoundError",
        "system.clean_up is both",
        "nowhere is no folder",
    ):
        assert part in told


def test_a_worker_that_cannot_import_its_jobs_ends_with_78(redis_url: str, tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, str(ROOT / "worker.py")],
        env={
            "PATH": "/usr/bin:/bin",
            "REDIS_URL": redis_url,
            "DATABASE_URL": f"sqlite:///{tmp_path / 'x.db'}",
            "WORKER_BACKGROUND_MODULES": "no.such.module",
        },
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.returncode == 78
    assert "WORKER_BACKGROUND_MODULES: no.such.module" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_queues_have_time_outs_of_their_own(database: Database) -> None:
    made = build_runner(
        settings(queue_timeouts=("system=300", "media=3600"), stage_timeout_s=50, stall_s=50),
        database,
        Patience(Interrupts()),
        "w",
    )
    assert made.queue_timeouts_s == {"system": 300, "media": 3600}
    assert made.timeout_s == 50


def test_a_cache_may_be_another_redis_than_the_queues(redis_url: str, database: Database) -> None:
    queue = connect(redis_url)
    queue.flushall()
    same = Services(settings(redis_url=redis_url), database, queue)
    assert same.cache is queue
    other_url = redis_url.replace("db=0", "db=1")
    apart = Services(settings(redis_url=redis_url, cache_redis_url=other_url), database, queue)
    apart.cache.set("cached", "1")
    assert queue.get("cached") is None
    apart.cache.flushdb()
