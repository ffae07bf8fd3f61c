"""How soon the dashboard's requests are answered with many jobs on record.

    .venv/bin/python -m benchmarks.pages [--jobs 100000] [--database URL] [--runs 7]

Fills a database of its own (SQLite; another by `--database`, which has to be empty) and asks the
API, in this process, for what the pages ask for. Redis is the embedded one.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from rich.console import Console
from rich.table import Table
from starlette.testclient import TestClient

from api.app import create_app
from config import load_settings
from database import Database
from runtime.embedded import EmbeddedRedis
from store.bulk import insert_jobs
from store.records import utc_now

_TOKEN = "token-of-the-benchmark"
_STATES = ("completed",) * 90 + ("failed",) * 5 + ("cancelled",) * 3 + ("pending",) * 2
_DAYS = 30


def fill(database_url: str, jobs: int) -> None:
    """So many jobs over the last days, nine of ten completed, each with a usual payload."""
    database = Database(database_url)
    database.init()
    rng = random.Random(1)
    now = utc_now()
    rows = []
    for number in range(jobs):
        created = now - timedelta(days=_DAYS * (jobs - number) / jobs)
        state = rng.choice(_STATES)
        payload = {
            "id": f"job-{number:07}",
            "product_name": f"Product {number}",
            "style": rng.choice(("minimal", "bold", "luxury", "playful", "tech")),
            "benefits": ["Hot for six hours", "Fits every bag", "Easy to clean"],
            "description": "Coffee that stays hot from the first stop to the last. " * 4,
        }
        ended = state not in ("pending",)
        rows.append(
            {
                "id": payload["id"],
                "kind": "video",
                "queue": "video",
                "state": state,
                "tenant": rng.choice(("default", "acme", "other")),
                "payload": json.dumps(payload),
                "pushed": True,
                "created_at": created,
                "updated_at": created,
                "started_at": created + timedelta(seconds=5) if ended else None,
                "finished_at": created + timedelta(seconds=rng.uniform(15, 40)) if ended else None,
            }
        )
    insert_jobs(database.engine, rows)
    database.close()


def measure(http: TestClient, runs: int) -> list[tuple[str, float, float]]:
    """Each request's median and longest milliseconds."""
    half = http.get("/jobs", params={"limit": 200, "offset": 50_000}).json()["after"]
    asked: dict[str, dict[str, Any]] = {
        "/overview": {},
        "/queues": {},
        "/jobs": {},
        "/jobs?status=failed": {"status": "failed"},
        "/jobs?tenant=acme": {"tenant": "acme"},
        "/jobs?kind=video": {"kind": "video"},
        "/jobs?status=completed&tenant=acme": {"status": "completed", "tenant": "acme"},
        "/jobs?text= (found often)": {"text": "coffee"},
        "/jobs?text= (found once)": {"text": "product 99123"},
        "/jobs?text= (found never)": {"text": "no such text"},
        "/jobs?after= (half way)": {"after": half},
        "/costs": {},
    }
    lines = []
    for name, query in asked.items():
        took = []
        for _ in range(runs):
            began = time.perf_counter()
            answer = http.get(name.split("?")[0], params=query)
            took.append((time.perf_counter() - began) * 1000)
            assert answer.status_code == 200, answer.text
        lines.append((name, statistics.median(took), max(took)))
    return lines


def main() -> None:
    """Fill, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--jobs", type=int, default=100_000)
    parser.add_argument("--database", default=None)
    parser.add_argument("--runs", type=int, default=7)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pages-") as folder:
        url = wanted.database or f"sqlite:///{folder}/pages.db"
        fill(url, wanted.jobs)
        with EmbeddedRedis(Path(folder) / "valkey") as redis:
            settings = load_settings(
                _env_file=None,
                redis_url=redis.url,
                database_url=url,
                api_tokens=SecretStr(f"{_TOKEN}=operate"),
                api_secret=SecretStr("a-secret-of-the-benchmark"),
            )
            headers = {"Authorization": f"Bearer {_TOKEN}"}
            with TestClient(create_app(settings), headers=headers) as http:
                lines = measure(http, wanted.runs)
    table = Table(title=f"{wanted.jobs:,} jobs, {url.split(':')[0]}")
    for head in ("request", "median ms", "longest ms"):
        table.add_column(head, justify="left" if head == "request" else "right")
    for name, median, longest in lines:
        table.add_row(name, f"{median:.0f}", f"{longest:.0f}")
    Console().print(table)


if __name__ == "__main__":
    main()
