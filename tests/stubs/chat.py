"""Anthropic messages and OpenAI-compatible chat completions, as far as writing a script goes."""

from __future__ import annotations

import json
from collections import deque
from typing import Any, ClassVar

from tests.stubs.server import Refused, Reply, Request, Stub

GOOD_SCRIPT: dict[str, Any] = {
    "scenes": [
        {"role": "hook", "spoken": "Cold tea again?", "on_screen": "Cold again?", "visual": "hero"},
        {
            "role": "product",
            "spoken": "Meet Ember, the mug that keeps it warm.",
            "on_screen": "Ember",
            "visual": "hero",
        },
        {
            "role": "benefit",
            "spoken": "Warm to the very last sip.",
            "on_screen": "To the last sip",
            "visual": "list",
        },
        {
            "role": "cta",
            "spoken": "Shop now, and drink it warm.",
            "on_screen": "Shop now",
            "visual": "card",
        },
    ]
}
_INPUT_TOKENS, _OUTPUT_TOKENS = 1200, 300


class _Writer(Stub):
    """`texts` are answered in order; when they run out, a good script. `endings` likewise."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: deque[str] = deque()
        #: Vendor words for how an answer ended, such as "refusal" or "max_tokens".
        self.endings: deque[str] = deque()

    def next_answer(self, usual_ending: str) -> tuple[str, str]:
        with self.lock:
            text = self.texts.popleft() if self.texts else json.dumps(GOOD_SCRIPT)
            return text, self.endings.popleft() if self.endings else usual_ending


class AnthropicStub(_Writer):
    """`POST /v1/messages`, non-streaming, with structured output. Priced as claude-haiku-4-5."""

    VERSION = "2026-10-21"
    _KNOWN = frozenset(
        {"model", "max_tokens", "messages", "system", "output_config", "metadata", "thinking"}
    )
    _KINDS: ClassVar = {
        400: "invalid_request_error", 401: "authentication_error", 402: "billing_error",
        403: "permission_error", 404: "not_found_error", 413: "request_too_large",
        429: "rate_limit_error", 500: "api_error", 504: "timeout_error", 529: "overloaded_error",
    }  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self.route("POST", "/v1/messages", "create", self._message)

    @property
    def settings(self) -> dict[str, str]:
        return {
            "SCRIPT_PROVIDER": "claude",
            "ANTHROPIC_API_KEY": self.KEY,
            "ANTHROPIC_BASE_URL": self.url,
        }

    def error_body(self, status: int, message: str, kind: str) -> Any:
        error = {"type": kind or self._KINDS.get(status, "api_error"), "message": message}
        return {"type": "error", "error": error, "request_id": "req_stub"}

    def authorise(self, request: Request) -> None:
        headers = request.headers
        bearer = headers.get("authorization", "").removeprefix("Bearer ")
        if self.KEY not in (bearer, headers.get("x-api-key")):
            raise Refused(401, "invalid x-api-key")
        if headers.get("anthropic-version") != self.VERSION:
            raise Refused(400, "anthropic-version: header is required")

    def _message(self, request: Request) -> Reply:
        body = request.json()
        if unknown := sorted(body.keys() - self._KNOWN):
            raise Refused(400, f"{unknown[0]}: Extra inputs are not permitted")
        if not isinstance(body.get("max_tokens"), int) or not body.get("model"):
            raise Refused(400, "max_tokens: Field required")
        turns = [message["role"] for message in body["messages"]]
        if turns != ["user", "assistant"] * (len(turns) // 2) + ["user"] * (len(turns) % 2):
            raise Refused(400, "messages: roles must alternate")
        if form := body.get("output_config", {}).get("format"):
            if form["type"] != "json_schema":
                raise Refused(400, "output_config.format.type: unknown")
            _check_schema(form["schema"], "output_config.format.schema")
        text, ending = self.next_answer("end_turn")
        self.charge(request, _INPUT_TOKENS + 5 * _OUTPUT_TOKENS)
        content: list[dict[str, Any]] = [
            {"type": "thinking", "thinking": "Let me see.", "signature": "c2ln"},
            {"type": "text", "text": text, "citations": None},
        ]
        if ending == "refusal":
            content = []
        message = {
            "id": f"msg_{self.created:04}", "type": "message", "role": "assistant",
            "model": body["model"], "content": content, "stop_reason": ending,
            "stop_sequence": None,
            "usage": {
                "input_tokens": _INPUT_TOKENS, "output_tokens": _OUTPUT_TOKENS,
                "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0,
            },
        }  # fmt: skip
        return Reply(message, headers={"request-id": f"req_{self.created:04}"})


class OpenAIStub(_Writer):
    """`POST /v1/chat/completions`, as OpenAI and most local servers answer it.

    Priced as gpt-4o-mini. Our record of it says 0: the price of an unknown host is not known.
    """

    def __init__(self) -> None:
        super().__init__()
        self.route("POST", "/v1/chat/completions", "create", self._completion)

    @property
    def settings(self) -> dict[str, str]:
        return {
            "SCRIPT_PROVIDER": "openai",
            "OPENAI_API_KEY": self.KEY,
            "OPENAI_BASE_URL": f"{self.url}/v1",
        }

    def error_body(self, status: int, message: str, kind: str) -> Any:
        return {"error": {"message": message, "type": kind or "error", "code": kind or None}}

    def authorise(self, request: Request) -> None:
        if request.headers.get("authorization") != f"Bearer {self.KEY}":
            raise Refused(401, "Incorrect API key provided", "invalid_api_key")

    def _completion(self, request: Request) -> Reply:
        body = request.json()
        if not body.get("model") or not body.get("messages"):
            raise Refused(400, "you must provide a model parameter", "invalid_request_error")
        if form := body.get("response_format"):
            if form["type"] != "json_schema" or not form["json_schema"]["name"]:
                raise Refused(400, "response_format is wrong", "invalid_request_error")
            _check_schema(form["json_schema"]["schema"], "response_format")
        text, ending = self.next_answer("stop")
        self.charge(request, (15 * _INPUT_TOKENS + 60 * _OUTPUT_TOKENS) // 100)
        message: dict[str, Any] = {"role": "assistant", "content": text, "refusal": None}
        if ending == "refusal":
            message, ending = {**message, "content": None, "refusal": "I cannot."}, "stop"
        return Reply(
            {
                "id": f"chatcmpl-{self.created}", "object": "chat.completion", "created": 1,
                "model": body["model"],
                "choices": [{"index": 0, "message": message, "finish_reason": ending}],
                "usage": {
                    "prompt_tokens": _INPUT_TOKENS, "completion_tokens": _OUTPUT_TOKENS,
                    "total_tokens": _INPUT_TOKENS + _OUTPUT_TOKENS,
                },
            }
        )  # fmt: skip


def _check_schema(schema: Any, where: str) -> None:
    """The vendors' limits on JSON schema for structured output."""
    if isinstance(schema, list):
        for part in schema:
            _check_schema(part, where)
    if not isinstance(schema, dict):
        return
    if schema.get("type") == "object":
        if schema.get("additionalProperties") is not False:
            raise Refused(400, f"{where}: additionalProperties must be false")
        if sorted(schema["required"]) != sorted(schema["properties"]):
            raise Refused(400, f"{where}: every property must be required")
    for word in ("maxItems", "minLength", "maxLength", "minimum", "maximum"):
        if word in schema:
            raise Refused(400, f"{where}: {word} is not supported")
    if schema.get("minItems", 0) > 1:
        raise Refused(400, f"{where}: minItems must be 0 or 1")
    for part in schema.values():
        _check_schema(part, where)
