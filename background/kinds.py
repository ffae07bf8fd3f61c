"""A kind of background job, and the registry in which its stable name finds it."""

from __future__ import annotations

import hashlib
import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from errors import InvalidInput
from jobs.work import checked_kind, checked_queue, encode_call

_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_RATE = re.compile(r"\d+\s*(?:/|per )\s*(?:\d+\s*)?(?:second|minute|hour|day)s?")


@dataclass(frozen=True)
class Options:
    """How jobs of a kind are queued, tried and kept. Times in s."""

    queue: str = "default"
    #: Tries after the first; 0 is none.
    max_retries: int = 3
    #: Waits of 2, 4, 8, ... s up to `retry_backoff_max`; else `retry_delay_s` each time.
    retry_backoff: bool = True
    retry_backoff_max: float = 600.0
    retry_delay_s: float = 2.0
    #: Longest time of one try; None: the queue's, or the worker's.
    timeout_s: float | None = None
    #: Five fields; the time zone and the treatment of missed ticks default to the settings'.
    cron_schedule: str | None = None
    cron_timezone: str | None = None
    cron_missed: str | None = None
    #: While an equal job (same kind and arguments) is unfinished, at most so long after it was
    #: enqueued, enqueueing another gives that one. 0: each is one of its own.
    unique_for_s: float = 0.0
    #: By all workers together, such as "30/minute"; a job that is too many waits its turn.
    rate_limit: str | None = None
    #: How long the result is kept; None: as the settings say.
    result_ttl_s: float | None = None

    def __post_init__(self) -> None:
        checked_queue(self.queue)
        if self.max_retries < 0:
            raise InvalidInput("max_retries", "must not be negative")
        if self.rate_limit is not None and not _RATE.fullmatch(self.rate_limit):
            raise InvalidInput("rate_limit", f"{self.rate_limit!r} is not such as 30/minute")
        if self.cron_missed not in (None, "once", "skip"):
            raise InvalidInput("cron_missed", "must be once or skip")
        if self.timeout_s is not None and self.timeout_s <= 0:
            raise InvalidInput("timeout_s", "must be above 0")


@dataclass(frozen=True)
class Kind:
    """What a name stands for: a function, and how its jobs are treated."""

    name: str
    function: Callable[..., Any]
    options: Options
    #: Where it was defined: the same place may define it anew (a reload), another may not.
    origin: str = ""
    signature: inspect.Signature = field(repr=False, compare=False, default=inspect.Signature())

    @cached_property
    def is_async(self) -> bool:
        return inspect.iscoroutinefunction(self.function)

    def payload(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> str:
        """The arguments on the wire. Raises InvalidInput where the function does not take them."""
        self.check(args, kwargs)
        return encode_call(args, kwargs)

    def check(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        """Raises InvalidInput where the function does not take these arguments."""
        if not kwargs and len(args) in self._numbers:
            return
        try:
            self.signature.bind(*args, **kwargs)
        except TypeError as error:
            raise InvalidInput("arguments", f"{self.name}{self.signature}: {error}") from None

    @cached_property
    def _numbers(self) -> range:
        """How many arguments it takes where each has but its place: the usual case, at no price."""
        placed = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        parameters = list(self.signature.parameters.values())
        if any(each.kind not in placed for each in parameters):
            return range(0)
        needed = [each for each in parameters if each.default is inspect.Parameter.empty]
        return range(len(needed), len(parameters) + 1)

    def unique_key(self, payload: str) -> str | None:
        """What equal jobs have in common; None where each is one of its own."""
        if not self.options.unique_for_s:
            return None
        return f"{self.name}:{hashlib.sha256(payload.encode()).hexdigest()}"


def make_kind(
    name: str | None,
    function: Callable[..., Any],
    options: Options,
    *,
    named_like: str,
    origin: str,
) -> Kind:
    """A kind, called by `name` or else like the class or function. Raises InvalidInput."""
    chosen = name or _WORD.sub("_", named_like).lower()
    return Kind(checked_kind(chosen), function, options, origin, inspect.signature(function))


class Registry:
    """The kinds that this process knows, by name."""

    def __init__(self) -> None:
        self._kinds: dict[str, Kind] = {}

    def add(self, kind: Kind) -> None:
        """Know a kind. Raises InvalidInput where another one has the name."""
        known = self._kinds.get(kind.name)
        if known is not None and known.origin != kind.origin:
            raise InvalidInput("kind", f"{kind.name} is both {known.origin} and {kind.origin}")
        self._kinds[kind.name] = kind

    def get(self, name: str) -> Kind | None:
        """The kind, or None."""
        return self._kinds.get(name)

    def all(self) -> list[Kind]:
        """Every kind, by name."""
        return [self._kinds[name] for name in sorted(self._kinds)]


#: Filled as classes and decorated functions are defined.
REGISTRY = Registry()
