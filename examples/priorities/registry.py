"""Finding the workers: every module of the folder `workers/`, at the start of each process."""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType

import structlog

from examples.priorities import workers
from examples.priorities.worker import Worker

log = structlog.get_logger()


class WorkerRegistry:
    """Knows the workers that it has found. A new file is found at the next start."""

    _found: tuple[type[Worker], ...] = ()

    @classmethod
    def initialize(cls, folder: ModuleType = workers) -> tuple[type[Worker], ...]:
        """Import all there is, and log what it registered. Safe to repeat.

        Raises what a module raises when it is imported: a worker that cannot be loaded must not
        be missing in silence.
        """
        for module in pkgutil.iter_modules(folder.__path__, f"{folder.__name__}."):
            importlib.import_module(module.name)
        found = sorted(_below(Worker), key=lambda worker: worker.definition.name)
        for worker in found:
            options = worker.definition.options
            log.info(
                "worker_registered",
                worker=worker.__name__,
                kind=worker.definition.name,
                queue=options.queue,
                max_retries=options.max_retries,
                cron_schedule=options.cron_schedule,
            )
        log.info("workers_registered", count=len(found), folder=folder.__name__)
        cls._found = tuple(found)
        return cls._found

    @classmethod
    def workers(cls) -> tuple[type[Worker], ...]:
        """What `initialize` found last."""
        return cls._found


def _below(base: type[Worker]) -> set[type[Worker]]:
    """All subclasses that can be run."""
    found: set[type[Worker]] = set()
    for each in base.__subclasses__():
        found |= _below(each) | ({each} if "definition" in each.__dict__ else set())
    return found
