"""deploy/docker: paths, ports, commands and settings are the repository's; every service runs."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from config import Settings, variable_of
from examples.stack.registry import QUEUES
from redis_queue import presence
from tests.examples.readme import commands, free_port, status_of
from tests.processes.conftest import ROOT, Stack, wait_until

FOLDER = ROOT / "deploy/docker"
COMPOSE: dict[str, Any] = yaml.safe_load((FOLDER / "compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OWN = [name for name, service in SERVICES.items() if "build" in service]
SETTINGS = {variable_of(field) for field in Settings.model_fields}
#: What Compose reads from deploy/docker/.env.
GIVEN = {
    "POSTGRES_PASSWORD": "postgres0123456789",
    "API_TOKENS": "docker-token-0123456789=operate",
    "API_SECRET": "docker-secret-0123456789",
}


def instructions() -> Iterator[tuple[str, str]]:
    """The Dockerfile's, lines that go on joined."""
    text = re.sub(r"^\s*#.*\n", "", (FOLDER / "Dockerfile").read_text(), flags=re.M)
    for line in text.replace("\\\n", " ").splitlines():
        if line.strip():
            word, _, rest = line.strip().partition(" ")
            yield word, " ".join(rest.split())


def assigned(rest: str) -> dict[str, str]:
    return dict(pair.split("=", 1) for pair in shlex.split(rest))


def test_the_dockerfile_is_made_of_known_instructions_in_order() -> None:
    words = [word for word, _ in instructions()]
    assert words[0] == "FROM" and words[-1] == "CMD"
    known = {"FROM", "RUN", "WORKDIR", "COPY", "USER", "ENV", "VOLUME", "EXPOSE", "CMD"}
    assert set(words) <= known
    # What is installed is cached apart from the code; nothing runs as root.
    listed = list(instructions())
    assert listed.index(("COPY", "requirements.txt .")) < listed.index(("COPY", ". ."))
    assert ("USER", "10001") in listed
    (image,) = (rest for word, rest in listed if word == "FROM")
    assert re.fullmatch(r"python:3\.(11|12|13)-slim", image)


def test_what_the_dockerfile_names_is_there() -> None:
    for word, rest in instructions():
        if word == "COPY":
            *sources, _ = rest.split()
            assert all((ROOT / source).exists() for source in sources)
        if word == "RUN" and "pip install" in rest:
            assert "-r requirements.txt" in rest
        if word == "ENV":
            own = {name for name in assigned(rest) if not name.startswith(("PYTHON", "PIP_"))}
            assert own <= SETTINGS
        if word == "CMD":
            assert yaml.safe_load(rest) == ["python", "worker.py"]
    ports = next(rest for word, rest in instructions() if word == "EXPOSE")
    assert ports.split() == [str(Settings.model_fields["api_port"].default), "8002"]


def test_the_shell_of_each_run_parses() -> None:
    for word, rest in instructions():
        if word == "RUN":
            subprocess.run(["sh", "-n", "-c", rest], check=True)


def test_what_holds_secrets_or_is_not_needed_stays_out_of_the_image() -> None:
    left_out = (ROOT / ".dockerignore").read_text().split("\n")
    for name in (".git", ".venv", "**/.env", "var", "tests"):
        assert name in left_out
    # And what runs is kept.
    for kept in ("worker.py", "api", "examples", "store", "deploy", "cli.py", "commands"):
        assert kept not in left_out and (ROOT / kept).exists()


def test_there_is_a_service_for_each_queue() -> None:
    assert set(SERVICES) == {
        "redis",
        "postgres",
        "api",
        "worker",
        "worker-system",
        "worker-load-test",
        "worker-media",
        "stack-health",
    }
    for queue in QUEUES:
        service = SERVICES[f"worker-{queue.replace('_', '-')}"]
        assert service["command"][:4] == ["python", "-m", "examples.stack", queue]
        assert service["healthcheck"]["test"][-2:] == [queue, "--check"]
    off = [name for name, service in SERVICES.items() if service.get("profiles")]
    assert off == ["worker-media"]


@pytest.mark.parametrize("name", OWN)
def test_a_service_names_what_is_there(name: str) -> None:
    service = SERVICES[name]
    build = service["build"]
    assert (FOLDER / build["context"]).resolve() == ROOT
    assert (ROOT / build["dockerfile"]).is_file()
    assert set(service["environment"]) <= SETTINGS
    assert set(service["depends_on"]) <= set(SERVICES)
    for dependency, how in service["depends_on"].items():
        assert how["condition"] == "service_healthy" and SERVICES[dependency]["healthcheck"]
    for volume in service["volumes"]:
        assert volume.partition(":")[0] in COMPOSE["volumes"]
    assert service["init"] is True and service["stop_grace_period"] == "10s"
    for port in service.get("ports", ()):
        # Only on the host itself, and where the service listens.
        host, outer, inner = port.split(":")
        assert (host, outer) == ("127.0.0.1", inner)
        said = [*service["command"], *service["environment"].values()]
        assert inner in said


def test_shared_files_lie_where_the_image_lets_them_be_written() -> None:
    servers = COMPOSE["x-servers"]
    made = next(rest for word, rest in instructions() if "mkdir" in rest)
    for setting in ("ARTIFACT_URL", "IMAGE_FOLDERS"):
        assert servers[setting].removeprefix("file://") in made.split()
    assert "chown -R worker var /data" in made
    assert all("files:/data" in SERVICES[name]["volumes"] for name in OWN)


