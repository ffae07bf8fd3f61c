"""`./run_worker.sh up`: an embedded Redis, two workers and the dashboard, until Ctrl-C."""

from __future__ import annotations

import json
import os
import socket
import sys
from functools import partial
from typing import Annotated

import typer

from commands.connections import STACK_FILE
from commands.output import say_error, screen
from config import ROOT, VAR, child_environment, load_settings
from runtime.embedded import BusyError, EmbeddedRedis
from runtime.logs import configure_logs
from runtime.pool import Pool

_PORTS_TRIED = 20
#: Whatever keys are exported, nothing is spent unless --live says so.
EMBEDDED_PROVIDERS = {
    "SCRIPT_PROVIDER": "template",
    "VOICE_PROVIDER": "piper",
    "VIDEO_PROVIDER": "motion",
    "COMPOSITOR": "ffmpeg",
}


def up(
    workers: Annotated[int, typer.Option(min=1, max=64, help="How many workers.")] = 2,
    live: Annotated[
        bool, typer.Option("--live", help="Use the providers that the environment names.")
    ] = False,
) -> None:
    """Start an embedded Redis, workers and the dashboard; Ctrl-C stops all of it cleanly."""
    settings = load_settings()
    configure_logs(settings)
    database_url = settings.database_url.get_secret_value()
    try:
        with EmbeddedRedis(VAR / "valkey") as redis:
            providers = {} if live else EMBEDDED_PROVIDERS
            port = _free_port(settings.api_host, settings.api_port)
            env = child_environment(
                REDIS_URL=redis.url,
                DATABASE_URL=database_url,
                API_PORT=str(port),
                PYTHONPATH=str(ROOT),
                **providers,
            )
            urls = {"redis_url": redis.url, "database_url": database_url, "pid": os.getpid()}
            STACK_FILE.write_text(json.dumps(urls))
            STACK_FILE.chmod(0o600)
            screen.print("For other terminals:", style="bold")
            screen.print(f"  export REDIS_URL='{redis.url}'", markup=False, soft_wrap=True)
            screen.print(f"  export DATABASE_URL='{database_url}'", markup=False, soft_wrap=True)
            screen.print("Here: .venv/bin/python cli.py submit --product-name 'My product' --watch")
            try:
                code = Pool(workers + 1, partial(_command, workers), env=env).run()
            finally:
                STACK_FILE.unlink(missing_ok=True)
    except BusyError as error:
        say_error(f"it runs already in this checkout: {error}")
        raise typer.Exit(1) from None
    raise typer.Exit(code)


def _free_port(host: str, wanted: int) -> int:
    """The wanted port, or the next one that nobody has."""
    for port in range(wanted, wanted + _PORTS_TRIED):
        try:
            socket.create_server((host, port)).close()
        except OSError:
            continue
        return port
    return wanted


def _command(workers: int, number: int) -> list[str]:
    if number > workers:
        # This checkout's, wherever the shell stands: -P keeps its folder out of the path.
        return [sys.executable, "-P", "-m", "api"]
    return [sys.executable, str(ROOT / "worker.py"), f"worker-{number}", "--number", str(number)]
