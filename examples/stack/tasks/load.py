"""Tasks that use one thing each, so that a load test shows what a worker has of it."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Any

from errors import PermanentError

_PAGE = 4096


async def cpu_intensive(rounds: int = 2000) -> dict[str, Any]:
    """Hash so many times 1 kB, letting others in now and then."""
    digest = b""
    for number in range(rounds):
        digest = hashlib.sha256(digest + bytes(1000)).digest()
        if number % 500 == 0:
            await asyncio.sleep(0)
    return {"task": "cpu_intensive", "rounds": rounds, "digest": digest.hex()}


async def io_simulation(seconds: float = 0.1) -> dict[str, Any]:
    """Wait, as for a server's answer."""
    await asyncio.sleep(seconds)
    return {"task": "io_simulation", "seconds": seconds}


async def memory_operations(megabytes: int = 4) -> dict[str, Any]:
    """Take so much memory, write to each page of it, read it back."""
    block = bytearray(megabytes * 1_000_000)
    for start in range(0, len(block), _PAGE):
        block[start] = start // _PAGE % 251
    await asyncio.sleep(0)
    return {"task": "memory_operations", "megabytes": megabytes, "sum": sum(block[::_PAGE])}


async def failure_testing(number: int = 1, fail_every: int = 2) -> dict[str, Any]:
    """Fail at every so many-th number, for good: raises PermanentError."""
    if number % fail_every == 0:
        raise PermanentError("this task was made to fail")
    return {"task": "failure_testing", "number": number}
