"""The browser's login: a token for a cookie, since event streams and video tags send no header."""

from __future__ import annotations

from fastapi import APIRouter, HTTPException, Request, Response

from api.models import Login, Me, Session
from api.security import COOKIE, SESSION_S, Guard, Reader

router = APIRouter(tags=["session"])


@router.post("/login")
def login(given: Login, request: Request, response: Response) -> Me:
    """Exchange a token for a cookie. 401 for one that is not known."""
    guard: Guard = request.app.state.guard
    caller = guard.by_token(given.token)
    if caller is None:
        raise HTTPException(401, "this token is not known")
    response.set_cookie(
        COOKIE,
        guard.session(given.token),
        max_age=SESSION_S,
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    return Me(role=caller.role, tenant=caller.tenant)


@router.post("/logout", status_code=204)
def logout(response: Response) -> None:
    """Forget the cookie."""
    response.delete_cookie(COOKIE)


@router.get("/me")
def me(caller: Reader) -> Me:
    """Who one is."""
    return Me(role=caller.role, tenant=caller.tenant)


@router.get("/session")
def session(request: Request) -> Session:
    """Whom this browser is logged in as: what a page asks first, so no login is no error."""
    guard: Guard = request.app.state.guard
    caller = guard.by_session(request.cookies.get(COOKIE, ""))
    return Session(role=caller.role, tenant=caller.tenant) if caller else Session()
