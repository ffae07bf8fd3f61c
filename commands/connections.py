"""What a command works on: the settings' servers, or those of `up` in this checkout."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from config import VAR, Settings, load_settings
from database import Database
from redis_queue.connection import Client, connect
from runtime.logs import configure_logs
from runtime.submit import Jobs

#: Written by `up` while it runs.
STACK_FILE = VAR / "up.json"


@dataclass(frozen=True)
class Servers:
    """The queue and the record, connected on first use."""

    settings: Settings
    client: Client
    database: Database

    @property
    def jobs(self) -> Jobs:
        """Submit, cancel, replay."""
        return Jobs.by_settings(self.settings, self.database, self.client)


@lru_cache(maxsize=1)
def servers() -> Servers:
    """What the settings name. Where they name no Redis, a running `up` is found by itself."""
    return open_servers(wanted_settings())


def wanted_settings() -> Settings:
    """The settings, those of a running `up` among them."""
    found = load_settings()
    if "redis_url" not in found.model_fields_set:
        found = load_settings(**_running_stack(found))
    return found


def open_servers(settings: Settings) -> Servers:
    """Servers for given settings; the schema is brought up to date."""
    configure_logs(settings.model_copy(update={"log_level": "warning"}))
    database = Database(settings.database_url.get_secret_value())
    database.init()
    client = connect(settings.redis_url.get_secret_value(), name="cli")
    return Servers(settings, client, database)


def _running_stack(found: Settings) -> dict[str, Any]:
    try:
        stack = json.loads(STACK_FILE.read_text())
        os.kill(stack["pid"], 0)
    except (OSError, ValueError, KeyError):
        return {}
    urls = {"redis_url": stack["redis_url"]}
    if "database_url" not in found.model_fields_set:
        urls["database_url"] = stack["database_url"]
    return urls
