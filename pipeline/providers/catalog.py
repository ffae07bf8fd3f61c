"""What the configured providers offer: their models and voices, asked over their own APIs.

GET /v1/models (Anthropic, OpenAI-compatible), /v1/voices and /v1/models (ElevenLabs),
/v1/models/{owner}/{name} (Replicate). Nothing here costs anything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import SecretStr

from config import Settings
from errors import WorkerError
from pipeline.providers.http_errors import (
    CLAUDE,
    ELEVENLABS,
    OPENAI,
    REPLICATE,
    Vendor,
)
from pipeline.providers.wire import Wire
from pipeline.stage import Json

_TIMEOUT_S = 20.0
#: Voices and models that are kept of one provider.
_MOST = 500


def catalog(settings: Settings) -> dict[str, Json]:
    """By provider: `models` and `voices`, or `error`. A provider without a key is left out."""
    found: dict[str, Json] = {
        "template": {"models": ["template"], "voices": []},
        "piper": {"models": ["piper"], "voices": ["joe"]},
    }
    for name, ask in _configured(settings).items():
        try:
            found[name] = ask()
        except WorkerError as error:
            found[name] = {"error": str(error)}
    return found


def _configured(settings: Settings) -> dict[str, Callable[[], Json]]:
    chosen: dict[str, Callable[[], Json]] = {}
    if settings.anthropic_api_key is not None:
        chosen["claude"] = lambda: _claude(settings)
    if settings.openai_api_key is not None or settings.script_provider == "openai":
        chosen["openai"] = lambda: _openai(settings)
    if settings.elevenlabs_api_key is not None:
        chosen["elevenlabs"] = lambda: _elevenlabs(settings)
    if settings.replicate_api_token is not None:
        chosen["replicate"] = lambda: _replicate(settings)
    return chosen


def _claude(settings: Settings) -> Json:
    headers = {
        "Authorization": f"Bearer {_text(settings.anthropic_api_key)}",
        "anthropic-version": "2026-10-21",
    }
    base = settings.anthropic_base_url or "https://api.anthropic.com"
    answer = _get(CLAUDE, base, headers, "/v1/models")
    return {"models": _names(answer.get("data"), "id"), "voices": []}


def _openai(settings: Settings) -> Json:
    key = _text(settings.openai_api_key)
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    answer = _get(OPENAI, settings.openai_base_url, headers, "/models")
    return {"models": _names(answer.get("data"), "id"), "voices": []}


def _elevenlabs(settings: Settings) -> Json:
    headers = {"xi-api-key": _text(settings.elevenlabs_api_key)}
    base = settings.elevenlabs_base_url or "https://api.elevenlabs.io"
    voices = _get(ELEVENLABS, base, headers, "/v1/voices").get("voices")
    models = _get(ELEVENLABS, base, headers, "/v1/models")
    return {"models": _names(models.get("items"), "model_id"), "voices": _names(voices, "voice_id")}


def _replicate(settings: Settings) -> Json:
    headers = {"Authorization": f"Bearer {_text(settings.replicate_api_token)}"}
    base = settings.replicate_base_url or "https://api.replicate.com"
    answer = _get(REPLICATE, base, headers, f"/v1/models/{settings.replicate_model}")
    version = (answer.get("latest_version") or {}).get("id")
    return {"models": [settings.replicate_model], "voices": [], "version": version}


def _get(vendor: Vendor, base: str, headers: Mapping[str, str], path: str) -> dict[str, Any]:
    with Wire(vendor, base, headers, timeout_s=_TIMEOUT_S) as wire:
        data = wire.ask("GET", path).data
    # One vendor answers with a bare list.
    return data if isinstance(data, dict) else {"items": data}


def _names(rows: Any, field: str) -> list[str]:
    found = [row.get(field) for row in rows or [] if isinstance(row, dict)]
    return sorted(name for name in found if isinstance(name, str))[:_MOST]


def _text(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret is not None else ""
