"""A worker's own metrics, for Prometheus. Imported only where WORKER_HEALTH_PORT is set.

Every worker serves its own; sums over workers are the monitoring's business. Names end in
the unit, labels have few values: stages, providers, states, queues, classes of errors.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector

from jobs.states import FINAL
from runtime.meter import Meter
from store.records import JobRecord

#: From a found file to the longest deadline of a stage, in s.
_STAGE_S = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 60, 120, 300, 900)
_JOB_S = (0.1, 0.5, 1, 2.5, 5, 10, 20, 40, 60, 120, 300, 900, 3600)
_WAIT_S = (0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 14_400)
_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


class WorkerMetrics(Meter):
    """Counts what one worker does. One job at a time, so the stage in hand is remembered."""

    def __init__(
        self,
        *,
        busy: Callable[[], bool],
        rss_bytes: Callable[[], float],
        breakers: Callable[[], Mapping[str, bool]],
    ) -> None:
        own = self._registry = CollectorRegistry()
        self._stage_s = Histogram(
            "video_stage_seconds",
            "One try of a stage, from its begin to its checkpoint or its failure.",
            ["stage", "provider", "outcome"],
            registry=own,
            buckets=_STAGE_S,
        )
        self._job_s = Histogram(
            "video_job_seconds",
            "A job from its first start to its end.",
            ["outcome"],
            registry=own,
            buckets=_JOB_S,
        )
        self._wait_s = Histogram(
            "video_wait_seconds",
            "A job in its queue, from when it was put there to its start.",
            ["queue"],
            registry=own,
            buckets=_WAIT_S,
        )
        self._failures = Counter(
            "video_stage_failures_total",
            "Failed tries of stages, by class of error.",
            ["stage", "provider", "reason"],
            registry=own,
        )
        self._retries = Counter(
            "video_retries_total", "Tries that followed a failure.", ["stage"], registry=own
        )
        self._reused = Counter(
            "video_stage_reused_total",
            "Stages that a finished run served.",
            ["stage"],
            registry=own,
        )
        self._cost = Counter(
            "video_cost_microdollars_total",
            "What paid calls cost, those in doubt by their estimate.",
            ["provider"],
            registry=own,
        )
        busy_gauge = Gauge("video_worker_busy", "1 while a job is in hand.", registry=own)
        busy_gauge.set_function(lambda: float(busy()))
        rss = Gauge("video_worker_rss_bytes", "Resident memory of the worker alone.", registry=own)
        rss.set_function(rss_bytes)
        own.register(_Breakers(breakers))
        self._provider = ""
        self._began = time.monotonic()

    def text(self) -> bytes:
        """See Meter."""
        return generate_latest(self._registry)

    def stage_started(self, stage: str, provider: str, attempt: int) -> None:
        """See Observer."""
        # A stage's provider is name/version; the name alone is what costs and breakers go by.
        self._provider, self._began = provider.partition("/")[0], time.monotonic()

    def stage_completed(self, stage: str, seconds: float) -> None:
        """See Observer."""
        self._stage_s.labels(stage, self._provider, "completed").observe(seconds)

    def stage_reused(self, stage: str) -> None:
        """See Observer."""
        self._reused.labels(stage).inc()

    def stage_failed(self, stage: str, error: BaseException, failures: int) -> None:
        """See Observer."""
        took_s = time.monotonic() - self._began
        self._stage_s.labels(stage, self._provider, "failed").observe(took_s)
        self._failures.labels(stage, self._provider, reason_of(error)).inc()

    def retry_scheduled(self, stage: str, delay_s: float, failures: int, error: str) -> None:
        """See Observer."""
        self._retries.labels(stage).inc()

    def job_started(self, record: JobRecord, waited_s: float) -> None:
        """See Meter. One that was handed back keeps its place, and its time was not all wait."""
        if not record.interruptions and not record.crashes:
            self._wait_s.labels(record.queue).observe(waited_s)

    def job_settled(self, record: JobRecord) -> None:
        """See Meter. A parked or interrupted job has not ended."""
        if record.state in FINAL and record.started_at and record.finished_at:
            took = record.finished_at - record.started_at
            self._job_s.labels(record.state.value).observe(took.total_seconds())

    def spent(self, provider: str, microdollars: int) -> None:
        """See Meter."""
        self._cost.labels(provider).inc(microdollars)


class _Breakers(Collector):
    """Asked at each scrape, because every worker may open or close a shared breaker."""

    def __init__(self, states: Callable[[], Mapping[str, bool]]) -> None:
        self._states = states

    def describe(self) -> list[GaugeMetricFamily]:
        return [self._family()]

    def collect(self) -> list[GaugeMetricFamily]:
        family = self._family()
        for provider, is_open in self._states().items():
            family.add_metric([provider], float(is_open))
        return [family]

    def _family(self) -> GaugeMetricFamily:
        return GaugeMetricFamily(
            "video_breaker_open",
            "1 while a provider that this worker has asked is left alone.",
            labels=["provider"],
        )


def reason_of(error: BaseException) -> str:
    """The class of an error as a label's value: ProviderUnavailable is provider_unavailable."""
    return _WORD.sub("_", type(error).__name__).lower()
