"""The base of the settings classes: a queue's functions, and how its workers treat them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from background import JobHandle
from background.job import DecoratedJob, job
from errors import InvalidInput


class QueueSettings:
    """Subclass it, and name `queue_name` and `functions`: they become kinds of that queue.

    The functions stay as they are: plain async functions, that any code may await directly. A
    kind is called `<queue>.<function>`. What a function is given is checked when it is enqueued.
    """

    description: ClassVar[str] = ""
    queue_name: ClassVar[str]
    functions: ClassVar[Sequence[Callable[..., Any]]] = ()
    #: Jobs at once in each worker of this queue.
    max_jobs: ClassVar[int] = 10
    #: Longest time of one try, in s.
    job_timeout: ClassVar[int] = 300
    #: The first try and its repetitions, which wait 2, 4, 8, ... s.
    max_tries: ClassVar[int] = 5
    #: How long a result is kept, in s.
    keep_result: ClassVar[float] = 3600

    jobs: ClassVar[dict[str, DecoratedJob[..., Any]]]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.jobs = {}
        for function in cls.functions:
            if not inspect.iscoroutinefunction(function):
                raise InvalidInput("functions", f"{function.__name__} is no async function")
            make = job(
                f"{cls.queue_name}.{function.__name__}",
                queue=cls.queue_name,
                timeout_s=float(cls.job_timeout),
                max_retries=cls.max_tries - 1,
                result_ttl_s=cls.keep_result,
            )
            cls.jobs[function.__name__] = make(function)

    @classmethod
    def enqueue(cls, function: str, *args: Any, **kwargs: Any) -> JobHandle:
        """Queue one of the functions by its name. Raises InvalidInput for one that is not among
        them, and for arguments that it does not take."""
        if function not in cls.jobs:
            raise InvalidInput("function", f"{function} is not one of {', '.join(cls.jobs)}")
        return cls.jobs[function].perform_async(*args, **kwargs)
