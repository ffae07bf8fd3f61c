"""The health endpoints, for monitors: `python -m examples.stack serve`."""

from __future__ import annotations

from dataclasses import asdict

from fastapi import FastAPI
from fastapi.responses import JSONResponse

from background.services import Services
from examples.stack.health import Health, look
from examples.stack.registry import WORKER_QUEUES


def create_app(servers: Services) -> FastAPI:
    """Three paths to look at; nothing here changes anything, so there is no login."""
    made = FastAPI(title="Stack health", docs_url=None, redoc_url=None)

    @made.get("/health")
    def health() -> JSONResponse:
        """In short; 503 when Redis or the database is away."""
        found = look(servers)
        told = {name: value for name, value in asdict(found).items() if name != "queues"}
        return JSONResponse(told, _code(found))

    @made.get("/health/detailed")
    def detailed() -> JSONResponse:
        """With each queue."""
        found = look(servers)
        return JSONResponse(asdict(found), _code(found))

    @made.get("/queues")
    def queues() -> JSONResponse:
        """The table of queues, as it is set."""
        return JSONResponse(WORKER_QUEUES)

    return made


def _code(found: Health) -> int:
    return 503 if found.status == "unhealthy" else 200
