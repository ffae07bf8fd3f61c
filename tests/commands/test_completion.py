"""Completion by Tab in real shells, however the program is called."""

from __future__ import annotations

import contextlib
import os
import pty
import shutil
import subprocess
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest

from commands.completion import Shell
from tests.processes.conftest import ROOT, wait_until

_WAYS = ["cli.py", "./cli.py", ".venv/bin/python cli.py", "./run_worker.sh"]


def _script(shell: str, *arguments: str, home: Path | None = None) -> str:
    return subprocess.run(
        [sys.executable, str(ROOT / "cli.py"), "completion", shell, *arguments],
        env={**os.environ, "HOME": str(home or Path.home())},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout


@pytest.fixture(scope="module")
def scripts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scripts")
    for shell in Shell:
        (folder / shell).write_text(_script(shell))
    return folder


def _run(argv: Sequence[str]) -> list[str]:
    ended = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.split("\n")[:-1]


def _bash(scripts: Path, typed: str) -> list[str]:
    """What bash offers for a line that ends with the word to complete."""
    words = " ".join(f"'{word}'" for word in typed.split(" "))
    script = (
        f"source '{scripts / 'bash'}'; COMP_WORDS=({words}); "
        "COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); "
        '_video_worker; for word in "${COMPREPLY[@]}"; do echo "$word"; done'
    )
    return _run(["bash", "--norc", "-c", script])


@pytest.mark.parametrize("way", [*_WAYS[:3], f"{ROOT}/.venv/bin/python {ROOT}/cli.py"])
def test_bash_completes_commands_flags_and_subcommands(scripts: Path, way: str) -> None:
    assert _bash(scripts, f"{way} pau") == ["pause"]
    assert _bash(scripts, f"{way} submit --cta") == ["--cta-text", "--cta-url"]
    assert _bash(scripts, f"{way} load-test r") == ["run"]


def test_bash_completes_what_run_worker_hands_on(scripts: Path) -> None:
    assert _bash(scripts, "./run_worker.sh dem") == ["demo"]
    assert "--product-name" in _bash(scripts, "./run_worker.sh demo --pro")
    assert _bash(scripts, "./run_worker.sh worker-1 --pro") == []


def test_bash_leaves_other_uses_of_python_alone(scripts: Path) -> None:
    assert _bash(scripts, ".venv/bin/python worker.py pau") == []
    known = _run(["bash", "--norc", "-c", f"source '{scripts / 'bash'}'; complete -p"])
    pythons = {line.split()[-1].strip("'") for line in known if "python" in line}
    assert pythons == {".venv/bin/python", f"{ROOT}/.venv/bin/python"}


def test_tab_is_pressed_in_a_bash_that_was_set_up_by_one_command(tmp_path: Path) -> None:
    for _ in range(2):
        _script("bash", "--install", home=tmp_path)
    assert len((tmp_path / ".bashrc").read_text().splitlines()) == 1
    with (tmp_path / ".bashrc").open("a") as rc:
        rc.write("bind 'set enable-bracketed-paste off'\nPS1='ready> '\n")
    ours, theirs = pty.openpty()
    shell = subprocess.Popen(
        ["bash", "-i"],
        cwd=ROOT,
        env={**os.environ, "HOME": str(tmp_path), "TERM": "dumb"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.set_blocking(ours, False)
    seen = bytearray()

    def shows(text: bytes) -> bool:
        with contextlib.suppress(BlockingIOError):
            seen.extend(os.read(ours, 65536))
        return text in seen

    try:
        wait_until(lambda: shows(b"ready> "), what="a prompt")
        for way in (".venv/bin/python cli.py", "./cli.py"):
            seen.clear()
            os.write(ours, f"{way} pau\t".encode())
            wait_until(partial(shows, f"{way} pause ".encode()), what=f"{way} pause")
            os.write(ours, b"\x03")
            wait_until(lambda: shows(b"ready> "), what="a prompt")
    finally:
        shell.kill()
        shell.wait()
        os.close(ours)
        os.close(theirs)


@pytest.mark.skipif(shutil.which("fish") is None, reason="no fish on PATH")
@pytest.mark.parametrize("way", [*_WAYS[1:3]])
def test_fish_completes(scripts: Path, way: str) -> None:
    line = f"source '{scripts / 'fish'}'; complete -C '{way} pau'"
    offered = _run(["fish", "--no-config", "-c", line])
    assert [found.split("\t")[0] for found in offered] == ["pause"]


@pytest.mark.skipif(shutil.which("zsh") is None, reason="no zsh on PATH")
@pytest.mark.parametrize("way", [*_WAYS[1:3]])
def test_zsh_completes(scripts: Path, way: str) -> None:
    """The function that Tab calls, with zsh's own `_arguments` in its place."""
    shell = (
        'compdef() { : }; _arguments() { print -r -- "$@" }; '
        f"source '{scripts / 'zsh'}'; words=({way} pau); CURRENT=$#words; _video_worker"
    )
    [offered] = _run(["zsh", "-f", "-c", shell])
    assert '"pause"' in offered and '"resume"' not in offered
