"""The fleet's metrics, asked of Redis and the database at each scrape; nothing is counted here.

Names end in the unit; a worker's own metrics (runtime/metrics.py) tell of stages and providers.
"""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from api.shop import Shop
from redis_queue import presence, waiting
from store.records import utc_now


class _Fleet(Collector):
    """One scrape's answers."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop

    def collect(self) -> Iterator[Metric]:
        shop = self._shop
        depth = GaugeMetricFamily("video_queue_depth", "Waiting jobs.", labels=["queue"])
        for name, waits in waiting.depths(shop.client).items():
            depth.add_metric([name], waits)
        yield depth
        counts = waiting.counts(shop.client)
        yield GaugeMetricFamily("video_leases", "Jobs held by a worker.", counts["running"])
        yield GaugeMetricFamily(
            "video_scheduled", "Jobs that wait for a time.", counts["scheduled"]
        )
        oldest = shop.database.listing.oldest_waiting()
        age_s = (utc_now() - oldest).total_seconds() if oldest else 0.0
        yield GaugeMetricFamily(
            "video_oldest_waiting_seconds", "Age of the job that waits longest.", age_s
        )
        jobs = GaugeMetricFamily("video_jobs", "Jobs on record, by state.", labels=["state"])
        for state, number in shop.database.listing.by_state().items():
            jobs.add_metric([state], number)
        yield jobs
        unknown = GaugeMetricFamily(
            "video_unknown_kind_jobs", "Waiting jobs that no module here defines.", labels=["kind"]
        )
        known = [kind.name for kind in shop.registry.all()]
        for kind, number in shop.database.groups.unknown_kinds(known).items():
            unknown.add_metric([kind], number)
        yield unknown
        states = {"idle": 0, "working": 0}
        for row in presence.workers(shop.client):
            state = row.get("state") or ("working" if row.get("current_job") else "idle")
            states[state] = states.get(state, 0) + 1
        workers = GaugeMetricFamily("video_workers", "Living workers, by state.", labels=["state"])
        for state, number in states.items():
            workers.add_metric([state], number)
        yield workers
        midnight = utc_now().replace(hour=0, minute=0, second=0, microsecond=0)
        spent = GaugeMetricFamily(
            "video_spent_today_dollars", "Spent since midnight UTC.", labels=["provider"]
        )
        for row in shop.database.calls.costs("provider", since=midnight):
            spent.add_metric([row["provider"]], int(row["spent_microusd"]) / 1e6)
        yield spent


def exposition(shop: Shop) -> tuple[bytes, str]:
    """The metrics as text, and its content type. Raises QueueUnavailable, StoreUnavailable."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Described(_Fleet(shop)))
    return generate_latest(registry), CONTENT_TYPE_LATEST


class _Described(Collector):
    """Registering asks a collector what it has; this one is asked when it is scraped only."""

    def __init__(self, fleet: _Fleet) -> None:
        self._fleet = fleet

    def describe(self) -> list[Metric]:
        return []

    def collect(self) -> Iterator[Metric]:
        return self._fleet.collect()
