"""The command tree, and what errors become."""

from __future__ import annotations

import sys

import typer
from typer.completion import completion_init  # type: ignore[attr-defined]  # its own, unlisted

from commands import (
    artifacts,
    background_jobs,
    completion,
    control,
    costs,
    dead,
    demo,
    fleet,
    health,
    inspect,
    load_test,
    schedule,
    stack,
    submit,
    tail,
    top,
)
from commands.output import say_error
from config import EXIT_CONFIG, EXIT_UNAVAILABLE
from errors import ConfigError, InvalidInput, QueueUnavailable, StoreUnavailable

app = typer.Typer(
    help="Submit video jobs, watch them, and look after the queue.",
    no_args_is_help=True,
    # Its two flags would install it for a command named cli.py; `completion` does for all ways.
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("submit")(submit.submit)
app.command("status")(inspect.status)
app.command("watch")(inspect.watch)
app.command("list")(inspect.list_jobs)
app.command("queue")(inspect.queue)
app.command("cancel")(dead.cancel)
app.command("retry")(dead.retry)
app.command("replay")(dead.replay)
app.command("dead")(dead.dead)
app.command("link")(artifacts.link)
app.command("resend")(artifacts.resend)
app.command("costs")(costs.costs)
app.command("top")(top.top)
app.command("workers")(fleet.workers)
app.command("queues")(fleet.queues)
app.command("health")(health.health)
app.command("tail")(tail.tail)
app.command("pause")(control.pause)
app.command("resume")(control.resume)
app.command("quiet")(control.quiet)
app.command("stop")(control.stop)
app.add_typer(load_test.app, name="load-test")
app.add_typer(schedule.app, name="schedule")
app.command("kinds")(background_jobs.kinds)
app.command("enqueue")(background_jobs.enqueue)
app.command("batch")(background_jobs.batch)
app.command("voices")(background_jobs.voices)
app.command("demo")(demo.demo)
app.command("up")(stack.up)
app.command("completion")(completion.completion)


def main() -> None:
    """Run the command line; expected errors are one line on stderr and an exit code."""
    completion_init()
    try:
        app(prog_name="cli.py", complete_var=completion.COMPLETE_VARIABLE)
    except InvalidInput as error:
        say_error(str(error))
        sys.exit(2)
    except ConfigError as error:
        say_error("these settings are wrong:", *error.problems)
        sys.exit(EXIT_CONFIG)
    except (QueueUnavailable, StoreUnavailable) as error:
        say_error(f"{error} does not answer; `./run_worker.sh up` starts a local one")
        sys.exit(EXIT_UNAVAILABLE)
