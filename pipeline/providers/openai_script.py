"""Any OpenAI-compatible endpoint writes the ad: OpenAI itself, or a local model's server."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from jobs.payload import VideoJob
from pipeline.providers import script_prompt as prompt
from pipeline.providers.http_errors import OPENAI, unreadable
from pipeline.providers.model_script import MAX_TOKENS, Turn, Written, write_script
from pipeline.providers.paid import checked_key
from pipeline.providers.prices import Tokens, text_microusd
from pipeline.providers.script_ports import Script
from pipeline.providers.wire import Wire
from pipeline.stage import Json, StageContext

_CHARACTERS_PER_TOKEN = 3
_HOST = "api.openai.com"
_FORMAT = {
    "type": "json_schema",
    "json_schema": {"name": "ad_script", "strict": True, "schema": prompt.SCHEMA},
}


class OpenAICompatibleScript:
    """`base_url` ends where `/chat/completions` begins, usually in `/v1`. `api_key` may be None.

    An answer cannot be looked up: one that a crash cut off is in doubt. A model without a known
    price counts as free, and its usage says so.
    """

    name = "openai"
    title = OPENAI.title

    def __init__(
        self, base_url: str, model: str, api_key: str | None = None, timeout_s: float = 300.0
    ) -> None:
        self._key = checked_key("OPENAI_API_KEY", api_key) if api_key else None
        self._base_url = base_url
        self._model = model
        self._timeout_s = timeout_s
        self._is_openai = urlsplit(base_url).hostname == _HOST
        self.version = f"1:{model}"

    def write(self, job: VideoJob, ctx: StageContext) -> Script:
        """See ScriptProvider. Raises ProviderRefused when the model declines the product."""
        return write_script(self, job, ctx)

    def estimate_microusd(self, characters: int) -> int:
        """See Model."""
        return self._price(Tokens(characters // _CHARACTERS_PER_TOKEN, MAX_TOKENS)) or 0

    def ask(self, turns: list[Turn], seed: int) -> Written:
        """See Model."""
        body: Json = {
            "model": self._model,
            "messages": [{"role": "system", "content": prompt.SYSTEM}, *turns],
            "response_format": _FORMAT,
            # OpenAI has renamed it, and its newer models refuse the old name; others know only it.
            "max_completion_tokens" if self._is_openai else "max_tokens": MAX_TOKENS,
            "seed": seed,
        }
        headers = {"authorization": f"Bearer {self._key}"} if self._key else {}
        with Wire(OPENAI, self._base_url, headers, timeout_s=self._timeout_s) as wire:
            data = wire.ask("POST", "/chat/completions", body=body).data
        try:
            choice = data["choices"][0]
            message: Json = choice["message"]
            reason = str(choice.get("finish_reason") or "stop")
            counted: Json = data.get("usage") or {}
            tokens = Tokens(
                int(counted.get("prompt_tokens") or 0), int(counted.get("completion_tokens") or 0)
            )
            text: Any = message.get("content")
        except (KeyError, IndexError, TypeError, ValueError, AttributeError):
            raise unreadable(OPENAI) from None
        price = self._price(tokens)
        usage = {"input_tokens": tokens.input, "output_tokens": tokens.output, "model": self._model}
        if price is None:
            usage["price"] = "unknown"
        declined = bool(message.get("refusal")) or reason == "content_filter"
        whole = reason == "stop" and isinstance(text, str)
        return Written(
            text if isinstance(text, str) else "",
            "refused" if declined else "whole" if whole else "cut",
            price or 0,
            usage,
        )

    def _price(self, tokens: Tokens) -> int | None:
        return text_microusd("openai", self._model, tokens) if self._is_openai else None
