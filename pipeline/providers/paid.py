"""The two phases of a paid call, as every provider goes through them.

A request is sent inside `sending`, which settles the record by how the request ended:

    nothing was sent            failed, at no cost
    the vendor said no          failed, at no cost
    no telling (cut, stopped)   `doubtful` where the vendor cannot be asked; else left open,
                                for the next try to look up
    a killed process            left open: the next try finds it by `begin`
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from errors import ConfigError, LeaseLost, NotNow, ProviderRefused, ProviderUnavailable
from pipeline.calls import Call
from pipeline.providers.http_errors import Unanswered
from pipeline.stage import StageContext

_KEY = re.compile(r"[\x21-\x7e]+")


def request_hash(*asked: Any) -> str:
    """SHA-256 in hex over canonical JSON of everything that shapes the answer."""
    text = json.dumps(asked, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def checked_key(setting: str, key: str) -> str:
    """The key, trimmed. Raises ConfigError without repeating it: HTTP libraries would."""
    key = key.strip()
    if not _KEY.fullmatch(key):
        raise ConfigError([f"{setting}: is empty or holds characters that no key has"])
    return key


def begin_without_lookup(
    ctx: StageContext, provider: str, asked: str, *, estimate_microusd: int
) -> Call:
    """`begin` for a vendor that cannot be asked: an earlier intent is in doubt, and replaced."""
    call = ctx.calls.begin(provider, asked, estimate_microusd=estimate_microusd)
    if call.state == "intent" and call.resumed:
        ctx.calls.doubtful(call, "the worker ended between request and answer")
        call = ctx.calls.begin(provider, asked, estimate_microusd=estimate_microusd)
    return call


@contextmanager
def sending(ctx: StageContext, call: Call, *, lookup: bool) -> Iterator[None]:
    """Hold a place while the one request inside is sent; `lookup`: the vendor can be asked.

    Only the request belongs inside: what follows it must not count as its failure. What comes
    out uses up an attempt, or is NotNow.
    """
    sent = False
    try:
        with ctx.calls.slot(call.provider):
            sent = True
            # Settled here, not outside: an opening breaker replaces the error on its way out.
            with _settled(ctx, call, lookup=lookup):
                yield
    except LeaseLost:
        raise
    except NotNow as error:
        if not sent:
            ctx.calls.failed(call, "it was not sent")
        elif isinstance(error.__cause__, Unanswered) and not lookup:
            # It may have been charged: trials without an end could cost without an end.
            raise error.__cause__ from None
        raise
    except BaseException:
        if not sent:
            ctx.calls.failed(call, "it was not sent")
        raise


@contextmanager
def _settled(ctx: StageContext, call: Call, *, lookup: bool) -> Iterator[None]:
    try:
        yield
    except LeaseLost:
        raise
    except Unanswered as error:
        if not lookup:
            ctx.calls.doubtful(call, str(error))
        raise
    except (ProviderUnavailable, ProviderRefused) as error:
        ctx.calls.failed(call, str(error))
        raise
    except BaseException:
        # Cancelled, stopped or out of time while the answer was awaited.
        if not lookup:
            ctx.calls.doubtful(call, "the worker stopped waiting for the answer")
        raise
