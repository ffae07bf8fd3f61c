"""ElevenLabs speaks the script, in one request for all scenes.

One request costs no more than one per scene, keeps the melody across scenes, and leaves one
thing to recover: what a crash cut off is found in the account's history, its sound included.

Over httpx: the `elevenlabs` SDK has no deadline for a whole answer, so a server that drips
would hold the worker, and it reads the key from the environment when it is imported.
"""

from __future__ import annotations

import base64
import binascii
import re
import wave
from pathlib import Path
from typing import Any

from errors import InvalidInput, ProviderUnavailable
from jobs.payload import VideoJob
from pipeline.calls import Call
from pipeline.media.children import child_env
from pipeline.providers.char_times import scenes_from
from pipeline.providers.http_errors import ELEVENLABS, unreadable
from pipeline.providers.pace import pace_for
from pipeline.providers.paid import checked_key, request_hash, sending
from pipeline.providers.prices import voice_microusd
from pipeline.providers.script_ports import Script, Voice, VoiceData
from pipeline.providers.wire import Wire
from pipeline.stage import Json, StageContext

_URL = "https://api.elevenlabs.io"
#: The tier that every plan has; ffmpeg makes the wav of it.
_FORMAT = "mp3_44100_128"
_RATE = 44_100
_VOICE_ID = re.compile(r"[A-Za-z0-9]{16,40}")
#: "George", a voice that every account has.
DEFAULT_VOICE = "JBFqnCBsd6RMkjVDRZzb"
#: The smallest of the models' own limits, in characters.
_MAX_CHARACTERS = 5_000
#: How far the vendor's clock may be behind ours.
_SKEW_S = 30
_PAGES, _PAGE = 5, 100
#: Speech takes about this long to appear in the history.
_SETTLE_S = 5.0
_MIN_SPEED, _MAX_SPEED = 0.7, 1.2
_SHORTEST_S = 0.3


