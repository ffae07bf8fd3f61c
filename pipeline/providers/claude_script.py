"""Claude writes the ad: the `anthropic` SDK, without its own retries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from jobs.payload import VideoJob
from pipeline.providers import script_prompt as prompt
from pipeline.providers.http_errors import CLAUDE, translated, unanswered, unreachable, unreadable
from pipeline.providers.model_script import MAX_TOKENS, Turn, Written, write_script
from pipeline.providers.paid import checked_key
from pipeline.providers.prices import Tokens, text_microusd
from pipeline.providers.script_ports import Script
from pipeline.stage import StageContext

if TYPE_CHECKING:
    from anthropic.types import Message

_URL = "https://api.anthropic.com"
_CHARACTERS_PER_TOKEN = 3
#: httpx's names for "no connection came about"; the SDK wraps its own copy of httpx.
_NOT_SENT = ("ConnectError", "ConnectTimeout", "PoolTimeout")


class ClaudeScript:
    """Any language. A message cannot be looked up: one that a crash cut off is in doubt."""

    name = "claude"
    title = "Claude"

    def __init__(
        self,
        api_key: str,
        base_url: str | None = None,
        model: str = "claude-haiku-4-5",
        timeout_s: float = 120.0,
    ) -> None:
        self._api_key = checked_key("ANTHROPIC_API_KEY", api_key)
        # Given even when it is the SDK's own, which would else read the environment.
        self._base_url = base_url or _URL
        self._model = model
        self._timeout_s = timeout_s
        self.version = f"1:{model}"

    def write(self, job: VideoJob, ctx: StageContext) -> Script:
        """See ScriptProvider. Raises ProviderRefused when Claude declines the product."""
        return write_script(self, job, ctx)

    def estimate_microusd(self, characters: int) -> int:
        """See Model."""
        return self._price(Tokens(characters // _CHARACTERS_PER_TOKEN, MAX_TOKENS))

    def ask(self, turns: list[Turn], seed: int) -> Written:
        """See Model. Claude takes no seed; the question itself holds it."""
        message = self._sent(turns)
        usage = message.usage
        made = usage.cache_creation_input_tokens or 0
        read = usage.cache_read_input_tokens or 0
        tokens = Tokens(usage.input_tokens + made + read, usage.output_tokens, made, read)
        # Thinking comes first where it is on, so the text is not always the first block.
        texts = [block.text for block in message.content if block.type == "text"]
        reason = message.stop_reason
        declined = reason in ("refusal", "model_context_window_exceeded")
        whole = reason in ("end_turn", "stop_sequence") and bool(texts)
        return Written(
            texts[0] if texts else "",
            "whole" if whole else "refused" if declined else "cut",
            self._price(tokens),
            {"input_tokens": tokens.input, "output_tokens": tokens.output, "model": message.model},
        )

    def _sent(self, turns: list[Turn]) -> Message:
        import anthropic

        try:
            with anthropic.Anthropic(
                api_key=self._api_key,
                base_url=self._base_url,
                max_retries=0,
                timeout=self._timeout_s,
            ) as client:
                message = client.messages.create(
                    model=self._model,
                    max_tokens=MAX_TOKENS,
                    system=prompt.SYSTEM,
                    messages=cast(Any, turns),
                    output_config={"format": {"type": "json_schema", "schema": prompt.SCHEMA}},
                )
        except anthropic.APIStatusError as error:
            raise translated(
                CLAUDE, error.status_code, error.response.headers, error.body
            ) from error
        except anthropic.APIConnectionError as error:
            not_sent = type(error.__cause__).__name__ in _NOT_SENT
            raise (unreachable(CLAUDE) if not_sent else unanswered(CLAUDE)) from error
        except (anthropic.APIError, ValueError) as error:
            raise unreadable(CLAUDE) from error
        # The SDK checks nothing of what it parses, and hands on text that is no JSON.
        if not isinstance(message, anthropic.types.Message) or message.usage is None:
            raise unreadable(CLAUDE)
        return message

    def _price(self, tokens: Tokens) -> int:
        return text_microusd("anthropic", self._model, tokens) or 0
