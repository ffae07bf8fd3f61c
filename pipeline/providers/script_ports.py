"""The ports of the first two stages: who writes the words, and who speaks them.

The shapes are TypedDicts: they are the stages' JSON itself, so checkpoints need no conversion.
Times are seconds from the start of the video.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NotRequired, Protocol, TypedDict

from pipeline.stage import StageContext

if TYPE_CHECKING:  # the drawing children import this, and need no pydantic
    from jobs.payload import Variants, VideoJob

Role = Literal["hook", "product", "benefit", "proof", "offer", "cta"]
Visual = Literal["hero", "list", "badge", "quote", "price", "card"]

ROLES: tuple[Role, ...] = ("hook", "product", "benefit", "proof", "offer", "cta")
VISUALS: tuple[Visual, ...] = ("hero", "list", "badge", "quote", "price", "card")
MIN_SCENES, MAX_SCENES = 4, 6
#: What a viewer can read in one glance; longer only where the product's own name is.
ON_SCREEN_CHARS = 40
#: The last scene's picture stands this long after its last word: the end card.
END_CARD_S = 2.5


class ScriptScene(TypedDict):
    """One scene: what is said, what is read, and what kind of picture carries it."""

    role: Role
    spoken: str
    on_screen: str
    visual: Visual


class Alternatives(TypedDict):
    """Scenes that may stand in for the first and for the last one, where a job asks for more."""

    hooks: list[ScriptScene]
    ctas: list[ScriptScene]


class Script(TypedDict):
    """4 to 6 scenes, the last one the call to action. `language` is a BCP 47 tag."""

    language: str
    scenes: list[ScriptScene]
    alternatives: NotRequired[Alternatives]


class Word(TypedDict):
    """A word as the script spells it, punctuation included, and when it is heard."""

    text: str
    start_s: float
    end_s: float


class SpokenScene(TypedDict):
    """From a scene's first sound to its last; the pauses lie between the scenes."""

    start_s: float
    end_s: float
    words: list[Word]


class VoiceData(TypedDict):
    """`scenes` run parallel to the script's. `duration_s` is the wav's own length."""

    duration_s: float
    sample_rate: int
    scenes: list[SpokenScene]
    #: Present where the words' times are not the voice's own, but shared out by their length.
    word_times: NotRequired[Literal["proportional"]]


@dataclass(frozen=True)
class Voice:
    """A spoken script: `wav` is mono 16-bit PCM inside the stage's folder."""

    wav: Path
    data: VoiceData


class ScriptProvider(Protocol):
    """Writes an ad. Equal job and seed, equal script, as far as the service allows."""

    name: str
    version: str

    def write(self, job: VideoJob, ctx: StageContext) -> Script:
        """Write the ad in `job.language`, to be spoken in about `job.duration_s - END_CARD_S`,
        and with `job.variants` its other hooks and calls to action.

        Raises InvalidInput (the language is not spoken here) and, from a remote service,
        ProviderUnavailable or ProviderRefused.
        """


class VoiceProvider(Protocol):
    """Speaks a script and says when each of its words is heard."""

    name: str
    version: str

    def speak(
        self, job: VideoJob, script: Script, ctx: StageContext, *, pace_by: int | None = None
    ) -> Voice:
        """Write the speech into `ctx.workdir`.

        `pace_by`: so many of the first scenes are the ad whose length is asked for. Raises as
        `write` does, and ChildFailed."""


def alternatives_of(script: Script) -> Alternatives:
    """The script's other hooks and calls; none where the job asked for none."""
    none: Alternatives = {"hooks": [], "ctas": []}
    return script.get("alternatives", none)


def script_problems(script: Script, variants: Variants | None = None) -> list[str]:
    """What breaks the contract of a Script, in words; empty when it holds."""
    scenes = script["scenes"]
    others = alternatives_of(script)
    hooks, ctas = (variants.hooks - 1, len(variants.ctas)) if variants else (0, 0)
    problems = []
    if not MIN_SCENES <= len(scenes) <= MAX_SCENES:
        problems.append(f"{len(scenes)} scenes instead of {MIN_SCENES} to {MAX_SCENES}")
    if scenes and scenes[-1]["role"] != "cta":
        problems.append("the last scene is not the call to action")
    if len(others["hooks"]) != hooks:
        problems.append(f"{len(others['hooks'])} further hooks instead of {hooks}")
    if len(others["ctas"]) != ctas:
        problems.append(f"{len(others['ctas'])} further calls to action instead of {ctas}")
    for number, scene in enumerate([*scenes, *others["hooks"], *others["ctas"]], start=1):
        if scene["role"] not in ROLES or scene["visual"] not in VISUALS:
            problems.append(f"scene {number} has an unknown role or visual")
        if not any(char.isalnum() for char in scene["spoken"]):
            problems.append(f"scene {number} has nothing to say")
        if not scene["on_screen"].strip():
            problems.append(f"scene {number} has nothing to read")
    return problems


def voice_problems(voice: VoiceData, script: Script) -> list[str]:
    """What breaks the contract of VoiceData, in words; empty when it holds."""
    if len(voice["scenes"]) != len(script["scenes"]):
        return [f"{len(voice['scenes'])} scenes spoken of {len(script['scenes'])} written"]
    problems = []
    clock_s = 0.0
    for number, (spoken, written) in enumerate(
        zip(voice["scenes"], script["scenes"], strict=True), start=1
    ):
        if [word["text"] for word in spoken["words"]] != written["spoken"].split():
            problems.append(f"scene {number} does not speak the script's words")
        times = [spoken["start_s"]]
        for word in spoken["words"]:
            times += [word["start_s"], word["end_s"]]
        times.append(spoken["end_s"])
        if times[0] < clock_s or times != sorted(times):
            problems.append(f"scene {number} has words out of order")
        clock_s = spoken["end_s"]
    if clock_s > voice["duration_s"]:
        problems.append("words go on after the end of the sound")
    return problems
