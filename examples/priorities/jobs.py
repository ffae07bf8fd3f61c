"""Makes a process know the workers: WORKER_BACKGROUND_MODULES=examples.priorities.jobs."""

from examples.priorities.registry import WorkerRegistry

WorkerRegistry.initialize()
