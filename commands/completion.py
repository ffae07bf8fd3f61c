"""`cli.py completion`: what a shell needs to complete commands, flags and their values.

Typer's own installer knows a command by its bare name only; here people also call the program as
`.venv/bin/python cli.py` and `./run_worker.sh`.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from commands.output import say
from config import ROOT

#: Set by the scripts of commands/shells to ask this program what fits.
COMPLETE_VARIABLE = "_VIDEO_WORKER_COMPLETE"
_SCRIPTS = Path(__file__).parent / "shells"


class Shell(StrEnum):
    """The shells that are known; each has a script of that name in commands/shells."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


def completion(
    shell: Annotated[Shell, typer.Argument(help="bash, zsh or fish.")],
    install: Annotated[
        bool, typer.Option("--install", help="Set it up for every new shell; safe to repeat.")
    ] = False,
) -> None:
    """Print a shell's completion script, or set it up."""
    script = (_SCRIPTS / shell).read_text(encoding="utf-8").replace("@ROOT@", str(ROOT))
    if not install:
        say(script)
        return
    kept = _kept(shell)
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_text(script, encoding="utf-8")
    if shell is not Shell.FISH:
        _named_in(Path.home() / f".{shell}rc", f"[ -f '{kept}' ] && . '{kept}'")
    say(f"{kept} is read by every new {shell}; for this one: source '{kept}'")


def _kept(shell: Shell) -> Path:
    # fish reads that folder by itself; the others are told by a line in their own file.
    if shell is Shell.FISH:
        return Path.home() / ".config" / "fish" / "conf.d" / "video-worker.fish"
    return Path.home() / ".local" / "share" / "video-worker" / f"completion.{shell}"


def _named_in(file: Path, line: str) -> None:
    text = file.read_text(encoding="utf-8") if file.exists() else ""
    if line not in text.splitlines():
        break_before = "\n" if text and not text.endswith("\n") else ""
        file.write_text(f"{text}{break_before}{line}\n", encoding="utf-8")
