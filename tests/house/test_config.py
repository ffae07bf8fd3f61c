"""Settings: read once, checked as a whole, secrets kept."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from config import load_settings, without_password
from errors import ConfigError

ROOT = Path(__file__).resolve().parents[2]
_SECRET = "whsec_" + "QUJD" * 8


def test_all_wrong_settings_are_listed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", "http://x")
    monkeypatch.setenv("WORKER_LEASE_S", "soon")
    monkeypatch.setenv("VOICE_PROVIDER", "parrot")
    monkeypatch.setenv("WORKER_QUEUES", "video,Not A Queue")
    with pytest.raises(ConfigError) as caught:
        load_settings(_env_file=None)
    named = sorted(problem.split(":")[0] for problem in caught.value.problems)
    assert named == ["REDIS_URL", "VOICE_PROVIDER", "WORKER_LEASE_S", "WORKER_QUEUES"]


def test_a_wrong_setting_ends_the_worker_with_78_and_one_message() -> None:
    ended = subprocess.run(
        [sys.executable, "worker.py"],
        cwd=ROOT,
        env={**os.environ, "WORKER_LEASE_S": "0", "DATABASE_URL": "mysql://x"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.returncode == 78
    assert "WORKER_LEASE_S" in ended.stderr and "DATABASE_URL" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_fields_are_checked_against_each_other() -> None:
    with pytest.raises(ConfigError, match="WORKER_STALL_S"):
        load_settings(_env_file=None, stall_s=100, stage_timeout_s=50)


@pytest.mark.parametrize("url", ["ftp://x/y", "https://", "https://x.example/y?call=1", "x"])
def test_a_webhook_url_that_cannot_be_used_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="REPLICATE_WEBHOOK_URL"):
        load_settings(_env_file=None, replicate_webhook_url=url, replicate_webhook_secret=_SECRET)


def test_webhooks_are_asked_for_only_where_they_can_be_checked() -> None:
    url = "https://x.example/webhooks/replicate"
    with pytest.raises(ConfigError, match="REPLICATE_WEBHOOK_SECRET"):
        load_settings(_env_file=None, replicate_webhook_url=url)
    load_settings(_env_file=None, replicate_webhook_url=url, replicate_webhook_secret=_SECRET)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://:se@cret@host:1/0", "redis://:***@host:1/0"),
        ("postgresql://u:hidden-word@h/d?password=secret", "postgresql://u:***@h/d"),
        ("sqlite:////tmp/x.db", "sqlite:////tmp/x.db"),
        ("unix:///run/x.sock?db=0", "unix:///run/x.sock"),
    ],
)
def test_urls_are_shown_without_their_password(url: str, shown: str) -> None:
    assert without_password(url) == shown


def test_a_bare_postgres_url_gets_the_installed_driver() -> None:
    settings = load_settings(_env_file=None, database_url="postgres://u:hidden-word@h/d")
    assert settings.database_url.get_secret_value() == "postgresql+psycopg2://u:hidden-word@h/d"
    assert "hidden-word" not in repr(settings)
