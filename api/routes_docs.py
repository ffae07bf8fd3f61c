"""`/docs`: the OpenAPI document to read and to try, by Swagger UI from this server's own files.

FastAPI's own page loads scripts from elsewhere and starts by an inline one; the page's policy
forbids both. The package `fastapi-swagger` ships the two files of Swagger UI unchanged.
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Literal

from fastapi import APIRouter
from fastapi.responses import FileResponse
from starlette.responses import Response

router = APIRouter(include_in_schema=False)

_PAGE = Path(__file__).parent / "static" / "docs.html"
_TYPES = {"swagger-ui-bundle.js": "text/javascript", "swagger-ui.css": "text/css"}
_KEPT = {"cache-control": "public, max-age=86400"}


@router.get("/docs")
def docs() -> FileResponse:
    """The page; it needs no login, and what is tried there uses the login or a token."""
    return FileResponse(_PAGE)


@router.get("/docs/{name}")
def swagger_ui(name: Literal["swagger-ui-bundle.js", "swagger-ui.css"]) -> Response:
    """A file of Swagger UI."""
    raw = (resources.files("fastapi_swagger") / "resources" / name).read_bytes()
    return Response(raw, media_type=_TYPES[name], headers=_KEPT)
