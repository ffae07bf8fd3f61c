"""`./run_worker.sh demo`: one finished video from nothing, with nothing installed and no key."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from commands import payload_options as options
from commands.connections import Servers, open_servers
from commands.output import say, say_error, screen
from commands.stack import EMBEDDED_PROVIDERS
from commands.watching import follow
from config import ROOT, VAR, Settings, child_environment, load_settings
from pipeline.ports import Artifact
from pipeline.storage import ObjectStorage
from runtime.embedded import BusyError, EmbeddedRedis
from store.records import JobRecord

#: What the demo advertises when no product is named.
_PRODUCT = {
    "product_name": "Ember Travel Mug",
    "style": "minimal",
    "cta_text": "Get yours",
    "description": "A double-walled steel mug for the road.",
    "benefits": ["Hot for six hours", "Never leaks in your bag", "Fits every cup holder"],
    "price": "$29",
    "cta_url": "ember-mug.example",
}
_PICTURE = ROOT / "examples" / "products" / "ember-mug.png"
_STOP_S = 5


@options.with_ad_flags
def demo(
    ad: options.AdFlags,
    out: Annotated[Path, typer.Option(help="Where the files go.")] = ROOT / "out" / "demo",
    live: Annotated[
        bool, typer.Option("--live", help="Use the servers and providers that are configured.")
    ] = False,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Make everything anew, even what was made before.")
    ] = False,
) -> None:
    """Make one video and print its path, last."""
    given = ad.payload(f"demo-{uuid.uuid4().hex[:12]}")
    # A product of one's own has nothing of the sample's but the style and the button.
    sample = _PRODUCT if ad.product_name is None else {"cta_text": "Shop now"}
    pictures = ad.image or ([str(_PICTURE)] if ad.product_name is None else [])
    with _servers(live=live, fresh=fresh) as found:
        folder = Path(found.settings.image_folders[0])
        payload = {**sample, **given, "images": options.upload(pictures, folder)}
        if ad.logo is not None:
            payload["logo"] = options.upload_logo(ad.logo, folder)
        record, log_file = _make(found, payload, live=live)
    if record.state != "completed":
        say_error(
            f"the video was not made: {record.error or 'the worker stopped'}",
            f"the worker's log is {log_file}",
        )
        raise typer.Exit(1)
    for path in _deliver(found.settings, record, out):
        say(str(path))


@contextlib.contextmanager
def _servers(*, live: bool, fresh: bool) -> Iterator[Servers]:
    """The demo's own parts under var/, or with `live` what the environment names."""
    if live:
        yield open_servers(load_settings())
        return
    home = VAR / "demo"
    if fresh:
        shutil.rmtree(home, ignore_errors=True)
    with contextlib.ExitStack() as stack:
        try:
            redis = stack.enter_context(EmbeddedRedis(home / "valkey"))
        except BusyError:
            # Another demo runs: this one gets parts of its own, gone afterwards.
            home = VAR / f"demo-{uuid.uuid4().hex[:8]}"
            stack.callback(shutil.rmtree, home, ignore_errors=True)
            redis = stack.enter_context(EmbeddedRedis(home / "valkey"))
        yield open_servers(
            load_settings(
                redis_url=redis.url,
                database_url=f"sqlite:///{home / 'demo.db'}",
                artifact_url=(VAR / "artifacts").as_uri(),
                image_folders=(str(VAR / "uploads"),),
                script_provider="template",
                voice_provider="piper",
                video_provider="motion",
                compositor="ffmpeg",
            )
        )


def _make(found: Servers, payload: dict[str, Any], *, live: bool) -> tuple[JobRecord, Path]:
    """Submit, run one worker beside us, watch; returns the job's final record."""
    log_file = VAR / "demo.log"
    log_file.parent.mkdir(parents=True, exist_ok=True)
    with log_file.open("ab") as log:
        worker = subprocess.Popen(
            [sys.executable, str(ROOT / "worker.py"), "demo"],
            env=_environment(found.settings, live=live),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            process_group=0,
        )
    try:
        done = found.jobs.submit(payload)
        screen.print(f"{payload['product_name']}: a video ad", markup=False)
        follow(found, done.job_id, alive=lambda: worker.poll() is None)
        record = found.database.jobs.get(done.job_id)
        assert record is not None  # submit committed it
        return record, log_file
    finally:
        worker.terminate()
        try:
            worker.wait(timeout=_STOP_S)
        except subprocess.TimeoutExpired:
            worker.kill()
            worker.wait()


def _environment(settings: Settings, *, live: bool) -> dict[str, str]:
    if live:
        return child_environment()
    return child_environment(
        REDIS_URL=settings.redis_url.get_secret_value(),
        DATABASE_URL=settings.database_url.get_secret_value(),
        ARTIFACT_URL=settings.artifact_url,
        IMAGE_FOLDERS=",".join(settings.image_folders),
        WORKER_LOG_FORMAT="json",
        WORKER_CRON="false",
        WORKER_QUEUES="video-high,video,video-low",
        **EMBEDDED_PROVIDERS,
    )


def _deliver(settings: Settings, record: JobRecord, out: Path) -> list[Path]:
    """Copy the published files to `out`; the video's path comes last."""
    assert record.result is not None
    storage = ObjectStorage(settings.artifact_url)
    out.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, fields in record.result["artifacts"].items():
        storage.fetch(Artifact(**fields), out / name)
        paths.append(out / name)
    return sorted(paths, key=lambda path: (path.suffix == ".mp4", path.stem == "video", path.name))
