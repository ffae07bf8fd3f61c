"""Loads the Lua files and runs them by digest, loading again where a server lost them."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

import redis

from redis_queue.connection import Client, translated

_FOLDER = Path(__file__).parent / "scripts"
_SHEBANG = b"#!"


@cache
def source(name: str) -> bytes:
    """The text of a script file."""
    return (_FOLDER / f"{name}.lua").read_bytes()


@cache
def _digest(name: str) -> str:
    return hashlib.sha1(source(name), usedforsecurity=False).hexdigest()


def run(client: Client, name: str, keys: list[str], args: list[Any]) -> Any:
    """Run a script. Raises QueueUnavailable where Redis is away; then it may have run or not."""
    with translated():
        try:
            return client.evalsha(_digest(name), len(keys), *keys, *args)
        except redis.exceptions.NoScriptError:
            return client.eval(source(name), len(keys), *keys, *args)


def run_both(
    client: Client,
    first: tuple[str, list[str], list[Any]],
    second: tuple[str, list[str], list[Any]],
) -> tuple[Any, Any]:
    """Run two scripts, in order, in one round trip."""
    with translated():
        pipe = client.pipeline(transaction=False)
        for name, keys, args in (first, second):
            pipe.evalsha(_digest(name), len(keys), *keys, *args)
        replies = pipe.execute(raise_on_error=False)
    answers = []
    for (name, keys, args), reply in zip((first, second), replies, strict=True):
        if isinstance(reply, redis.exceptions.NoScriptError):
            answers.append(run(client, name, keys, args))
        elif isinstance(reply, Exception):
            with translated():
                raise reply
        else:
            answers.append(reply)
    return answers[0], answers[1]
