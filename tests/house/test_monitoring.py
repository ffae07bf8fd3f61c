"""Rules, dashboard and runbooks speak of metrics, alerts and settings that there are."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from config import Settings, variable_of

ROOT = Path(__file__).resolve().parents[2]
PROMETHEUS = ROOT / "deploy" / "prometheus"
RULES = PROMETHEUS / "rules" / "video-worker.yml"
DASHBOARD = ROOT / "deploy" / "grafana" / "video-worker.json"
RUNBOOKS = ROOT / "docs" / "runbooks"
#: What the API serves of the fleet; its own source says so where it is part of this checkout.
FLEET = {
    "video_queue_depth",
    "video_leases",
    "video_scheduled",
    "video_oldest_waiting_seconds",
    "video_jobs",
    "video_workers",
    "video_spent_today_dollars",
    "video_unknown_kind_jobs",
}
needs_promtool = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="this host has no promtool (Debian: prometheus)"
)


def _named(path: Path) -> set[str]:
    return set(re.findall(r'"(video_[a-z_]+)"', path.read_text()))


def defined() -> set[str]:
    """Every sample name that workers and the API serve."""
    api = ROOT / "api" / "metrics.py"
    names = _named(ROOT / "runtime" / "metrics.py") | (_named(api) if api.exists() else FLEET)
    histograms = {"video_stage_seconds", "video_job_seconds", "video_wait_seconds"}
    parts = {f"{name}_{part}" for name in histograms for part in ("bucket", "sum", "count")}
    return (names - histograms) | parts


def dashboard_queries() -> list[str]:
    panels = json.loads(DASHBOARD.read_text())["panels"]
    return [target["expr"] for panel in panels for target in panel["targets"]]


def alerts() -> list[str]:
    return re.findall(r"- alert: (\w+)", RULES.read_text())


@pytest.mark.parametrize("text", [RULES.read_text(), *dashboard_queries()])
def test_only_metrics_that_are_served_are_asked_for(text: str) -> None:
    used = set(re.findall(r"\bvideo_[a-z_]+\b", text))
    assert used and used <= defined()


def test_what_a_worker_serves_is_on_the_dashboard() -> None:
    shown = " ".join(dashboard_queries())
    assert [name for name in _named(ROOT / "runtime/metrics.py") if name not in shown] == []


def test_every_alert_has_its_runbook_and_every_runbook_its_alert() -> None:
    urls = re.findall(r"runbook_url: (\S+)", RULES.read_text())
    assert urls == [f"docs/runbooks/{alert}.md" for alert in alerts()]
    assert sorted(page.stem for page in RUNBOOKS.glob("*.md")) == sorted(alerts())


@pytest.mark.parametrize("page", sorted(RUNBOOKS.glob("*.md")), ids=lambda page: page.stem)
def test_a_runbook_says_what_it_means_how_to_check_and_what_to_do(page: Path) -> None:
    text = page.read_text()
    assert text.startswith(f"# {page.stem}\n")
    assert "\n## Check\n" in text and "\n## What to do\n" in text
    settings = {variable_of(field) for field in Settings.model_fields}
    named = set(re.findall(r"`([A-Z]+_[A-Z_]+)`", text))
    assert named <= settings


@needs_promtool
@pytest.mark.parametrize(
    "arguments",
    [
        ["check", "rules", str(RULES)],
        ["test", "rules", str(PROMETHEUS / "rules_test.yml")],
        ["check", "config", "--syntax-only", str(PROMETHEUS / "prometheus.yml")],
    ],
)
def test_the_rules_are_valid_and_fire_when_they_should(arguments: list[str]) -> None:
    ended = subprocess.run(["promtool", *arguments], capture_output=True, text=True, timeout=60)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_every_alert_is_seen_to_fire_and_to_stay_silent() -> None:
    text = (PROMETHEUS / "rules_test.yml").read_text()
    fires = set(re.findall(r"alertname: (\w+)\n +exp_alerts:\n", text))
    assert fires == set(alerts())


def test_every_metric_is_documented() -> None:
    documented = set(re.findall(r"`(video_[a-z_]+)", (ROOT / "docs/monitoring.md").read_text()))
    assert documented == _named(ROOT / "runtime/metrics.py") | FLEET
