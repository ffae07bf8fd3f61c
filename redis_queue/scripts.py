"""Loads the Lua files and runs them by digest, loading again where a server lost them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any
from weakref import WeakSet

import redis

from redis_queue.connection import Client, translated

_FOLDER = Path(__file__).parent / "scripts"
#: Clients of servers before Redis 7, and emulations, which know no flags line.
_without_flags: WeakSet[Any] = WeakSet()

#: A script to run: its file's name, its keys, its arguments.
Call = tuple[str, list[str], list[Any]]


@cache
def source(name: str, *, flags: bool = True) -> bytes:
    """The text of a script file, with or without its `#!lua` line."""
    text = (_FOLDER / f"{name}.lua").read_bytes()
    return text if flags or not text.startswith(b"#!") else text.partition(b"\n")[2]


@cache
def _digest(name: str, flags: bool) -> str:
    return hashlib.sha1(source(name, flags=flags), usedforsecurity=False).hexdigest()


def run(client: Client, name: str, keys: list[str], args: list[Any]) -> Any:
    """Run a script. Raises QueueUnavailable where Redis is away; then it may have run or not."""
    with translated():
        try:
            digest = _digest(name, client not in _without_flags)
            return client.evalsha(digest, len(keys), *keys, *args)
        except redis.exceptions.NoScriptError:
            return _load_and_run(client, name, keys, args)


def _load_and_run(client: Client, name: str, keys: list[str], args: list[Any]) -> Any:
    if client not in _without_flags:
        try:
            return client.eval(source(name), len(keys), *keys, *args)
        except redis.ResponseError as error:
            if "near '#'" not in str(error):
                raise
            _without_flags.add(client)
    return client.eval(source(name, flags=False), len(keys), *keys, *args)


def run_all(client: Client, calls: Sequence[Call]) -> list[Any]:
    """Run scripts, in order, in one round trip; each must be harmless to repeat."""
    with translated():
        pipe = client.pipeline(transaction=False)
        for name, keys, args in calls:
            digest = _digest(name, client not in _without_flags)
            pipe.evalsha(digest, len(keys), *keys, *args)
        replies: list[Any] = pipe.execute(raise_on_error=False)
    if any(isinstance(reply, redis.exceptions.NoScriptError) for reply in replies):
        # One by one, each is loaded.
        return [run(client, *call) for call in calls]
    for reply in replies:
        if isinstance(reply, Exception):
            with translated():
                raise reply
    return replies
