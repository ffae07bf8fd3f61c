"""The application: routes put together, errors made answers, the dashboard served."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse
from fastapi.staticfiles import StaticFiles
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import (
    routes_background,
    routes_docs,
    routes_events,
    routes_files,
    routes_jobs,
    routes_session,
    routes_system,
    routes_webhooks,
)
from api.examples import PROBLEMS
from api.models import Problem
from api.security import Guard
from api.shop import Shop, open_shop
from config import Settings
from errors import InvalidInput, QueueUnavailable, StorageUnavailable, StoreUnavailable
from pipeline.media.fonts import font_file

_STATIC = Path(__file__).parent / "static"
#: Beyond what any payload can be; uploads have a cap of their own.
_MAX_BODY_BYTES = 40_000_000
#: The page loads nothing from elsewhere but what was made, and nobody may frame it.
_POLICY = "default-src 'self'; img-src 'self' data:{files}; media-src 'self'{files}; {rest}"
_REST = "frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
_HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
}
_KEPT = {"cache-control": "public, max-age=86400"}
_PROBLEMS: dict[int | str, dict[str, Any]] = {
    code: {
        "model": Problem,
        "description": description,
        "content": {"application/json": {"example": {"detail": detail, "field": field}}},
    }
    for code, (description, detail, field) in PROBLEMS.items()
}


def create_app(settings: Settings, shop: Shop | None = None) -> FastAPI:
    """The API and the dashboard over the settings' servers."""
    found = shop or open_shop(settings)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        found.hub.start()
        yield
        found.hub.stop()

    app = FastAPI(
        title="Video worker",
        description="Submit video ads, watch them being made, and look after the workers.",
        lifespan=lifespan,
        responses=_PROBLEMS,
        max_body_size=_MAX_BODY_BYTES,
        # Those pages would load scripts from elsewhere; api/routes_docs.py has one of our own.
        docs_url=None,
        redoc_url=None,
        # /metrics tells it; FastAPI's own would look for an exporter at each request.
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.state.shop = found
    app.state.guard = Guard(settings)
    for routes in (
        routes_jobs,
        routes_files,
        routes_events,
        routes_system,
        routes_session,
        routes_background,
        routes_webhooks,
        routes_docs,
    ):
        app.include_router(routes.router)
    app.mount("/static", StaticFiles(directory=_STATIC), name="static")

    @app.get("/", include_in_schema=False)
    def page() -> FileResponse:
        return FileResponse(_STATIC / "index.html")

    @app.get("/fonts/{family}", include_in_schema=False)
    def font(family: Literal["Inter", "JetBrains Mono"]) -> FileResponse:
        return FileResponse(font_file(family), media_type="font/ttf", headers=_KEPT)

    # Files of a bucket are redirected to it; those of a folder come from here.
    bucket = found.storage.origin()
    policy = _POLICY.format(files=f" {bucket}" if bucket else "", rest=_REST)
    app.add_middleware(_WithHeaders, headers={**_HEADERS, "content-security-policy": policy})
    _translate_errors(app)
    return app


class _WithHeaders:
    """Adds headers to each answer; streams pass through untouched."""

    def __init__(self, app: ASGIApp, headers: dict[str, str]) -> None:
        self._app = app
        self._headers = headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, sending)


def _translate_errors(app: FastAPI) -> None:
    def answer(code: int, detail: str, field: str | None = None) -> JSONResponse:
        return JSONResponse(Problem(detail=detail, field=field).model_dump(), code)

    @app.exception_handler(InvalidInput)
    async def invalid(_: Request, error: InvalidInput) -> JSONResponse:
        return answer(422, str(error), error.field)

    @app.exception_handler(RequestValidationError)
    async def malformed(_: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"][1:]) or str(first["loc"][0])
        return answer(422, f"{field}: {first['msg']}", field)

    @app.exception_handler(HTTPException)
    async def refused(_: Request, error: HTTPException) -> JSONResponse:
        response = answer(error.status_code, str(error.detail))
        response.headers.update(error.headers or {})
        return response

    @app.exception_handler(QueueUnavailable)
    async def no_queue(_: Request, error: QueueUnavailable) -> JSONResponse:
        return answer(503, "Redis does not answer; try again in a moment")

    @app.exception_handler(StoreUnavailable)
    async def no_store(_: Request, error: StoreUnavailable) -> JSONResponse:
        return answer(503, "the database does not answer; try again in a moment")

    @app.exception_handler(StorageUnavailable)
    async def no_storage(_: Request, error: StorageUnavailable) -> JSONResponse:
        return answer(503, "the storage of files does not answer; try again in a moment")
