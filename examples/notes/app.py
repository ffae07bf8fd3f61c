"""The HTTP API: `uvicorn examples.notes.app:app`. Every path but /docs wants a bearer token."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from importlib import resources
from pathlib import Path
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Query
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse, JSONResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from fastapi.staticfiles import StaticFiles
from starlette.requests import Request

from errors import QueueUnavailable, StoreUnavailable
from examples.notes import notes, reminding, tracking
from examples.notes.models import (
    Counted,
    Found,
    FoundNote,
    Job,
    Jobs,
    NewNotes,
    NewReminder,
    Queued,
    Scheduled,
)
from examples.notes.people import user_of
from examples.notes.tables import create_tables

router = APIRouter()
_bearer = HTTPBearer(auto_error=False)


def _user(
    bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)] = None,
) -> int:
    user_id = user_of(bearer.credentials) if bearer is not None else None
    if user_id is None:
        raise HTTPException(401, "a bearer token is needed", headers={"WWW-Authenticate": "Bearer"})
    return user_id


User = Annotated[int, Depends(_user)]


@router.post("/notes", status_code=201)
def add_notes(wanted: NewNotes, user: User) -> Counted:
    """Keep notes; they are found by meaning once they are embedded."""
    notes.add_notes(user, [(note.title, note.text) for note in wanted.notes])
    return Counted(total=notes.count_notes(user))


@router.post("/semantic/regenerate-embeddings", status_code=202)
def regenerate_embeddings(user: User) -> Queued:
    """Queue the work and answer at once. While it is under way, a second request gets its id."""
    return Queued(
        message="Embedding regeneration has been queued; look at /jobs/{task_id}.",
        status="queued",
        task_id=tracking.regenerate(user),
    )


@router.get("/semantic/search")
def search(
    user: User,
    q: Annotated[str, Query(min_length=1, max_length=500)],
    limit: Annotated[int, Query(ge=1, le=50)] = 5,
) -> Found:
    """The user's notes that mean most nearly what is asked."""
    hits = notes.search(user, q, limit)
    return Found(
        notes=[FoundNote(id=hit.note.id, title=hit.note.title, score=hit.score) for hit in hits]
    )


@router.get("/jobs/{job_id}")
def job(job_id: str, user: User) -> Job:
    """One of the user's jobs, and how far it is."""
    found = tracking.look(job_id, user)
    if found is None:
        raise HTTPException(404, "no such job")
    return Job.model_validate(asdict(found))


@router.get("/jobs")
def list_jobs(
    user: User,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
    status: Literal["queued", "running", "completed", "failed"] | None = None,
) -> Jobs:
    """The user's jobs, newest first; `total` counts all that `status` lets through."""
    page, total = tracking.page(user, status, limit=limit, offset=offset)
    return Jobs(jobs=[Job.model_validate(asdict(found)) for found in page], total=total)


@router.post("/reminders", status_code=201)
def remind(wanted: NewReminder, user: User) -> Scheduled:
    """Remind at a time, to the quarter of an hour."""
    made = reminding.schedule(user, wanted.address, wanted.message, wanted.scheduled_at)
    return Scheduled(id=made, status="scheduled")


def create_app() -> FastAPI:
    """The application over the servers of the settings. Connects when it starts, not before."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        create_tables()
        yield

    # FastAPI's own page loads scripts from elsewhere; this one's come from a package.
    made = FastAPI(title="Notes", lifespan=lifespan, docs_url=None, redoc_url=None)
    made.include_router(router)
    swagger = Path(str(resources.files("fastapi_swagger") / "resources"))
    made.mount("/swagger", StaticFiles(directory=swagger), name="swagger")

    @made.get("/docs", include_in_schema=False)
    def docs() -> HTMLResponse:
        return get_swagger_ui_html(
            openapi_url="/openapi.json",
            title="Notes",
            swagger_js_url="/swagger/swagger-ui-bundle.js",
            swagger_css_url="/swagger/swagger-ui.css",
            swagger_favicon_url="/swagger/favicon-32x32.png",
        )

    @made.exception_handler(QueueUnavailable)
    @made.exception_handler(StoreUnavailable)
    async def away(_: Request, error: Exception) -> JSONResponse:
        return JSONResponse({"detail": f"{error}: try again in a moment"}, 503)

    return made


app = create_app()
