"""The application's kinds of jobs: WORKER_BACKGROUND_MODULES=examples.workouts.jobs."""

from __future__ import annotations

from functools import lru_cache
from itertools import product
from typing import Any

import structlog

from background import BackgroundJob, current_job
from background.services import services
from examples.workouts.clients import AiCoach, Combination, WorkoutApi
from examples.workouts.idempotency import IdempotencyKeys
from examples.workouts.refresher import ExerciseRefresher
from examples.workouts.settings import workouts

MUSCLE_GROUPS = ("chest", "back", "shoulders", "legs", "biceps", "triceps", "core")
EQUIPMENT = ("barbell+dumbbells", "bodyweight", "cables", "machines", "kettlebells+bands")
DURATIONS_MIN = (30, 45, 60, 90)

#: A key that lives shorter than this is as good as gone, in s.
_SHORT_TTL_S = 60

log = structlog.get_logger()
_own = workouts()


def rate_of(delay_s: float) -> str:
    """A rate with so many seconds from one start to the next on average, such as "2/second"."""
    if delay_s <= 1:
        return f"{max(1, int(1 / delay_s))}/second"
    return f"1/{-int(-delay_s // 1)} second"


class RefreshExercises(BackgroundJob):
    """Every hour: have the API bring all exercises up to date.

    Tried again for as long as some could not be; a try finds the others done.
    """

    kind = "refresh_exercises"
    max_retries = _own.refresh.max_retries
    retry_delay_s = _own.refresh.retry_delay
    cron_schedule = _own.schedule.refresh_cron
    cron_timezone = "UTC"
    cron_missed = "once"

    @classmethod
    def perform(cls) -> dict[str, int]:
        """How many there are, and how many were refreshed, skipped and failed."""
        job = current_job()
        report = refresher(holder=job.id).one_pass()
        job.progress(report.refreshed + report.skipped, report.total, failed=report.failed)
        log.info("exercises_refreshed", **report.counts())
        report.raise_for_failures()
        return report.counts()


class WarmUpAiCache(BackgroundJob):
    """Daily: have the AI coach prepare what is asked for most."""

    kind = "warmup_ai_cache"
    queue = "low"
    cron_schedule = _own.schedule.warmup_cron
    cron_timezone = "UTC"
    cron_missed = "skip"

    @classmethod
    def perform(cls) -> dict[str, int]:
        """Queue a job for each combination, spread out as their rate allows."""
        wanted = combinations()
        for number, each in enumerate(wanted):
            # A second run of this, after a crash, finds the first one's jobs: they are unique.
            WarmUpRecommendation.perform_in(number * _own.warmup.delay, **vars(each))
        log.info("warm_up_queued", combinations=len(wanted))
        return {"queued": len(wanted)}


class WarmUpRecommendation(BackgroundJob):
    """One combination. A job each, since the coach may take its time: each has its own retries."""

    kind = "warmup_recommendation"
    queue = "low"
    rate_limit = rate_of(_own.warmup.delay)
    unique_for_s = 3600.0

    @classmethod
    def perform(cls, muscle_group: str, equipment: str, duration_minutes: int) -> dict[str, Any]:
        """Whether the coach had it already."""
        answer = coach().recommend(Combination(muscle_group, equipment, duration_minutes))
        return {"cached": bool(answer.get("cached"))}


class CleanUpStaleData(BackgroundJob):
    """Weekly: idempotency keys that would stay for ever, or are as good as gone."""

    kind = "cleanup_stale_data"
    queue = "low"
    cron_schedule = _own.schedule.cleanup_cron
    cron_timezone = "UTC"
    cron_missed = "once"

    @classmethod
    def perform(cls) -> dict[str, int]:
        """How many keys were looked at, and how many went for which reason."""
        swept = IdempotencyKeys(services().cache).sweep(_SHORT_TTL_S, current_job().check)
        log.info("idempotency_keys_swept", **swept._asdict())
        return swept._asdict()


def combinations() -> list[Combination]:
    """Every muscle group with every equipment and duration."""
    return [Combination(*each) for each in product(MUSCLE_GROUPS, EQUIPMENT, DURATIONS_MIN)]


def refresher(*, holder: str) -> ExerciseRefresher:
    """As the settings have it."""
    return ExerciseRefresher(
        api(),
        IdempotencyKeys(services().cache),
        concurrency=_own.refresh.concurrency,
        ttl_s=_own.refresh.idempotency_ttl,
        holder=holder,
        hold_s=_own.worker.job_timeout,
    )


@lru_cache(maxsize=1)
def api() -> WorkoutApi:
    """The process's client, made on first use."""
    return WorkoutApi(_own.api_client.workout_api_url, _own.api_client.timeout)


@lru_cache(maxsize=1)
def coach() -> AiCoach:
    """The same for the AI coach."""
    return AiCoach(_own.api_client.ai_coach_url, _own.api_client.timeout)
