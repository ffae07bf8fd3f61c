"""Users, and the bearer tokens by which they are known."""

from __future__ import annotations

import hashlib
import secrets

from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from errors import InvalidInput
from examples.notes.tables import USERS, engine
from store.engine import reading, writing


def add_user(name: str) -> str:
    """Make a user; returns the token, which is kept nowhere. Raises InvalidInput."""
    # No dash in it, and none in front: it is also given as an argument of a command.
    token = secrets.token_hex(24)
    try:
        with writing(engine()) as connection:
            connection.execute(insert(USERS).values(name=name, token_hash=_hash(token)))
    except IntegrityError:
        raise InvalidInput("name", f"{name} is taken") from None
    return token


def user_of(token: str) -> int | None:
    """The id of the user whose token it is, or None."""
    with reading(engine()) as connection:
        found = connection.execute(select(USERS.c.id).where(USERS.c.token_hash == _hash(token)))
        user_id: int | None = found.scalar()
    return user_id


def _hash(token: str) -> str:
    # A long random token needs no salt and no slow hash, as a password would.
    return hashlib.sha256(token.encode()).hexdigest()
