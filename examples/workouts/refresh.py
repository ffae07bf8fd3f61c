"""Refresh all exercises by hand: `python -m examples.workouts.refresh`.

The same class, keys and retries as the hourly job, without a queue. Exit codes: 0 all are fresh;
1 some could not be refreshed; 69 the cache or the API does not answer; 78 wrong settings.
"""

from __future__ import annotations

import random
import sys
import time
import uuid
from collections.abc import Callable

from background.services import Services, use_services
from config import EXIT_UNAVAILABLE, exit_code_of
from database import Database
from errors import ConfigError, QueueUnavailable, WorkerError
from examples.workouts.settings import load_workouts, worker_settings
from jobs.retry import Retry, RetryPolicy, decide
from redis_queue.connection import connect
from runtime.logs import configure_logs


def main(sleep: Callable[[float], None] = time.sleep) -> int:
    """Pass after pass until all are fresh or the retries are used up; returns the exit code."""
    try:
        own = load_workouts()
        settings = worker_settings(own)
    except ConfigError as error:
        return exit_code_of(error)
    configure_logs(settings)
    # Nothing here enqueues or records: both connect on first use, which does not come.
    client = connect(settings.redis_url.get_secret_value(), name="refresh")
    use_services(Services(settings, Database(settings.database_url.get_secret_value()), client))
    from examples.workouts.jobs import refresher

    policy = RetryPolicy(base_s=own.refresh.retry_delay, max_failures=own.refresh.max_retries)
    made = refresher(holder=f"by hand {uuid.uuid4().hex}")
    failures = 0
    while True:
        try:
            report = made.one_pass()
            print(*(f"{name}={count}" for name, count in report.counts().items()))
            report.raise_for_failures()
            return 0
        except QueueUnavailable as error:
            print(f"the cache does not answer ({error})", file=sys.stderr)
            return EXIT_UNAVAILABLE
        except WorkerError as error:
            failures += 1
            decision = decide(error, failures, policy, random.Random())
            print(error, file=sys.stderr)
            if not isinstance(decision, Retry):
                return 1
            sleep(decision.delay_s)


if __name__ == "__main__":
    sys.exit(main())
