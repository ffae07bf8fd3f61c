"""How long one ad takes, what it costs in memory, and how that compares with a plain encode.

    .venv/bin/python -m benchmarks.ad [--runs N] [--style minimal]

Times are this machine's; the ratios are what to compare.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.processes import MemoryWatch, resident_mb
from config import ROOT, child_environment, load_settings
from database import Database
from pipeline.assembly import tools_of
from pipeline.media.encoder import video_args
from pipeline.ports import Artifact
from pipeline.storage import ObjectStorage
from redis_queue.connection import connect
from runtime.embedded import EmbeddedRedis
from runtime.logs import configure_logs
from runtime.submit import Jobs

_PRODUCT = {
    "product_name": "Ember Travel Mug",
    "cta_text": "Get yours",
    "description": "A double-walled steel mug that keeps coffee hot for six hours.",
    "benefits": ["Hot for six hours", "Never leaks in your bag", "Fits every cup holder"],
    "price": "$29",
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--style", default="minimal")
    wanted = parser.parse_args()
    configure_logs(load_settings(log_level="warning"))
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        with EmbeddedRedis(home / "valkey") as redis:
            rows = _measure(home, redis.url, wanted.runs, wanted.style)
    print(f"{'':44}{'median':>9}{'limit':>9}")
    for label, values, limit in rows:
        shown = f"{limit:>9}" if limit is not None else ""
        print(f"{label:44}{statistics.median(values):>9.2f}{shown}")


def _measure(home: Path, redis_url: str, runs: int, style: str) -> list[tuple[str, Any, Any]]:
    env = child_environment(
        REDIS_URL=redis_url,
        DATABASE_URL=f"sqlite:///{home / 'bench.db'}",
        ARTIFACT_URL=(home / "artifacts").as_uri(),
        SCRIPT_PROVIDER="template",
        VOICE_PROVIDER="piper",
        VIDEO_PROVIDER="motion",
        COMPOSITOR="ffmpeg",
        WORKER_LOG_FORMAT="json",
    )
    database = Database(env["DATABASE_URL"])
    database.init()
    client = connect(redis_url)
    starts = [_start(env, client, home)[1] for _ in range(runs)]
    worker, _ = _start(env, client, home, keep=True)
    time.sleep(1)
    idle_mb = resident_mb(worker.pid)
    jobs = Jobs(database, client, final_ttl_s=3600)
    results = []
    with MemoryWatch(worker.pid) as memory:
        for seed in range(runs):
            job_id = f"bench-{seed}"
            began = time.monotonic()
            jobs.submit({**_PRODUCT, "id": job_id, "style": style, "seed": seed})
            while (record := database.jobs.get(job_id)) is None or record.result is None:
                if record is not None and record.state == "failed":
                    sys.exit(f"the job failed: {record.error}")
                time.sleep(0.05)
            results.append((time.monotonic() - began, record.result))
    worker.terminate()
    worker.wait()
    database.close()
    lengths = [result["duration_s"] for _, result in results]
    encodes = [_encode_again(home, result) for _, result in results]

    def seconds(*stages: str) -> list[float]:
        return [sum(result["stages"][s]["seconds"] for s in stages) for _, result in results]

    def ratio(values: list[float], to: list[float]) -> list[float]:
        return [a / b for a, b in zip(values, to, strict=True)]

    making = seconds("video_gen", "compositing")
    return [
        ("worker start to first BLPOP, s", starts, 1.0),
        ("idle worker, MB", [idle_mb], 80),
        ("working worker, MB", [memory.own_mb], 150),
        *(
            (f"  child {name}, MB", [peak], 512)
            for name, peak in sorted(memory.children_mb.items())
        ),
        ("length of the video, s", lengths, None),
        ("submit to finished, s", [took for took, _ in results], 60),
        ("  script_gen, s", seconds("script_gen"), None),
        ("  voice_gen, s", seconds("voice_gen"), None),
        ("  video_gen, s", seconds("video_gen"), None),
        ("  compositing, s", seconds("compositing"), None),
        ("compositing / length", ratio(seconds("compositing"), lengths), 1.0),
        ("plain re-encode of the same file, s", encodes, None),
        ("(video_gen + compositing) / re-encode", ratio(making, encodes), None),
    ]


def _start(
    env: dict[str, str], client: Any, home: Path, *, keep: bool = False
) -> tuple[subprocess.Popen[bytes], float]:
    """Start a worker; returns it and the seconds until it waits in BLPOP."""
    began = time.monotonic()
    with (home / "worker.log").open("ab") as log:
        worker = subprocess.Popen(
            [sys.executable, str(ROOT / "worker.py"), "bench"], env=env, stdout=log, stderr=log
        )
    while not any(entry["cmd"] == "blpop" for entry in client.client_list()):
        if worker.poll() is not None:
            sys.exit((home / "worker.log").read_text())
        time.sleep(0.005)
    took = time.monotonic() - began
    if not keep:
        worker.terminate()
        worker.wait()
    return worker, took


def _encode_again(home: Path, result: dict[str, Any]) -> float:
    """Decode the finished video and encode it with the same settings: the floor for any ad."""
    settings = load_settings(artifact_url=(home / "artifacts").as_uri())
    video = home / "video.mp4"
    ObjectStorage(settings.artifact_url).fetch(Artifact(**result["artifacts"]["video.mp4"]), video)
    command = [tools_of(settings).ffmpeg, "-y", "-loglevel", "error", "-i", str(video)]
    command += [*video_args(30), "-c:a", "copy", str(home / "again.mp4")]
    began = time.monotonic()
    subprocess.run(command, check=True)
    return time.monotonic() - began


if __name__ == "__main__":
    main()
