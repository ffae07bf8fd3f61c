"""Removing what nobody needs any more."""

from __future__ import annotations

import shutil
import time
from datetime import timedelta
from pathlib import Path

from background.context import current_job
from background.job import BackgroundJob
from background.services import services
from store.records import utc_now

#: A work folder that nobody has written to for so long was a dead worker's.
_WORK_FOLDER_S = 86_400.0
#: An idempotency key is kept for so long after its job's end.
_KEY_DAYS = 30


class CleanTemp(BackgroundJob):
    """Of this host and of the record: what time has run out for."""

    kind = "system.clean_temp"
    queue = "low"
    cron_schedule = "30 * * * *"
    cron_missed = "skip"

    @classmethod
    def perform(cls) -> dict[str, int]:
        """How many results were forgotten, and work folders removed."""
        from pipeline.assembly import tools_of

        found = services()
        results = found.database.items.drop_results(utc_now())
        return {"results": results, "folders": _old_folders(tools_of(found.settings).work_root)}


class CleanUp(BackgroundJob):
    """Stale idempotency keys, and artefacts older than ARTIFACT_TTL_DAYS."""

    kind = "system.clean_up"
    queue = "low"
    timeout_s = 3600
    cron_schedule = "0 2 * * 0"

    @classmethod
    def perform(cls) -> dict[str, int]:
        """How many keys, locks and files went."""
        from pipeline.storage import ObjectStorage
        from runtime.retention import sweep

        found, now = services(), utc_now()
        told = {
            "keys": found.database.items.drop_keys(now - timedelta(days=_KEY_DAYS)),
            "uniques": found.database.groups.drop_uniques(now),
            "artifacts": 0,
        }
        current_job().check()
        if found.settings.artifact_ttl_days:
            storage = ObjectStorage(found.settings.artifact_url)
            days = found.settings.artifact_ttl_days
            told["artifacts"] = sweep(found.database.retention, storage, ttl_days=days)
        return told


def _old_folders(root: Path) -> int:
    if not root.is_dir():
        return 0
    before, removed = time.time() - _WORK_FOLDER_S, 0
    for folder in root.iterdir():
        current_job().check()
        if folder.is_dir() and not folder.is_symlink() and _last_write(folder) < before:
            shutil.rmtree(folder, ignore_errors=True)
            removed += 1
    return removed


def _last_write(folder: Path) -> float:
    """When anything in it was written last; a file that vanishes meanwhile was just removed."""
    times = [folder.stat().st_mtime]
    for path in folder.rglob("*"):
        try:
            times.append(path.stat().st_mtime)
        except FileNotFoundError:
            times.append(time.time())
    return max(times)