class ElevenLabsVoice:
    """Any language of its models. `voice` is a voice id; a job's own `voice` comes first."""

    name = "elevenlabs"

    def __init__(
        self,
        api_key: str,
        base_url: str | None = None,
        model: str = "eleven_multilingual_v2",
        voice: str = DEFAULT_VOICE,
        timeout_s: float = 180.0,
    ) -> None:
        self._headers = {"xi-api-key": checked_key("ELEVENLABS_API_KEY", api_key)}
        self._base_url = base_url or _URL
        self._model = model
        self._voice = voice
        self._timeout_s = timeout_s
        self.version = f"1:{model}:{voice}"

    def speak(
        self, job: VideoJob, script: Script, ctx: StageContext, *, pace_by: int | None = None
    ) -> Voice:
        """See VoiceProvider. Raises InvalidInput for a voice that is no id."""
        voice = job.voice or self._voice
        if not _VOICE_ID.fullmatch(voice):
            raise InvalidInput("voice", "is not the id of an ElevenLabs voice")
        lines = [scene["spoken"] for scene in script["scenes"]]
        text = "\n\n".join(lines)
        if len(text) > _MAX_CHARACTERS:
            raise InvalidInput("duration_s", "makes a script too long to be spoken at once")
        speed = 1 / pace_for(job.style, job.duration_s).length_scale
        body: Json = {
            "text": text,
            "model_id": self._model,
            "seed": ctx.seed,
            "voice_settings": {"speed": round(min(_MAX_SPEED, max(_MIN_SPEED, speed)), 3)},
        }
        mp3 = ctx.workdir / "speech.mp3"
        with Wire(ELEVENLABS, self._base_url, self._headers, timeout_s=self._timeout_s) as wire:
            alignment = self._bought(ctx, wire, voice, body, mp3)
        ctx.progress(0.8, "decoding the voice")
        wav, duration_s = _decoded(ctx, mp3)
        scenes, own_times = scenes_from(lines, alignment, duration_s)
        data: VoiceData = {"duration_s": duration_s, "sample_rate": _RATE, "scenes": scenes}
        if not own_times:
            data["word_times"] = "proportional"
        return Voice(wav, data)

    def _bought(self, ctx: StageContext, wire: Wire, voice: str, body: Json, mp3: Path) -> Any:
        """Write the sound to `mp3` and return its alignment, paying only if nobody has yet."""
        text: str = body["text"]
        cost = voice_microusd(self._model, len(text))
        asked = request_hash(self.version, voice, body)
        call = ctx.calls.begin(self.name, asked, estimate_microusd=cost or 0)
        if call.resumed:
            item = self._found(ctx, wire, call, voice, text)
            if item is None and call.state == "intent":
                # The request may have arrived and still be at work.
                ctx.sleep(_SETTLE_S)
                item = self._found(ctx, wire, call, voice, text)
            if item is not None:
                return self._fetched(ctx, wire, call, item, cost or 0, mp3)
            if call.state != "intent":
                ctx.calls.failed(
                    call, "its sound is no longer kept", cost_microusd=call.cost_microusd or 0
                )
                call = ctx.calls.begin(self.name, asked, estimate_microusd=cost or 0)
        with sending(ctx, call, lookup=True):
            answer = wire.ask(
                "POST",
                f"/v1/text-to-speech/{voice}/with-timestamps",
                body=body,
                params={"output_format": _FORMAT},
            )
            try:
                sound = base64.b64decode(answer.data["audio_base64"], validate=True)
                alignment = answer.data.get("alignment")
            except (TypeError, KeyError, AttributeError, binascii.Error):
                raise unreadable(ELEVENLABS) from None
        mp3.write_bytes(sound)
        usage = {"characters": len(text), "credits": answer.headers.get("character-cost")}
        self._finish(ctx, call, cost, usage, answer.headers.get("request-id"), alignment)
        return alignment

    def _found(
        self, ctx: StageContext, wire: Wire, call: Call, voice: str, text: str
    ) -> Json | None:
        """The history's item of an earlier try, if the request did arrive."""
        request_id = (call.answer or {}).get("request_id")
        params: Json = {
            "page_size": _PAGE,
            "voice_id": voice,
            "date_after_unix": max(0, int(call.begun_at) - _SKEW_S),
            "source": "TTS",
        }
        for _ in range(_PAGES):
            with ctx.calls.slot(self.name):
                page = wire.ask("GET", "/v1/history", params=params).data
            try:
                for item in page["history"]:
                    same = item.get("text") == text and item.get("model_id") == self._model
                    if same and request_id in (None, item.get("request_id")):
                        return dict(item)
                if not page.get("has_more"):
                    return None
                params["start_after_history_item_id"] = page["last_history_item_id"]
            except (TypeError, KeyError, AttributeError):
                raise unreadable(ELEVENLABS) from None
        return None

    def _fetched(
        self, ctx: StageContext, wire: Wire, call: Call, item: Json, cost: int, mp3: Path
    ) -> Any:
        name = str(item.get("history_item_id"))
        if not re.fullmatch(r"[\w-]{1,64}", name):
            raise unreadable(ELEVENLABS)
        with ctx.calls.slot(self.name):
            sound = wire.fetch(f"/v1/history/{name}/audio")
        mp3.write_bytes(sound)
        if call.state == "finished" and call.answer is not None:
            return call.answer.get("alignment")
        alignments = item.get("alignments")
        alignment = alignments.get("alignment") if isinstance(alignments, dict) else None
        usage = {"characters": len(str(item["text"])), "recovered": True}
        self._finish(ctx, call, cost, usage, item.get("request_id"), alignment)
        return alignment

    def _finish(
        self,
        ctx: StageContext,
        call: Call,
        cost: int | None,
        usage: Json,
        request_id: Any,
        alignment: Any,
    ) -> None:
        if cost is None:
            usage["price"] = "unknown"
        answer = {"request_id": request_id, "alignment": alignment}
        usage["model"] = self._model
        ctx.calls.finished(call, cost_microusd=cost or 0, usage=usage, answer=answer)


def _decoded(ctx: StageContext, mp3: Path) -> tuple[Path, float]:
    """The mono wav that the mixer takes, and its length."""
    ctx.run(
        [
            *(ctx.ffmpeg, "-hide_banner", "-nostdin", "-y", "-loglevel", "error"),
            *("-protocol_whitelist", "file,pipe", "-f", "mp3", "-i", mp3.name),
            *("-ac", "1", "-ar", str(_RATE), "-c:a", "pcm_s16le", "-bitexact"),
            *("-f", "wav", "voice.wav"),
        ],
        timeout_s=60.0,
        env=child_env(),
    )
    wav = ctx.workdir / "voice.wav"
    with wave.open(str(wav), "rb") as sound:
        duration_s = sound.getnframes() / sound.getframerate()
    if duration_s < _SHORTEST_S:
        raise ProviderUnavailable("ElevenLabs sent a sound with nothing in it")
    return wav, round(duration_s, 4)
