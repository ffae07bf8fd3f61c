"""The queue of load tests: very many at once, each short, and none tried twice."""

from __future__ import annotations

from examples.stack.queue_settings import QueueSettings
from examples.stack.tasks.load import (
    cpu_intensive,
    failure_testing,
    io_simulation,
    memory_operations,
)


class WorkerSettings(QueueSettings):
    description = "Load testing and performance testing"
    queue_name = "load_test"
    functions = (cpu_intensive, io_simulation, memory_operations, failure_testing)
    max_jobs = 50
    job_timeout = 60
    # A repetition would hide what the test is to show.
    max_tries = 1
