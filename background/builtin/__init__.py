"""This project's own background jobs. Importing this registers them; what each needs is
imported when it runs, so that an idle worker stays small.

| kind | when | what |
|---|---|---|
| system.health_check | every ten minutes | fails if Redis, database or storage do not answer |
| system.send_due | every 15 minutes | callbacks that are due, and reminders of dead letters |
| system.refresh_catalog | every hour | the providers' voices and models |
| system.clean_temp | every hour | results whose time is over, work folders of dead workers |
| system.warm_up | daily at 6 | scripts and voices of the jobs that WARM_UP_FILE lists |
| system.clean_up | Sundays at 2 | stale idempotency keys, old artefacts |

Times are in WORKER_CRON_TIMEZONE. Each can be paused: `cli.py schedule pause system.warm_up`.
"""

from background.builtin import clean, health, load_test, send_due, warm_up

__all__ = ["clean", "health", "load_test", "send_due", "warm_up"]
