"""Callbacks and reminders that are due."""

from __future__ import annotations

from datetime import timedelta

from background.context import current_job
from background.job import BackgroundJob
from background.services import services
from store.records import utc_now

#: Reminders that one run queues at most.
_MOST = 200
#: A dead letter older than this is history, and not reminded of.
_FORGOTTEN = timedelta(days=7)


class SendDue(BackgroundJob):
    """Workers send callbacks by themselves, within seconds; this also catches what they miss,
    and reminds once of each dead letter that nobody has replayed for REMINDER_AFTER_HOURS."""

    kind = "system.send_due"
    timeout_s = 600
    cron_schedule = "*/15 * * * *"
    cron_missed = "skip"

    @classmethod
    def perform(cls) -> dict[str, int]:
        """How many reminders were queued, and callbacks tried."""
        from pipeline.public_http import PublicHttp
        from pipeline.storage import ObjectStorage
        from runtime.callbacks import Callbacks

        found, now = services(), utc_now()
        settings = found.settings
        if settings.webhook_secret is None:
            return {"reminders": 0, "callbacks": 0}
        reminders = 0
        if settings.reminder_after_hours:
            latest = now - timedelta(hours=settings.reminder_after_hours)
            deliveries = found.database.deliveries
            reminders = deliveries.remind(latest - _FORGOTTEN, latest, _MOST)
        callbacks = Callbacks(
            found.database,
            ObjectStorage(settings.artifact_url),
            PublicHttp(settings.fetch_trusted_hosts),
            settings.webhook_secret.get_secret_value(),
            settings.webhook_retry_base_s,
        )
        tried = 0
        while sent := callbacks.round():
            tried += sent
            current_job().check()
        return {"reminders": reminders, "callbacks": tried}
