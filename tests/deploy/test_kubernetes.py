"""The Kubernetes manifests name what there is: settings, ports, paths, programs, each other."""

from __future__ import annotations

import re
import shutil
import subprocess
from functools import cache
from typing import Any

import pytest
import yaml
from pydantic import SecretStr

from api.app import create_app
from config import Settings, load_settings, variable_of
from examples.priorities.settings import PrioritySettings
from runtime.health_server import HealthServer
from tests.processes.conftest import ROOT

FOLDER = ROOT / "deploy" / "kubernetes"
needs_kubectl = pytest.mark.skipif(not shutil.which("kubectl"), reason="kubectl")
OVERLAYS = ("preview", "production")


@cache
def base() -> dict[tuple[str, str], Any]:
    """Every object of the base, by kind and name."""
    names = yaml.safe_load((FOLDER / "base" / "kustomization.yaml").read_text())["resources"]
    return objects("".join(f"---\n{(FOLDER / 'base' / name).read_text()}" for name in names))


def objects(text: str) -> dict[tuple[str, str], Any]:
    found = [each for each in yaml.safe_load_all(text) if each]
    return {(each["kind"], each["metadata"]["name"]): each for each in found}


@cache
def rendered(overlay: str) -> dict[tuple[str, str], Any]:
    """What `kubectl apply -k` would send."""
    ended = subprocess.run(
        ["kubectl", "kustomize", str(FOLDER / "overlays" / overlay)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.returncode == 0, ended.stderr
    return objects(ended.stdout)


def pod(name: str) -> Any:
    return base()["Deployment", name]["spec"]["template"]["spec"]


def container(name: str) -> Any:
    (only,) = pod(name)["containers"]
    return only


def probes(name: str) -> dict[str, Any]:
    return {key: probe for key, probe in container(name).items() if key.endswith("Probe")}


def test_every_file_that_is_named_is_there() -> None:
    for page in FOLDER.rglob("kustomization.yaml"):
        parsed = yaml.safe_load(page.read_text())
        named = parsed["resources"] + [patch["path"] for patch in parsed.get("patches", [])]
        assert [name for name in named if not (page.parent / name).exists()] == []


def test_every_variable_is_a_setting_that_the_worker_accepts() -> None:
    secret = yaml.safe_load((FOLDER / "base" / "secret.example.yaml").read_text())
    given = {**base()["ConfigMap", "video-worker"]["data"], **secret["stringData"]}
    for name in ("worker", "api"):
        given |= {each["name"]: each["value"] for each in container(name)["env"]}
    fields = {variable_of(field): field for field in Settings.model_fields}
    own = {f"WORKER_{field.upper()}" for field in PrioritySettings.model_fields}
    others = {name for name in given if name.startswith("AWS_")} | own
    assert given.keys() - others <= fields.keys()
    assert all(isinstance(value, str) for value in given.values())
    loaded = load_settings(
        _env_file=None,
        **{fields[name]: value for name, value in given.items() if name in fields},
    )
    assert loaded.queues == ("critical", "default", "low")
    assert loaded.concurrency == 8


def test_configuration_and_secret_are_those_that_there_are() -> None:
    secret = yaml.safe_load((FOLDER / "base" / "secret.example.yaml").read_text())
    for name in ("worker", "api"):
        sources = container(name)["envFrom"]
        assert sources[0] == {"configMapRef": {"name": "video-worker"}}
        assert sources[1] == {"secretRef": {"name": secret["metadata"]["name"]}}
    assert ("ConfigMap", "video-worker") in base()


def test_services_and_their_pods_agree() -> None:
    for (kind, name), service in base().items():
        if kind == "Service":
            labels = base()["Deployment", name]["spec"]["template"]["metadata"]["labels"]
            assert service["spec"]["selector"].items() <= labels.items()
            ports = {port["name"]: port["containerPort"] for port in container(name)["ports"]}
            for port in service["spec"]["ports"]:
                assert ports[port["targetPort"]] == port["port"]
    config = base()["ConfigMap", "video-worker"]["data"]
    assert config["REDIS_URL"] == "redis://redis:6379/0"
    assert config["WORKER_HEALTH_CHECK_URL"] == "http://api:8080/health"


@pytest.mark.parametrize("name", ["worker", "api", "redis"])
def test_a_service_does_not_set_settings_by_its_name(name: str) -> None:
    """A service `api` would give every pod API_PORT=tcp://..., which is a setting of ours."""
    assert pod(name)["enableServiceLinks"] is False


def test_programs_and_ports_are_the_images_own() -> None:
    worker, api = container("worker"), container("api")
    assert (ROOT / worker["command"][1]).is_file()
    assert api["command"][1] == "-m" and (ROOT / api["command"][2] / "__main__.py").is_file()
    for one, port, variable in ((worker, 8002, "WORKER_HEALTH_PORT"), (api, 8080, "API_PORT")):
        assert [each["containerPort"] for each in one["ports"]] == [port]
        assert {each["name"]: each["value"] for each in one["env"]}[variable] == str(port)
    annotations = base()["Deployment", "worker"]["spec"]["template"]["metadata"]["annotations"]
    assert annotations["prometheus.io/port"] == "8002"
    dockerfile = (ROOT / "deploy" / "docker" / "Dockerfile").read_text()
    assert f"USER {pod('worker')['securityContext']['runAsUser']}\n" in dockerfile
    (kept,) = [each for each in worker["volumeMounts"] if each["name"] == "var"]
    assert f"VOLUME {kept['mountPath']}\n" in dockerfile


class Well:
    """A worker that is well."""

    def report(self) -> dict[str, Any]:
        return {"status": "healthy"}

    def is_live(self) -> bool:
        return True

    def takes_jobs(self) -> bool:
        return True


def test_the_probes_ask_what_is_served(tmp_path: Any) -> None:
    server = HealthServer("127.0.0.1", 0, Well(), lambda: b"")
    try:
        for probe in probes("worker").values():
            assert probe["httpGet"]["port"] == "health"
            assert server.answer(probe["httpGet"]["path"])[0] == 200
        metrics = base()["Deployment", "worker"]["spec"]["template"]["metadata"]["annotations"]
        assert server.answer(metrics["prometheus.io/path"])[0] == 200
    finally:
        server.close()
    settings = load_settings(
        _env_file=None,
        database_url=f"sqlite:///{tmp_path / 'api.db'}",
        api_secret=SecretStr("a-secret-for-this-test-alone-0123456789"),
        api_tokens=SecretStr("a-token-for-this-test=read"),
    )
    served = set(create_app(settings).openapi()["paths"])
    assert {probe["httpGet"]["path"] for probe in probes("api").values()} <= served


def test_pods_may_do_little_and_have_time_to_leave() -> None:
    for name in ("worker", "api"):
        security = container(name)["securityContext"]
        assert security["readOnlyRootFilesystem"] and not security["allowPrivilegeEscalation"]
        assert pod(name)["securityContext"]["runAsNonRoot"]
    assert pod("worker")["terminationGracePeriodSeconds"] >= 10
    assert "noeviction" in container("redis")["args"]


@needs_kubectl
@pytest.mark.parametrize(
    ("overlay", "replicas", "cpu", "memory"),
    [("preview", 1, "200m", "512Mi"), ("production", 3, "500m", "1Gi")],
)
def test_overlays_are_what_their_table_says(
    overlay: str, replicas: int, cpu: str, memory: str
) -> None:
    found = rendered(overlay)
    worker = found["Deployment", "worker"]["spec"]
    assert worker["template"]["spec"]["containers"][0]["resources"] == {
        "requests": {"cpu": cpu, "memory": memory},
        "limits": {"memory": memory},
    }
    scaler = found.get(("HorizontalPodAutoscaler", "worker"))
    # With an autoscaler, a number of replicas in the deployment would undo its work at each apply.
    fewest = scaler["spec"]["minReplicas"] if scaler else worker["replicas"]
    assert fewest == replicas and ("replicas" in worker) == (scaler is None)
    if scaler:
        target = scaler["spec"]["scaleTargetRef"]
        assert (target["kind"], target["name"]) in found
    for (kind, _), each in found.items():
        if kind != "Namespace":
            assert each["metadata"]["namespace"] == f"video-worker-{overlay}"
    assert f"{cpu} CPU, {memory}" in (FOLDER / "README.md").read_text()


@needs_kubectl
def test_the_pages_commands_name_what_is_rendered() -> None:
    lines = re.findall(r"^kubectl .*$", (FOLDER / "README.md").read_text(), re.M)
    assert len(lines) >= 12
    for line in lines:
        words = line.partition(" -- ")[0].partition("#")[0].split()
        if "-k" in words:
            path = words[words.index("-k") + 1]
            assert (ROOT / path / "kustomization.yaml").is_file(), line
            continue
        namespace = words[words.index("-n") + 1]
        found = rendered(namespace.removeprefix("video-worker-"))
        assert ("Namespace", namespace) in found
        kinds = {"deployment": "Deployment", "service": "Service", "hpa": "HorizontalPodAutoscaler"}
        for kind, name in re.findall(r"\b(deployment|service|hpa)[ /](\w+)", " ".join(words)):
            assert (kinds[kind], name) in found, line
        for label in re.findall(r"-l (\S+)", line):
            key, _, value = label.partition("=")
            pods = [
                each["spec"]["template"] for each in found.values() if each["kind"] == "Deployment"
            ]
            assert any(each["metadata"]["labels"].get(key) == value for each in pods)


@needs_kubectl
def test_the_pages_commands_have_flags_that_kubectl_knows() -> None:
    for line in re.findall(r"^kubectl .*$", (FOLDER / "README.md").read_text(), re.M):
        verb = line.split()[1:2] + (["pods"] if line.split()[1] == "top" else [])
        known = subprocess.run(
            ["kubectl", *verb, "--help"], capture_output=True, text=True, timeout=60
        ).stdout
        options = subprocess.run(["kubectl", "options"], capture_output=True, text=True).stdout
        for flag in re.findall(r" (-\w|--\w+)\b", line.partition(" -- ")[0].partition("#")[0]):
            assert re.search(rf"(^|[\s,]){flag}\b", known + options, re.M), (line, flag)
