"""Looking after the system that everything runs on."""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from pathlib import Path
from typing import Any

import structlog

from background.services import services
from config import VAR
from errors import PermanentError, QueueUnavailable, StoreUnavailable
from redis_queue.connection import translated
from store.records import utc_now

#: Below this much free space, in MB, queues and databases soon fail.
_LEAST_FREE_MB = 100
TEMP_FOLDER = VAR / "stack-tmp"

log = structlog.get_logger()


async def system_health_check() -> dict[str, Any]:
    """Redis, the database, the disk. Raises PermanentError that names what is not well."""
    found = services()
    redis_ms, database_ms = await asyncio.gather(
        asyncio.to_thread(_timed, _ping_redis), asyncio.to_thread(_timed, _ping_database)
    )
    free_mb = shutil.disk_usage(VAR.parent).free // 1_000_000
    told: dict[str, Any] = {
        "status": "completed",
        "timestamp": utc_now().isoformat(),
        "task": "system_health_check",
        "redis_ms": redis_ms,
        "database_ms": database_ms,
        "disk_free_mb": free_mb,
        "load": round(os.getloadavg()[0], 2),
        "queues": list(found.settings.queues),
    }
    ill = [name for name in ("redis_ms", "database_ms") if told[name] is None]
    ill += ["disk_free_mb"] if free_mb < _LEAST_FREE_MB else []
    log.info("system_health_checked", ill=ill, redis_ms=redis_ms, database_ms=database_ms)
    if ill:
        raise PermanentError(f"not well: {', '.join(ill)}")
    return told


async def cleanup_temp_files(folder: str | None = None, older_than_h: float = 24) -> dict[str, Any]:
    """Remove files below a folder that nobody has written to lately; folders stay.

    Harmless to repeat, and beside a second run: a file that is gone already counts for nobody.
    """
    root = Path(folder) if folder else TEMP_FOLDER
    before = time.time() - older_than_h * 3600
    files, freed = await asyncio.to_thread(_remove, root, before)
    log.info("temp_files_cleaned", files=files, bytes=freed)
    return {
        "status": "completed",
        "timestamp": utc_now().isoformat(),
        "task": "cleanup_temp_files",
        "files": files,
        "bytes": freed,
    }


def _remove(root: Path, before: float) -> tuple[int, int]:
    files = freed = 0
    for path in root.rglob("*"):
        try:
            # Never through a link: what it leads to is not temporary.
            found = path.lstat()
            if not path.is_symlink() and path.is_file() and found.st_mtime < before:
                path.unlink()
                files, freed = files + 1, freed + found.st_size
        except FileNotFoundError:
            continue
    return files, freed


def _timed(ping: Any) -> float | None:
    began = time.monotonic()
    try:
        ping()
    except (QueueUnavailable, StoreUnavailable):
        return None
    return round((time.monotonic() - began) * 1000, 2)


def _ping_redis() -> None:
    with translated():
        services().client.ping()


def _ping_database() -> None:
    services().database.jobs.ping()
