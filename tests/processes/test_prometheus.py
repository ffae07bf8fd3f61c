"""A real Prometheus scrapes a real worker, with the rules and the queries that are shipped."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import urllib.parse
from pathlib import Path
from typing import Any

import pytest

from tests.house.test_monitoring import RULES, alerts, dashboard_queries
from tests.processes.conftest import Stack, wait_until
from tests.processes.test_health_server import get, port_of

pytestmark = pytest.mark.skipif(
    shutil.which("prometheus") is None, reason="this host has no prometheus"
)
_CONFIG = """
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
rule_files: ["{rules}"]
scrape_configs:
  - job_name: video-worker
    static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
"""


def test_a_worker_is_scraped_and_every_query_is_understood(stack: Stack, tmp_path: Path) -> None:
    worker = stack.started(WORKER_HEALTH_PORT=0)
    stack.submit("a")
    stack.wait_state("a", "completed")
    config = tmp_path / "prometheus.yml"
    config.write_text(_CONFIG.format(rules=RULES, port=port_of(stack, worker)))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        own = int(free.getsockname()[1])
    flags = [f"--config.file={config}", f"--storage.tsdb.path={tmp_path / 'tsdb'}"]
    with (tmp_path / "prometheus.log").open("wb") as log:
        server = subprocess.Popen(
            ["prometheus", *flags, f"--web.listen-address=127.0.0.1:{own}"], stdout=log, stderr=log
        )

    def asked(path: str, **query: str) -> Any:
        answer = get(own, f"/api/v1/{path}?{urllib.parse.urlencode(query)}")
        return json.loads(answer[1])["data"] if answer[0] == 200 else None

    def value(query: str) -> str | None:
        found = asked("query", query=query)
        return str(found["result"][0]["value"][1]) if found and found["result"] else None

    try:
        done = 'video_stage_seconds_count{stage="compositing",outcome="completed"}'
        wait_until(lambda: value(done) == "1", what="scraped")
        assert value("video_worker_busy") == "0"
        assert float(value("video_worker_rss_bytes") or 0) > 1e7
        for query in dashboard_queries():
            assert asked("query", query=query) is not None, query

        def healthy() -> list[str]:
            groups = (asked("rules") or {"groups": []})["groups"]
            return [r["name"] for g in groups for r in g["rules"] if r["health"] == "ok"]

        wait_until(lambda: healthy() == alerts(), what="every rule evaluated")
    finally:
        server.terminate()
        server.wait(timeout=60)
