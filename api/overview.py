"""The last 24 hours at a glance, made of the rows of all jobs that ended in them."""

from __future__ import annotations

import statistics
import threading
import time
from collections import defaultdict
from datetime import timedelta

from api.models import Bucket, Overview
from database import Database
from jobs.work import VIDEO
from store.records import utc_now

_HOURS_SHOWN = 24
_BUCKET_S = 3600
#: However many look, making it takes at most this part of one core.
_SHARE = 0.1
_KEPT_MOST_S = 2.0


class Overviews:
    """By tenant; each is shared by all who ask while it is fresh. Safe in threads."""

    def __init__(self) -> None:
        self._kept: dict[str | None, tuple[float, Overview]] = {}
        self._making: defaultdict[str | None, threading.Lock] = defaultdict(threading.Lock)

    def of(self, database: Database, tenant: str | None) -> Overview:
        """As of now, or of as short a moment ago as keeps to its share. Raises StoreUnavailable."""
        with self._making[tenant]:
            until, found = self._kept.get(tenant, (0.0, None))
            began = time.monotonic()
            if found is None or began >= until:
                found = overview(database, tenant)
                ended = time.monotonic()
                kept_s = min(_KEPT_MOST_S, (ended - began) / _SHARE)
                self._kept[tenant] = (ended + kept_s, found)
            return found


def overview(database: Database, tenant: str | None) -> Overview:
    """Of one tenant's jobs, of all for None. Raises StoreUnavailable."""
    now = utc_now()
    since = now - timedelta(hours=_HOURS_SHOWN)
    ended = database.listing.ended_since(since, tenant)
    # The pace is that of videos: a background job may take a moment or a day.
    done = [job for job in ended if job.state == "completed" and job.kind == VIDEO]
    took = sorted(
        (job.finished_at - (job.started_at or job.created_at)).total_seconds() for job in done
    )
    waits = [(job.started_at - job.created_at).total_seconds() for job in done if job.started_at]
    counts = {"completed": [0] * _HOURS_SHOWN, "failed": [0] * _HOURS_SHOWN}
    for job in ended:
        place = int((job.finished_at - since).total_seconds() // _BUCKET_S)
        if job.state in counts:
            counts[job.state][min(place, _HOURS_SHOWN - 1)] += 1
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    spent = database.calls.costs("day", since=today, tenant=tenant)
    return Overview(
        states=database.listing.by_state(tenant),
        buckets=[
            Bucket(
                start=since + timedelta(seconds=_BUCKET_S * place),
                completed=counts["completed"][place],
                failed=counts["failed"][place],
            )
            for place in range(_HOURS_SHOWN)
        ],
        bucket_s=_BUCKET_S,
        completed=sum(counts["completed"]),
        failed=sum(counts["failed"]),
        seconds_median=round(statistics.median(took), 3) if took else None,
        seconds_p95=round(took[min(len(took) - 1, int(len(took) * 0.95))], 3) if took else None,
        wait_median_s=round(statistics.median(waits), 3) if waits else None,
        cost_today_microusd=sum(row["spent_microusd"] for row in spent),
        in_doubt_microusd=sum(row["doubtful_microusd"] for row in spent),
    )
