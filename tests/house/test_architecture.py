"""The house's own rules: who may import whom, and what only one room may touch."""

from __future__ import annotations

import ast
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

#: Room to the rooms it may import. A room is a top-level module or package.
LEAVES = {"events", "config", "errors"}
JOBS = LEAVES | {"jobs"}
STORE = JOBS | {"store"}
QUEUE = JOBS | {"redis_queue"}
RUNTIME = JOBS | {"runtime", "pipeline", "redis_client", "redis_queue", "database", "store"}
BACKGROUND = RUNTIME | {"background"}
MAY_IMPORT = {
    "errors": set[str](),
    "config": {"errors"},
    "events": set[str](),
    "jobs": JOBS,
    "store": STORE,
    "database": STORE | {"database"},
    "redis_queue": QUEUE,
    "redis_client": QUEUE | {"redis_client"},
    "pipeline": JOBS | {"pipeline"},
    "runtime": RUNTIME,
    "background": BACKGROUND,
    "worker": BACKGROUND | {"worker"},
    "commands": BACKGROUND | {"commands"},
    "cli": BACKGROUND | {"cli", "commands"},
    "api": BACKGROUND | {"api"},
    "examples": BACKGROUND | {"examples"},
    "benchmarks": BACKGROUND | {"benchmarks", "commands", "api"},
}
#: Third-party modules that one room keeps to itself.
KEPT = {"redis": "redis_queue", "sqlalchemy": "store", "alembic": "store"}
#: Faces of a room that hand out its types; examples keep tables of their own.
FACES = {("database", "sqlalchemy"), ("examples", "sqlalchemy")}
#: Programs that run in an environment of their own, where nothing of ours can be imported.
APART = {"benchmarks/versus_queues_peers.py"}


def _files() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.py"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    return [ROOT / name for name in listed if not name.startswith("tests/")]


def _room(path: Path) -> str:
    parts = path.relative_to(ROOT).parts
    return parts[0].removesuffix(".py")


def _imports(tree: ast.AST) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.split(".")[0])
    return found


@pytest.mark.parametrize("path", _files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_imports_only_what_its_room_may(path: Path) -> None:
    room = _room(path)
    assert room in MAY_IMPORT, f"{room} is not listed: say who it may import"
    tree = ast.parse(path.read_text())
    imported = _imports(tree)
    assert imported & MAY_IMPORT.keys() <= MAY_IMPORT[room] | {room}
    for module, owner in KEPT.items() if str(path.relative_to(ROOT)) not in APART else ():
        if module in imported and (room, module) not in FACES:
            assert room == owner, f"{module} belongs in {owner}/"
    uses_environ = any(
        isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv")
        for node in ast.walk(tree)
    )
    assert not uses_environ or room == "config", "the environment is read in config.py"
