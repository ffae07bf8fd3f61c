"""Worker processes with null providers, to be killed, stopped and started again."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from config import ROOT, child_environment, load_settings


@dataclass
class Member:
    """One worker process and the log that it writes."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    frozen: bool = False

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    @property
    def started(self) -> bool:
        return b'"worker_started"' in self.log.read_bytes()

    def kill(self) -> float:
        """SIGKILL; returns the wall clock's time at that moment, in s."""
        at = time.time()
        self.process.kill()
        self.process.wait()
        return at

    def freeze(self) -> None:
        self.process.send_signal(signal.SIGSTOP)
        self.frozen = True

    def thaw(self) -> None:
        self.process.send_signal(signal.SIGCONT)
        self.frozen = False


class Fleet:
    """Starts members; all of them end with the `with` block."""

    def __init__(self, redis_url: str, database_url: str, folder: Path, **settings: object) -> None:
        self._folder = folder
        self._environment = child_environment(
            REDIS_URL=redis_url,
            DATABASE_URL=database_url,
            ARTIFACT_URL=(folder / "artifacts").as_uri(),
            SCRIPT_PROVIDER="null",
            VOICE_PROVIDER="null",
            VIDEO_PROVIDER="null",
            COMPOSITOR="null",
            WORKER_LOG_FORMAT="json",
            WORKER_CRON="false",
            **{name: str(value) for name, value in settings.items()},
        )
        self.members: list[Member] = []

    def __enter__(self) -> Fleet:
        return self

    def __exit__(self, *_error: object) -> None:
        for member in self.members:
            if member.alive:
                with contextlib.suppress(ProcessLookupError):
                    member.thaw()
                member.process.kill()
            member.process.wait()

    def start(self, name: str, **settings: object) -> Member:
        """Start a worker; it does not wait until the worker takes jobs."""
        log = self._folder / f"{len(self.members):04d}-{name}.log"
        with log.open("wb") as file:
            process = subprocess.Popen(
                [sys.executable, str(ROOT / "worker.py"), name],
                cwd=self._folder,
                env={
                    **self._environment,
                    **{key: str(value) for key, value in settings.items()},
                },
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
            )
        member = Member(name, process, log)
        self.members.append(member)
        return member

    @property
    def living(self) -> list[Member]:
        return [member for member in self.members if member.alive]

    def lines(self) -> Iterator[tuple[Member, dict[str, Any]]]:
        """What all members logged; a line that a kill cut in half is left out."""
        for member in self.members:
            for line in member.log.read_text(errors="replace").splitlines():
                with contextlib.suppress(json.JSONDecodeError):
                    yield member, json.loads(line)


def checked_url(database_url: str) -> str:
    """A database's URL as the settings would have it: a bare postgresql:// gets its driver."""
    return load_settings(database_url=database_url).database_url.get_secret_value()


def wait_for(member: Member, *, within_s: float = 30.0) -> None:
    """Return when the worker takes jobs; raises TimeoutError if it does not come up."""
    deadline = time.monotonic() + within_s
    while not member.started:
        if time.monotonic() > deadline or not member.alive:
            raise TimeoutError(f"{member.name} does not start: see {member.log}")
        time.sleep(0.02)
