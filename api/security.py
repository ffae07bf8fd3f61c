"""Who may do what: bearer tokens with a role and a tenant, and the browser's signed cookie.

A token of `API_TOKENS` is `secret=role` or `secret=role@tenant`. Where none is set, one is made
at first start, with every right, and kept in var/ for this machine's user alone. The cookie that
a login gives holds no token, only what names one, signed; it is HttpOnly and SameSite=Strict.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal

from fastapi import Depends, HTTPException, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from itsdangerous import BadSignature, URLSafeTimedSerializer

from config import VAR, Settings

Role = Literal["read", "submit", "operate"]
_RANK: dict[str, int] = {"read": 0, "submit": 1, "operate": 2}
COOKIE = "video_worker_session"
#: A login lasts this long; a link to a file much shorter.
SESSION_S = 12 * 3600
LINK_S = 3600
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_bearer = HTTPBearer(auto_error=False, description="A token of API_TOKENS.")


@dataclass(frozen=True)
class Caller:
    """Who asks. `tenant` None: every tenant's jobs."""

    role: Role
    tenant: str | None

    def may(self, role: Role) -> bool:
        return _RANK[self.role] >= _RANK[role]


class Guard:
    """Knows the tokens, and signs and reads cookies and links."""

    def __init__(self, settings: Settings) -> None:
        self._callers = {_digest(token): caller for token, caller in _tokens(settings).items()}
        secret = _kept(VAR / "api-secret") if settings.api_secret is None else None
        key = secret or (settings.api_secret.get_secret_value() if settings.api_secret else "")
        self._sessions = URLSafeTimedSerializer(key, salt="session")
        self._links = URLSafeTimedSerializer(key, salt="link")

    def by_token(self, token: str) -> Caller | None:
        """The caller behind a token, or None."""
        wanted = _digest(token)
        for known, caller in self._callers.items():
            if hmac.compare_digest(known, wanted):
                return caller
        return None

    def session(self, token: str) -> str:
        """The cookie for a token."""
        return str(self._sessions.dumps(_digest(token)))

    def by_session(self, cookie: str) -> Caller | None:
        """The caller behind a cookie; None once it is old, or its token was taken back."""
        try:
            return self._callers.get(str(self._sessions.loads(cookie, max_age=SESSION_S)))
        except BadSignature:
            return None

    def link(self, job_id: str, name: str) -> str:
        """What lets anyone fetch one file for a while."""
        return str(self._links.dumps([job_id, name]))

    def opens(self, link: str, job_id: str, name: str) -> bool:
        """Whether `link` is for this file and not old."""
        try:
            return bool(self._links.loads(link, max_age=LINK_S) == [job_id, name])
        except BadSignature:
            return False


def caller_of(
    request: Request,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)] = None,
) -> Caller:
    """The caller of a request. 401 without a token or a login that is known."""
    guard: Guard = request.app.state.guard
    caller = None
    if bearer is not None:
        caller = guard.by_token(bearer.credentials)
    elif cookie := request.cookies.get(COOKIE):
        caller = guard.by_session(cookie)
        # SameSite keeps other sites out; this keeps out a browser that does not know it.
        if caller is not None and request.method not in _SAFE and not _same_origin(request):
            raise HTTPException(403, "this request came from another site")
    if caller is None:
        raise HTTPException(401, "a bearer token is needed", headers={"WWW-Authenticate": "Bearer"})
    return caller


def _submitter(caller: Annotated[Caller, Depends(caller_of)]) -> Caller:
    return _with(caller, "submit")


def _operator(caller: Annotated[Caller, Depends(caller_of)]) -> Caller:
    return _with(caller, "operate")


def _with(caller: Caller, role: Role) -> Caller:
    if not caller.may(role):
        raise HTTPException(403, f"this token may not do that: it needs the role {role}")
    return caller


Reader = Annotated[Caller, Depends(caller_of)]
Submitter = Annotated[Caller, Depends(_submitter)]
Operator = Annotated[Caller, Depends(_operator)]


def first_token(settings: Settings) -> str | None:
    """The token that was made because none is set."""
    return None if settings.api_tokens is not None else _kept(VAR / "api-token")


def _tokens(settings: Settings) -> dict[str, Caller]:
    if settings.api_tokens is None:
        return {_kept(VAR / "api-token"): Caller("operate", None)}
    found = {}
    for part in settings.api_tokens.get_secret_value().split(","):
        token, _, rights = part.strip().partition("=")
        role, _, tenant = rights.partition("@")
        found[token] = Caller(role, tenant or None)  # type: ignore[arg-type]  # checked in config
    return found


def _same_origin(request: Request) -> bool:
    origin = request.headers.get("origin")
    return origin is None or origin == f"{request.url.scheme}://{request.headers.get('host', '')}"


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


@lru_cache(maxsize=4)
def _kept(path: Path) -> str:
    """A secret of this checkout's own: read, or made once and readable by its user alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text(encoding="ascii").strip()
    made = secrets.token_urlsafe(32)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(made + "\n")
    return made
