"""A worker that dies, or loses its servers, at any step that it takes outwards.

Every command to Redis and every transaction of the database passes a `Fate`. It lets so many
steps pass, then strikes once: before the step, or after it, when the server has done the work
and the answer is lost.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Any

import redis
from sqlalchemy import Engine, event
from sqlalchemy.exc import OperationalError

#: What may strike: the process dies before or after a step, or a server is away for one step.
STRIKES = ("die", "die-after", "redis-away", "reply-lost", "database-away")


class Died(BaseException):
    """The process is gone: nothing of it runs on, as after a SIGKILL."""


@dataclass
class Fate:
    """What happens to whoever acts now; `spare` ends it."""

    strike: str = ""
    steps_left: int = 0

    def strikes(self, *kinds: str) -> str:
        """Whether one of these kinds happens at this step; each step counts for one."""
        if self.strike not in kinds:
            return ""
        self.steps_left -= 1
        if self.steps_left >= 0:
            return ""
        struck, self.strike = self.strike, ""
        return struck

    def spare(self) -> None:
        self.strike = ""


class FatedClient:
    """A Redis client under a Fate; a pipeline counts as the one round trip that it is."""

    def __init__(self, client: Any, fate: Fate) -> None:
        self._client = client
        self._fate = fate

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self._client, name)
        if name == "pipeline":
            return lambda *args, **kw: _FatedPipeline(attribute(*args, **kw), self._fate)
        return _fated(attribute, self._fate)


class _FatedPipeline:
    def __init__(self, pipe: Any, fate: Fate) -> None:
        self._pipe = pipe
        self._fate = fate

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self._pipe, name)
        return _fated(attribute, self._fate) if name == "execute" else attribute


def _fated(call: Any, fate: Fate) -> Any:
    def called(*args: Any, **kw: Any) -> Any:
        struck = fate.strikes("die", "die-after", "redis-away", "reply-lost")
        if struck == "die":
            raise Died
        if struck == "redis-away":
            raise redis.ConnectionError("away")
        value = call(*args, **kw)
        if struck == "die-after":
            raise Died
        if struck == "reply-lost":
            raise redis.ConnectionError("cut")
        return value

    return called


def put_under(engine: Engine, fate: Fate) -> None:
    """Let this engine's transactions pass the Fate as well."""

    @event.listens_for(engine, "begin")
    def _begin(_connection: Any) -> None:
        struck = fate.strikes("die", "die-after", "database-away")
        if struck in ("die", "die-after"):
            raise Died
        if struck:
            raise OperationalError("BEGIN", None, sqlite3.OperationalError("database is locked"))
