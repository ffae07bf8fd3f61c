"""`python -m examples.workouts`: the application's worker, and its health on port 8002.

    python -m examples.workouts                       the worker and the health endpoint
    python -m examples.workouts check                 is everything there? exit code 0 or 69
    python -m examples.workouts enqueue KIND          one job by hand; prints its id
    python -m examples.workouts env                   what cli.py, worker.py and api need to know

The first is a parent: it serves health, and keeps one real worker (`worker.py`) running with the
application's settings as its own. Wrong settings are listed, and end any of them with 78.
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from collections.abc import Sequence

from background.discovery import discover
from background.enqueue import new_job
from background.services import Services, use_services
from config import EXIT_UNAVAILABLE, ROOT, Settings, child_environment, exit_code_of, variable_of
from database import Database
from errors import ConfigError, InvalidInput
from examples.workouts.clients import AiCoach, WorkoutApi
from examples.workouts.health import WorkoutHealth
from examples.workouts.settings import (
    WorkoutSettings,
    load_workouts,
    worker_fields,
    worker_settings,
)
from redis_queue.connection import connect
from runtime.health_server import HealthServer
from runtime.logs import configure_logs
from runtime.pool import Pool

#: Longest wait for a service's health, in s: a probe does not wait as long as a job.
_PROBE_TIMEOUT_S = 2.0


def main(argv: Sequence[str] | None = None) -> int:
    """Do what the arguments ask for; returns the exit code."""
    wanted = _parser().parse_args(argv)
    try:
        own = load_workouts()
        settings = worker_settings(own)
        configure_logs(settings)
        if wanted.command == "env":
            return _tell_environment(own)
        if wanted.command == "check":
            return _check(own, settings)
        if wanted.command == "enqueue":
            return _enqueue(settings, wanted.kind, wanted.args)
        return _work(own, settings)
    except ConfigError as error:
        return exit_code_of(error)
    except InvalidInput as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def _work(own: WorkoutSettings, settings: Settings) -> int:
    server = _serve_health(own, settings)
    env = child_environment(**_environment(own))
    command = [sys.executable, str(ROOT / "worker.py"), "workouts"]
    try:
        return Pool(1, lambda _: command, env=env).run()
    finally:
        server.close()


def _serve_health(own: WorkoutSettings, settings: Settings) -> HealthServer:
    health, port = _health(own, settings), own.worker.health_port
    try:
        return HealthServer(settings.health_host, port, health, health.metrics)
    except ConfigError as error:
        # It names the worker's own setting, which is another one here.
        told = [each.partition(": ")[2] for each in error.problems]
        raise ConfigError([f"WORKER_WORKER__HEALTH_PORT: {each}" for each in told]) from None


def _check(own: WorkoutSettings, settings: Settings) -> int:
    report = _health(own, settings).report()
    print(json.dumps(report, indent=2))
    return 0 if report["status"] == "healthy" else EXIT_UNAVAILABLE


def _enqueue(settings: Settings, kind: str, arguments: str) -> int:
    known = discover(settings).get(kind)
    if known is None:
        raise InvalidInput("kind", f"{kind} is not known")
    try:
        given = json.loads(arguments)
    except ValueError:
        given = None
    if not isinstance(given, dict):
        raise InvalidInput("args", "must be a JSON object of named arguments")
    database = Database(settings.database_url.get_secret_value())
    database.init()
    client = connect(settings.redis_url.get_secret_value(), name="workouts-enqueue")
    services = Services(settings, database, client)
    use_services(services)
    print(services.jobs.enqueue([new_job(known, (), given)])[0])
    return 0


def _tell_environment(own: WorkoutSettings) -> int:
    for name, value in _environment(own).items():
        print(f"export {name}={shlex.quote(value)}")
    return 0


def _environment(own: WorkoutSettings) -> dict[str, str]:
    return {variable_of(field): value for field, value in worker_fields(own).items()}


def _health(own: WorkoutSettings, settings: Settings) -> WorkoutHealth:
    timeout_s = min(_PROBE_TIMEOUT_S, own.api_client.timeout)
    return WorkoutHealth(
        connect(settings.redis_url.get_secret_value(), name="workouts-health"),
        WorkoutApi(own.api_client.workout_api_url, timeout_s),
        AiCoach(own.api_client.ai_coach_url, timeout_s),
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m examples.workouts", description=__doc__)
    commands = parser.add_subparsers(dest="command", metavar="run | check | enqueue | env")
    commands.add_parser("run", help="the worker and the health endpoint (the default)")
    commands.add_parser("check", help="is everything there?")
    commands.add_parser("env", help="print the worker's settings, for eval in a shell")
    enqueue = commands.add_parser("enqueue", help="enqueue one job; prints its id")
    enqueue.add_argument("kind")
    enqueue.add_argument("--args", default="{}", help="a JSON object of named arguments")
    return parser


if __name__ == "__main__":
    sys.exit(main())
