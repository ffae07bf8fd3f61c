"""The API over an embedded Redis and SQLite, with tokens of each kind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.shop import Shop
from config import Settings

OPERATE, READ = "operate-token-0123456789", "read-token-0123456789"
ACME, OTHER = "acme-token-0123456789", "other-token-0123456789"
TOKENS = f"{OPERATE}=operate,{READ}=read,{ACME}=submit@acme,{OTHER}=submit@other"


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
def api_settings(null_settings: Settings, tmp_path: Path) -> Settings:
    return null_settings.model_copy(
        update={
            "api_tokens": _secret(TOKENS),
            "api_secret": _secret("a-secret-of-the-tests"),
            "image_folders": (str(tmp_path / "uploads"),),
        }
    )


@pytest.fixture
def http(api_settings: Settings, client: Any) -> Iterator[TestClient]:
    """A client with every right; `bearer` changes that for a request."""
    with TestClient(create_app(api_settings), headers=bearer(OPERATE)) as opened:
        yield opened


@pytest.fixture
def shop(http: TestClient) -> Shop:
    found: Shop = http.app.state.shop  # type: ignore[attr-defined]  # Starlette's own state
    return found


def _secret(text: str) -> Any:
    from pydantic import SecretStr

    return SecretStr(text)
