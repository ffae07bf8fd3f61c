"""What requests work on: settings, servers, storage, the event hub; made once per process."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from fastapi import Depends, HTTPException, Request

from api.hub import Hub
from api.overview import Overviews
from api.security import Caller, Reader
from background.discovery import discover
from background.kinds import Registry
from background.schedules import Schedules
from config import Settings
from database import Database
from pipeline.storage import ObjectStorage
from redis_queue.connection import Client, connect
from runtime.submit import Jobs
from store.records import JobRecord

#: More than requests are served at once: Starlette has 40 threads for them. One that finds none
#: free would be told that Redis does not answer.
_CONNECTIONS = 64


@dataclass(frozen=True)
class Shop:
    """Connects on first use."""

    settings: Settings
    client: Client
    database: Database
    storage: ObjectStorage
    hub: Hub
    overviews: Overviews = field(default_factory=Overviews)

    @property
    def jobs(self) -> Jobs:
        """Submit, cancel, replay."""
        return Jobs.by_settings(self.settings, self.database, self.client)

    @property
    def registry(self) -> Registry:
        """The kinds of background jobs that are known here."""
        return discover(self.settings)

    @property
    def schedules(self) -> Schedules:
        """What is enqueued by the clock."""
        store = self.database.schedules
        return Schedules(self.settings, store, self.jobs, self.client, self.registry)

    @property
    def uploads(self) -> Path:
        """Where uploaded pictures lie."""
        return Path(self.settings.image_folders[0])

    def job(self, job_id: str, caller: Caller) -> JobRecord:
        """The job, if it is there and the caller's to see; else 404, for both."""
        # A job id is at most 64 characters of a small set, as is whatever was adopted.
        record = self.database.jobs.get(job_id) if len(job_id) <= 64 else None
        if record is None or (caller.tenant is not None and record.tenant != caller.tenant):
            raise HTTPException(404, "there is no such job")
        return record


def open_shop(settings: Settings) -> Shop:
    """Everything that requests need; the schema is brought up to date."""
    url = settings.redis_url.get_secret_value()
    database = Database(settings.database_url.get_secret_value())
    database.init()
    return Shop(
        settings,
        connect(url, name="api", max_connections=_CONNECTIONS),
        database,
        ObjectStorage(settings.artifact_url),
        Hub(connect(url, name="api-events")),
    )


def _shop(request: Request) -> Shop:
    found: Shop = request.app.state.shop
    return found


TheShop = Annotated[Shop, Depends(_shop)]


def _job(job_id: str, caller: Reader, shop: TheShop) -> JobRecord:
    return shop.job(job_id, caller)


#: The job that the path names, before a stream has begun: afterwards no status can be sent.
TheJob = Annotated[JobRecord, Depends(_job)]
