"""The base of this application's workers."""

from __future__ import annotations

from background import BackgroundJob


class Worker(BackgroundJob):
    """A background job under the name that this application's people know it by.

    `queue` ("default"), `max_retries` (3), `retry_backoff` (True), `retry_backoff_max` (600 s) and
    `cron_schedule` (None) are class attributes, `perform` is a classmethod; `perform_async`,
    `perform_at` and `perform_in` enqueue it, and return a handle with its `id`.
    """
