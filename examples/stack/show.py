"""Reports for people."""

from __future__ import annotations

from examples.stack.health import Health
from examples.stack.load_test import Report


def report_text(report: Report) -> str:
    """A load test's report."""
    lines = [
        f"{report.tasks} tasks of type {report.type}, over after {report.seconds:.1f} s"
        f" ({report.per_second:.1f} a second)",
        f"completed={report.completed} failed={report.failed} unfinished={report.unfinished}",
        f"delayed    p50 {_s(report.delayed_p50)}  max {_s(report.delayed_max)}",
        f"running    p50 {_s(report.run_p50)}  p95 {_s(report.run_p95)}  max {_s(report.run_max)}",
    ]
    lines += [f"{number:>5} x {error}" for error, number in report.errors.items()]
    if report.unfinished:
        lines.append("unfinished: is a worker there? python -m examples.stack health status")
    return "\n".join(lines)


def health_text(found: Health, *, detailed: bool) -> str:
    """What health found."""
    lines = [
        f"status      {found.status}",
        f"redis       {'ok' if found.redis_connected else 'does not answer'}",
        f"database    {'ok' if found.database_connected else 'does not answer'}",
    ]
    for queue in found.queues if detailed else ():
        lines += [
            "",
            f"{queue.name} ({queue.description}): {queue.status}",
            f"  set         max_jobs={queue.max_jobs} timeout={queue.timeout_seconds}s"
            f" queue={queue.queue_name}",
            f"  now         workers={queue.workers} running={queue.running}"
            f" waiting={queue.waiting} delayed={queue.delayed}s failed={queue.failed}",
        ]
    return "\n".join(lines)


def _s(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f} s"
