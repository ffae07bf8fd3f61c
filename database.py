"""The record as callers see it: `from database import init_db; init_db()`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING

from config import settings
from store.batches import BatchStore
from store.calls import CallStore
from store.deliveries import DeliveryStore
from store.engine import open_engine, translated
from store.groups import JobGroups
from store.items import ItemStore
from store.jobs import JobStore
from store.listing import JobListing
from store.migrate import migrate
from store.retention import RetentionStore
from store.schedules import ScheduleStore
from store.stage_runs import StageStore

if TYPE_CHECKING:
    from sqlalchemy import Engine
    from sqlalchemy.orm import Session


class Database:
    """One engine and the repositories over it. Opens no connection until the first query."""

    def __init__(self, url: str) -> None:
        self.engine: Engine = open_engine(url)
        self.jobs = JobStore(self.engine)
        self.stages = StageStore(self.engine)
        self.calls = CallStore(self.engine)
        self.groups = JobGroups(self.engine)
        self.batches = BatchStore(self.engine)
        self.items = ItemStore(self.engine)
        self.schedules = ScheduleStore(self.engine)
        self.deliveries = DeliveryStore(self.engine)
        self.listing = JobListing(self.engine)
        self.retention = RetentionStore(self.engine)

    def init(self) -> None:
        """Bring the schema up to date. Safe to call again, and from many processes at once."""
        migrate(self.engine)

    def close(self) -> None:
        """Close every pooled connection."""
        self.engine.dispose()


@lru_cache(maxsize=1)
def database() -> Database:
    """The process's database, as `DATABASE_URL` names it."""
    return Database(settings().database_url.get_secret_value())


def init_db() -> None:
    """Create or upgrade the schema of `DATABASE_URL`. Raises StoreUnavailable."""
    database().init()


@contextmanager
def session() -> Iterator[Session]:
    """A session over the same database, committed at the end, for callers' own queries."""
    from sqlalchemy.orm import Session

    with translated(), Session(database().engine) as opened, opened.begin():
        yield opened
