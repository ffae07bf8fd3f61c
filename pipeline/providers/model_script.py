"""How a language model writes an ad, whoever serves it: ask once, mend once, record each call.

1. An equal call that has finished is not asked again: its text is in the record.
2. An answer with faults is asked to be mended, once; the second answer stands if it is usable.
3. An answer that ended early (refused, cut at its limit) is recorded as failed, at its cost.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from errors import ProviderRefused, ProviderUnavailable
from jobs.payload import Variants, VideoJob
from pipeline.providers import script_prompt as prompt
from pipeline.providers.paid import begin_without_lookup, request_hash, sending
from pipeline.providers.script_ports import Alternatives, Script
from pipeline.stage import Json, StageContext

Turn = dict[str, str]
#: Longest answer asked for, in tokens: a script has about 400, thinking takes the rest.
MAX_TOKENS = 4096


@dataclass(frozen=True)
class Written:
    """One answer of a model. `ended` in our words, whatever the vendor calls it."""

    text: str
    ended: Literal["whole", "refused", "cut"]
    cost_microusd: int
    usage: Json = field(default_factory=dict)


class Model(Protocol):
    """A served model. `title` is what users read of it."""

    name: str
    version: str
    title: str

    def estimate_microusd(self, characters: int) -> int:
        """What an answer to a question of this length may cost."""

    def ask(self, turns: list[Turn], seed: int) -> Written:
        """One request. Raises ProviderRefused, ProviderUnavailable, Unanswered."""


def write_script(model: Model, job: VideoJob, ctx: StageContext) -> Script:
    """See ScriptProvider.write."""
    script, turns = _ad(model, job, ctx)
    if job.variants != Variants():
        ctx.progress(0.7, "writing its variants")
        script["alternatives"] = _alternatives(model, job, ctx, turns)
    return script


def _alternatives(
    model: Model, job: VideoJob, ctx: StageContext, turns: list[Turn]
) -> Alternatives:
    """One further question: all other hooks, and a closing for each other call; mended once."""
    question = prompt.ask_for_variants(job)
    asked = [*turns, {"role": "user", "content": question}]
    for _ in range(2):
        text = _answer(model, asked, ctx)
        found = prompt.read_variants(text, job)
        if found is not None:
            return found
        asked += [
            {"role": "assistant", "content": text.strip() or "(nothing)"},
            {"role": "user", "content": f"That is not the list asked for. {question}"},
        ]
    raise ProviderUnavailable(f"{model.title} wrote unusable variants of the ad")


def _ad(model: Model, job: VideoJob, ctx: StageContext) -> tuple[Script, list[Turn]]:
    """The ad itself, and the conversation so far."""
    turns: list[Turn] = [{"role": "user", "content": prompt.ask_for(job, ctx.seed)}]
    first_text = _answer(model, turns, ctx)
    first = prompt.read(first_text, job)
    faults = (*first.problems, *first.wishes)
    if not faults and first.script is not None:
        return first.script, [*turns, {"role": "assistant", "content": first_text}]
    ctx.progress(0.5, "mending the script")
    turns += [
        # An empty turn is refused by the vendors.
        {"role": "assistant", "content": first_text.strip() or "(nothing)"},
        {"role": "user", "content": prompt.ask_again(faults)},
    ]
    second_text = _answer(model, turns, ctx)
    second = prompt.read(second_text, job)
    for answer in (second, first):
        if answer.script is not None and not answer.problems:
            said = second_text.strip() or "(nothing)"
            return answer.script, [*turns, {"role": "assistant", "content": said}]
    raise ProviderUnavailable(
        f"{model.title} wrote an unusable script: {'; '.join(second.problems)}"
    )


def _answer(model: Model, turns: list[Turn], ctx: StageContext) -> str:
    asked: list[Any] = [model.version, prompt.SYSTEM, prompt.SCHEMA, turns, ctx.seed]
    length = len(prompt.SYSTEM) + sum(len(turn["content"]) for turn in turns)
    call = begin_without_lookup(
        ctx,
        model.name,
        request_hash(*asked),
        estimate_microusd=model.estimate_microusd(length),
    )
    if call.state == "finished" and call.answer is not None:
        return str(call.answer["text"])
    with sending(ctx, call, lookup=False):
        written = model.ask(turns, ctx.seed)
    if written.ended == "whole":
        answer = {"text": written.text}
        ctx.calls.finished(
            call, cost_microusd=written.cost_microusd, usage=written.usage, answer=answer
        )
        return written.text
    if written.ended == "refused":
        ctx.calls.failed(call, "the model declined", cost_microusd=written.cost_microusd)
        raise ProviderRefused(
            f"{model.title} declined to write this ad; change the product's words"
        )
    ctx.calls.failed(call, "the answer was cut short", cost_microusd=written.cost_microusd)
    raise ProviderUnavailable(f"{model.title} did not finish its script within its limit")
