"""`./run_worker.sh up`: an embedded Redis and two workers, until Ctrl-C."""

from __future__ import annotations

import json
import os
import sys
from typing import Annotated

import typer

from commands.connections import STACK_FILE
from commands.output import say_error, screen
from config import ROOT, VAR, child_environment, load_settings
from runtime.embedded import BusyError, EmbeddedRedis
from runtime.logs import configure_logs
from runtime.pool import Pool

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
    """Start an embedded Redis and workers; Ctrl-C stops all of it cleanly."""
    settings = load_settings()
    configure_logs(settings)
    database_url = settings.database_url.get_secret_value()
    try:
        with EmbeddedRedis(VAR / "valkey") as redis:
            providers = {} if live else EMBEDDED_PROVIDERS
            env = child_environment(REDIS_URL=redis.url, DATABASE_URL=database_url, **providers)
            urls = {"redis_url": redis.url, "database_url": database_url, "pid": os.getpid()}
            STACK_FILE.write_text(json.dumps(urls))
            STACK_FILE.chmod(0o600)
            screen.print("For other terminals:", style="bold")
            screen.print(f"  export REDIS_URL='{redis.url}'", markup=False, soft_wrap=True)
            screen.print(f"  export DATABASE_URL='{database_url}'", markup=False, soft_wrap=True)
            screen.print("Here: .venv/bin/python cli.py submit --product-name 'My product' --watch")
            try:
                code = Pool(workers, _command, env=env).run()
            finally:
                STACK_FILE.unlink(missing_ok=True)
    except BusyError as error:
        say_error(f"it runs already in this checkout: {error}")
        raise typer.Exit(1) from None
    raise typer.Exit(code)


def _command(number: int) -> list[str]:
    return [sys.executable, str(ROOT / "worker.py"), f"worker-{number}", "--number", str(number)]
