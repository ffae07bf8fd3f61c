"""`python -m examples.stack`: a queue's worker, load tests, health."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated

import typer
import uvicorn

from config import EXIT_CONFIG, EXIT_UNAVAILABLE, settings_or_exit
from errors import ConfigError, InvalidInput, QueueUnavailable, StoreUnavailable
from examples.stack import load_test, show
from examples.stack.app import create_app
from examples.stack.health import look, open_services
from examples.stack.registry import QUEUES
from examples.stack.running import become_worker
from runtime.logs import configure_logs

app = typer.Typer(
    help="An application stack on one queue each for maintenance, load tests and media.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
tests = typer.Typer(help="Many tasks at once, and a report.", no_args_is_help=True)
state = typer.Typer(help="Is everything there?", no_args_is_help=True)
app.add_typer(tests, name="load-test")
app.add_typer(state, name="health")

AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]


@tests.callback()
def _tests() -> None:
    """Many tasks at once, and a report."""


@tests.command("run")
def run_load_test(
    load_type: Annotated[
        load_test.LoadType, typer.Option("--type", help="What each task does.")
    ] = load_test.LoadType.IO_SIMULATION,
    tasks: Annotated[int, typer.Option(min=1, max=100_000, help="How many.")] = 10,
    timeout: Annotated[float, typer.Option(min=1, help="Longest wait, in s.")] = 300,
    as_json: AsJson = False,
) -> None:
    """Queue tasks, wait for them, report; exit code 1 if some did not end as expected."""
    configure_logs(settings_or_exit().model_copy(update={"log_level": "warning"}))
    report = load_test.run(load_type, tasks, timeout)
    print(json.dumps(asdict(report)) if as_json else show.report_text(report))
    raise typer.Exit(0 if report.as_expected else 1)


@state.callback()
def _state() -> None:
    """Is everything there?"""


@state.command("status")
def health_status(
    detailed: Annotated[bool, typer.Option("--detailed", help="Each queue too.")] = False,
    as_json: AsJson = False,
) -> None:
    """Exit code 0 healthy, 1 somebody ought to look, 69 Redis or the database is away."""
    settings_or_exit()
    found = look(open_services())
    if as_json:
        told = asdict(found)
        print(json.dumps(told if detailed else {**told, "queues": len(found.queues)}))
    else:
        print(show.health_text(found, detailed=detailed))
    codes = {"healthy": 0, "degraded": 1, "unhealthy": EXIT_UNAVAILABLE}
    raise typer.Exit(codes[found.status])


@app.command()
def serve(host: str = "127.0.0.1", port: int = 8000) -> None:
    """Serve /health, /health/detailed and /queues."""
    configure_logs(settings_or_exit())
    uvicorn.run(create_app(open_services()), host=host, port=port, log_level="warning")


def _worker_command(queue: str) -> Callable[..., None]:
    def start(
        name: Annotated[str, typer.Argument(help="The worker's name.")] = f"{queue}-worker",
        check: Annotated[bool, typer.Option("--check", help="Only check; 0, 69 or 78.")] = False,
        burst: Annotated[bool, typer.Option("--burst", help="Empty the queue, then exit.")] = False,
        watch: Annotated[
            str | None, typer.Option(metavar="FOLDER", help="Start anew when it changes.")
        ] = None,
    ) -> None:
        become_worker(QUEUES[queue], name, check=check, burst=burst, watch=watch)

    start.__doc__ = f"The worker of {queue}: {QUEUES[queue].description.lower()}."
    return start


for each in QUEUES:
    app.command(each)(_worker_command(each))


def main() -> None:
    """Run a command; expected errors are one line and an exit code."""
    try:
        app(prog_name="python -m examples.stack")
    except InvalidInput as error:
        _end(2, str(error))
    except ConfigError as error:
        _end(EXIT_CONFIG, "; ".join(error.problems))
    except (QueueUnavailable, StoreUnavailable) as error:
        _end(EXIT_UNAVAILABLE, f"{error} does not answer")


def _end(code: int, told: str) -> None:
    print(f"error: {told}", file=sys.stderr)
    sys.exit(code)


if __name__ == "__main__":
    main()
