"""What jobs of this project work on: the worker's own settings and servers while one runs.

Outside a worker (a script, a shell) they are those of the process's settings.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from config import Settings, settings
from database import Database, database
from redis_client import redis_client
from redis_queue.connection import Client, connect
from runtime.submit import Jobs

if TYPE_CHECKING:
    from runtime.executor import Executor


@dataclass
class Services:
    """Connects on first use."""

    settings: Settings
    database: Database
    client: Client
    #: None outside a worker.
    executor: Executor | None = None

    @property
    def jobs(self) -> Jobs:
        """Submit, enqueue, cancel, replay."""
        return Jobs.by_settings(self.settings, self.database, self.client)

    @cached_property
    def cache(self) -> Client:
        """The Redis for what jobs cache (CACHE_REDIS_URL), or the queue's own."""
        url = self.settings.cache_redis_url
        return connect(url.get_secret_value(), name="cache") if url is not None else self.client


_services: Services | None = None


def use_services(wanted: Services | None) -> None:
    """Let jobs work on these from now on; None: on those of the process's settings."""
    global _services
    _services = wanted


def services() -> Services:
    """What jobs work on now."""
    if _services is not None:
        return _services
    found = database()
    found.init()
    return Services(settings(), found, redis_client.get_client())
