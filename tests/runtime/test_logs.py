"""No secret reaches a log, whatever is logged."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from config import load_settings, secret_values

ROOT = Path(__file__).resolve().parents[2]
KEYS = {
    "ANTHROPIC_API_KEY": "sk-ant-planted-1",
    "ELEVENLABS_API_KEY": "el-planted-2",
    "REPLICATE_API_TOKEN": "r8-planted-3",
    "FAL_KEY": "fal-planted-4",
    "OPENAI_API_KEY": "sk-planted-5",
    "REDIS_URL": "redis://:planted-6@localhost/0",
    "DATABASE_URL": "postgresql://u:planted-7@localhost/d",
}
CODE = """
import structlog
from config import settings
from runtime.logs import configure_logs
configure_logs(settings())
log = structlog.get_logger()
found = settings()
key = found.anthropic_api_key.get_secret_value()
log.info("plain", settings=str(found), api_key="anything", nested={"x": [key]})
log.info("said " + key, url=found.redis_url.get_secret_value())
try:
    raise ValueError("failed with " + found.database_url.get_secret_value())
except ValueError:
    log.exception("crashed")
"""


def test_planted_keys_are_in_no_line() -> None:
    for log_format in ("json", "text"):
        ended = subprocess.run(
            [sys.executable, "-c", CODE],
            cwd=ROOT,
            env={"PATH": "/usr/bin", **KEYS, "WORKER_LOG_FORMAT": log_format},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert ended.returncode == 0, ended.stderr
        assert "planted" not in ended.stderr + ended.stdout
        assert "***" in ended.stderr
        if log_format == "json":
            assert json.loads(ended.stderr.splitlines()[0])["api_key"] == "***"


def test_a_secret_may_be_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "key"
    file.write_text("from-a-file\n")
    monkeypatch.setenv("FAL_KEY_FILE", str(file))
    settings = load_settings(_env_file=None)
    assert settings.fal_key is not None
    assert settings.fal_key.get_secret_value() == "from-a-file"
    assert "from-a-file" in secret_values(settings)
    assert "from-a-file" not in repr(settings)
