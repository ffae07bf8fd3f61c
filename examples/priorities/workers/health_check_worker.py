"""Is the application's backend well?"""

from __future__ import annotations

from typing import Any

import httpx

from examples.priorities.logger import Logger
from examples.priorities.settings import PrioritySettings
from examples.priorities.worker import Worker

_TIMEOUT_S = 3.0


class HealthCheckWorker(Worker):
    """Asks WORKER_HEALTH_CHECK_URL every ten minutes, and logs the answer. Never fails itself."""

    queue = "default"
    max_retries = 1
    cron_schedule = "*/10 * * * *"
    # An answer about ten minutes ago is of no use to anybody.
    cron_missed = "skip"

    @classmethod
    def perform(cls, *args: Any, **kwargs: Any) -> None:
        """Whatever it is called with is ignored, so that anything may trigger it."""
        try:
            url = PrioritySettings().health_check_url
            # The backend is a neighbour: no proxy stands between.
            answer = httpx.get(url, timeout=_TIMEOUT_S, trust_env=False)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            Logger.error(message=f"Backend is unhealthy: {type(error).__name__}")
            return
        if answer.status_code == httpx.codes.OK:
            Logger.info(message="Backend is healthy")
        else:
            Logger.error(message=f"Backend is unhealthy: status {answer.status_code}")
