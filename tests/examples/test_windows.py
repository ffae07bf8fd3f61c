"""deploy/windows: the script parses, and names only what is there. It runs where pwsh does."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest
import tree_sitter_powershell
from tree_sitter import Language, Node, Parser

from config import EXIT_CONFIG, EXIT_UNAVAILABLE, Settings, variable_of
from runtime.arguments import parse_arguments
from tests.processes.conftest import ROOT, Stack

FOLDER = ROOT / "deploy/windows"
SCRIPT = (FOLDER / "run_worker.ps1").read_text(encoding="ascii")
README = (FOLDER / "README.md").read_text()
SETTINGS = {variable_of(field) for field in Settings.model_fields}
PARSER = Parser(Language(tree_sitter_powershell.language()))


def errors_of(source: str) -> list[str]:
    """Where a source is no PowerShell."""

    def below(node: Node) -> list[str]:
        own = []
        if node.is_error or node.is_missing:
            own = [f"line {node.start_point[0] + 1}: {node.text!r}"]
        return own + [line for child in node.children for line in below(child)]

    return below(PARSER.parse(source.encode()).root_node)


def test_the_script_parses() -> None:
    assert errors_of(SCRIPT) == []
    # The parser sees what is broken: a brace, a quote and a parenthesis fewer.
    for piece in ('"Windows_NT"', "exit $Unavailable\n}", '@("--check")'):
        assert piece in SCRIPT
        assert errors_of(SCRIPT.replace(piece, piece[:-1]))


def test_functions_and_variables_are_defined_before_they_are_used() -> None:
    functions = re.findall(r"^function ([\w-]+)", SCRIPT, re.M)
    assert functions == ["Write-Help", "Share-Settings", "Invoke-Worker"]
    own = SCRIPT.partition("#>")[2]
    known = {"_", "true", "false", "lastexitcode", "psscriptroot"}
    for line in own.splitlines():
        known |= {name.lower() for name in re.findall(r"\[(?:string|switch|\[\])*\]\$(\w+)", line)}
        known |= {name.lower() for name in re.findall(r"\$(\w+) \+?=", line)}
        known |= {name.lower() for name in re.findall(r"foreach \(\$(\w+) in", line)}
        known |= {name.lower() for name in re.findall(r"\[string\[\]\]\$(\w+)", line)}
        used = {name.lower() for name in re.findall(r"(?<!`)[$@](\w+)(?!\w*:)", line)}
        assert used <= known, line


def test_paths_exit_codes_and_settings_are_the_projects() -> None:
    assert (FOLDER / "../..").resolve() == ROOT
    assert (ROOT / "run_worker.sh").is_file() and "run_worker.sh" in SCRIPT
    assert f"$Unavailable = {EXIT_UNAVAILABLE}\n$WrongSettings = {EXIT_CONFIG}" in SCRIPT
    for text in (SCRIPT, README):
        named = set(re.findall(r"\b(?:WORKER_[A-Z_]+[A-Z]|[A-Z]+_URL)\b", text))
        assert named <= SETTINGS, named - SETTINGS
    assert parse_arguments(["--check"]).check
    assert parse_arguments(["worker-1", "--burst"]).burst


def test_the_readmes_lines_fit_the_script() -> None:
    lines = "\n".join(re.findall(r"^```powershell\n(.*?)^```", README, re.M | re.S))
    assert errors_of(lines) == []
    for path in re.findall(r"(?:C:\\video-worker|\.)(\\deploy\\\S+?\.ps1)", lines):
        assert (ROOT / path.lstrip("\\").replace("\\", "/")).is_file()
    for switch in re.findall(r"`-(\w+)", README):
        assert re.search(rf"\${switch}\b", SCRIPT), switch
    assert f"AppExit {EXIT_CONFIG} Exit" in lines


@pytest.mark.skipif(shutil.which("pwsh") is None, reason="no PowerShell (pwsh) here")
def test_the_script_checks_and_starts_a_worker(stack: Stack) -> None:
    def run(*arguments: str, **settings: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["pwsh", "-NoProfile", "-File", str(FOLDER / "run_worker.ps1"), *arguments],
            env=stack.environment(**settings),
            capture_output=True,
            text=True,
            timeout=120,
        )

    assert run("w", "--burst").returncode == 0
    away = run("w", REDIS_URL="redis://127.0.0.1:1/0")
    assert away.returncode == EXIT_UNAVAILABLE and "does not answer" in away.stdout
    assert run("w", WORKER_LEASE_S="never").returncode == EXIT_CONFIG
