"""Declaring background jobs: a class with a classmethod `perform`, or a decorated function."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from datetime import datetime
from typing import Any, ClassVar, Generic, ParamSpec, TypeVar, cast

from background import enqueue
from background.handle import JobHandle
from background.kinds import REGISTRY, Kind, Options, make_kind

_P = ParamSpec("_P")
_R = TypeVar("_R")


def changed(kind: Kind, **options: Any) -> Kind:
    """A kind with other options, None being as before. Raises InvalidInput."""
    given = {name: value for name, value in options.items() if value is not None}
    return replace(kind, options=replace(kind.options, **given))


class Enqueuer:
    """A kind with options of this once: `MyJob.using(queue="critical").perform_async(...)`."""

    def __init__(self, kind: Kind) -> None:
        self._kind = kind

    def perform_async(self, *args: Any, **kwargs: Any) -> JobHandle:
        """Enqueue now. Returns when the job's row is committed. Raises InvalidInput."""
        return enqueue.enqueue(self._kind, args, kwargs)

    def perform_at(self, run_time: datetime, *args: Any, **kwargs: Any) -> JobHandle:
        """Enqueue for a time; a naive datetime means local time."""
        return enqueue.enqueue(self._kind, args, kwargs, run_at=run_time)

    def perform_in(self, delay_seconds: float, *args: Any, **kwargs: Any) -> JobHandle:
        """Enqueue for so many seconds from now."""
        return enqueue.enqueue(self._kind, args, kwargs, delay_s=delay_seconds)

    def perform_bulk(
        self, arguments: Sequence[Sequence[Any] | Mapping[str, Any]]
    ) -> list[JobHandle]:
        """Enqueue many in one transaction: each a list of arguments, or a dict of named ones."""
        return enqueue.enqueue_bulk(self._kind, arguments)


class BackgroundJob:
    """Subclass, and define `perform` as a classmethod, plain or `async`.

    `perform` can be called directly too: then it simply runs, here and now. The options are
    class attributes, described at background.kinds.Options; `kind` is the job's stable name,
    by default that of the class in snake case. Renaming the class without it would leave jobs
    waiting under the old name.
    """

    kind: ClassVar[str | None] = None
    queue: ClassVar[str] = Options.queue
    max_retries: ClassVar[int] = Options.max_retries
    retry_backoff: ClassVar[bool] = Options.retry_backoff
    retry_backoff_max: ClassVar[float] = Options.retry_backoff_max
    retry_delay_s: ClassVar[float] = Options.retry_delay_s
    timeout_s: ClassVar[float | None] = Options.timeout_s
    cron_schedule: ClassVar[str | None] = Options.cron_schedule
    cron_timezone: ClassVar[str | None] = Options.cron_timezone
    cron_missed: ClassVar[str | None] = Options.cron_missed
    unique_for_s: ClassVar[float] = Options.unique_for_s
    rate_limit: ClassVar[str | None] = Options.rate_limit
    result_ttl_s: ClassVar[float | None] = Options.result_ttl_s

    definition: ClassVar[Kind]

    perform: ClassVar[Callable[..., Any]]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "perform" not in cls.__dict__:
            return  # a base of others: nothing to run yet
        cls.definition = make_kind(
            cls.__dict__.get("kind"),
            cls.perform,
            Options(**{field.name: getattr(cls, field.name) for field in fields(Options)}),
            named_like=cls.__name__,
            origin=f"{cls.__module__}.{cls.__qualname__}",
        )
        REGISTRY.add(cls.definition)

    @classmethod
    def using(cls, *, queue: str | None = None, unique_for_s: float | None = None) -> Enqueuer:
        """The same into another queue, or with another uniqueness, for this once."""
        return Enqueuer(changed(cls.definition, queue=queue, unique_for_s=unique_for_s))

    @classmethod
    def perform_async(cls, *args: Any, **kwargs: Any) -> JobHandle:
        """Enqueue now. Returns when the job's row is committed.

        Raises InvalidInput for arguments that `perform` does not take or JSON cannot hold,
        StoreUnavailable; with Redis away the job is accepted all the same.
        """
        return Enqueuer(cls.definition).perform_async(*args, **kwargs)

    @classmethod
    def perform_at(cls, run_time: datetime, *args: Any, **kwargs: Any) -> JobHandle:
        """Enqueue for a time; a naive datetime means local time. Raises as perform_async."""
        return Enqueuer(cls.definition).perform_at(run_time, *args, **kwargs)

    @classmethod
    def perform_in(cls, delay_seconds: float, *args: Any, **kwargs: Any) -> JobHandle:
        """Enqueue for so many seconds from now. Raises as perform_async."""
        return Enqueuer(cls.definition).perform_in(delay_seconds, *args, **kwargs)

    @classmethod
    def perform_bulk(
        cls, arguments: Sequence[Sequence[Any] | Mapping[str, Any]]
    ) -> list[JobHandle]:
        """Enqueue many in one transaction: each a list of arguments, or a dict of named ones."""
        return Enqueuer(cls.definition).perform_bulk(arguments)


class DecoratedJob(Enqueuer, Generic[_P, _R]):
    """A function that is a background job too: call it, or `perform_async` it."""

    def __init__(self, kind: Kind) -> None:
        super().__init__(kind)
        self.definition = kind
        self.__doc__ = kind.function.__doc__
        self.__name__ = kind.function.__name__
        self.__module__ = kind.function.__module__

    def __call__(self, *args: _P.args, **kwargs: _P.kwargs) -> _R:
        """Run it here and now."""
        return cast(_R, self.definition.function(*args, **kwargs))

    def using(self, *, queue: str | None = None, unique_for_s: float | None = None) -> Enqueuer:
        """The same into another queue, or with another uniqueness, for this once."""
        return Enqueuer(changed(self.definition, queue=queue, unique_for_s=unique_for_s))


def job(
    kind: str | None = None, **options: Any
) -> Callable[[Callable[_P, _R]], DecoratedJob[_P, _R]]:
    """Make a function, plain or `async def`, a background job: `@job(queue="low")`.

    `kind` is its stable name, by default the function's. Raises InvalidInput.
    """

    def decorate(function: Callable[_P, _R]) -> DecoratedJob[_P, _R]:
        made = make_kind(
            kind,
            function,
            Options(**options),
            named_like=function.__name__,
            origin=f"{function.__module__}.{function.__qualname__}",
        )
        REGISTRY.add(made)
        return DecoratedJob(made)

    return decorate