def test_servers_are_named_as_the_services_are() -> None:
    servers = COMPOSE["x-servers"]
    assert servers["REDIS_URL"] == "redis://redis:6379/0"
    assert re.fullmatch(
        r"postgresql://worker:\$\{POSTGRES_PASSWORD:\?.*\}@postgres:5432/worker",
        servers["DATABASE_URL"],
    )
    postgres = SERVICES["postgres"]["environment"]
    assert (postgres["POSTGRES_USER"], postgres["POSTGRES_DB"]) == ("worker", "worker")
    text = (FOLDER / "compose.yml").read_text()
    asked = set(re.findall(r"\$\{(\w+):\?", text))
    example = (FOLDER / "env.example").read_text()
    assert asked == set(re.findall(r"^(\w+)=", example, re.M)) == set(GIVEN)
    assert "$" not in re.sub(r"\$\{\w+:\?[^}]*\}", "", text)


def test_redis_takes_its_options(stack: Stack) -> None:
    program, *options = SERVICES["redis"]["command"]
    assert program == "redis-server"
    for option, value in zip(options[::2], options[1::2], strict=True):
        stack.client.config_set(option.removeprefix("--"), value)
        found = stack.client.config_get(option.removeprefix("--"))
        assert value.encode() in found.values() or value in found.values()
    stack.client.config_set("appendonly", "no")


@pytest.mark.parametrize("name", OWN)
def test_a_services_command_runs(stack: Stack, name: str) -> None:
    """As a process on the test's servers, with the settings that Compose would give."""
    service, ports = SERVICES[name], {"8000": free_port(), "8080": free_port(), "8002": free_port()}

    def here(text: str) -> str:
        for port, other in ports.items():
            text = re.sub(rf"(?<!\d){port}(?!\d)", str(other), text)
        return text.replace("0.0.0.0", "127.0.0.1")

    given = {key: here(filled(value)) for key, value in service["environment"].items()}
    for server in ("REDIS_URL", "DATABASE_URL", "ARTIFACT_URL", "IMAGE_FOLDERS"):
        del given[server]
    environment = stack.environment(**given)
    command = [here(word) for word in service["command"]]
    assert command[0] == "python"
    log = stack.folder / f"{name}.log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, *command[1:]],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
        )
    stack.workers.append(process)
    stack.logs[process.pid] = log
    if name == "api":
        wait_until(lambda: status_of(f"http://127.0.0.1:{ports['8080']}/health/live") == 200)
    elif name == "stack-health":
        wait_until(partial(is_well, f"http://127.0.0.1:{ports['8000']}/health/detailed"))
    else:
        wait_until(lambda: stack.events(process, "worker_started"), what=log.read_text())
        row = wait_until(lambda: presence.workers(stack.client))[0]
        if name != "worker":
            assert row["worker_id"] == name
            assert row["queues"] == name.removeprefix("worker-").replace("-", "_")
    if "healthcheck" in service:
        kind, *check = service["healthcheck"]["test"]
        assert kind == "CMD" and check[0] == "python"
        line = [sys.executable, *(here(word) for word in check[1:])]
        subprocess.run(line, cwd=ROOT, env=environment, check=True, timeout=60)
    assert process.poll() is None


def filled(value: str) -> str:
    return re.sub(r"\$\{(\w+):\?[^}]*\}", lambda found: GIVEN[found[1]], str(value))


def is_well(url: str) -> bool:
    return status_of(url) == 200


def test_the_readmes_commands_name_services_and_run_inside(stack: Stack) -> None:
    verbs = {"logs", "up", "ps", "exec", "restart"}
    ran = []
    for command in commands(FOLDER / "README.md"):
        if not command.startswith("docker compose"):
            assert command in ("cd deploy/docker", "cp env.example .env", "docker stats")
            continue
        words = shlex.split(command.partition("|")[0])[2:]
        verb, named = words[0], [word for word in words[1:] if not word.startswith("-")]
        assert verb in verbs, command
        if verb != "exec":
            assert {word.partition("=")[0] for word in named} <= set(SERVICES), command
            continue
        service, program, *arguments = words[1:]
        assert service in SERVICES
        if program == "python":
            ran.append(arguments)
        else:
            assert program in ("ps", "redis-cli")
    serving = subprocess.Popen(
        [sys.executable, "-m", "examples.stack", "load_test"],
        cwd=ROOT,
        env=stack.environment(),
        stderr=subprocess.DEVNULL,
    )
    stack.workers.append(serving)
    for arguments in ran:
        subprocess.run(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=stack.environment(),
            check=True,
            timeout=60,
            stdout=subprocess.DEVNULL,
        )
    assert len(ran) >= 4


def test_the_readmes_table_lists_the_services() -> None:
    text = (FOLDER / "README.md").read_text()
    table = text.partition("| service |")[2].partition("\n\n")[0]
    listed = re.findall(
        r"`([a-z-]+)`(?=[,| ])", "".join(row.split("|")[1] + "|" for row in rows(table))
    )
    assert set(listed) == set(SERVICES)
    assert Path(FOLDER / "env.example").is_file()


def rows(table: str) -> list[str]:
    return [line for line in table.splitlines() if line.startswith("| `")]
