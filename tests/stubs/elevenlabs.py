"""ElevenLabs text to speech with timestamps, and its history."""

from __future__ import annotations

import base64
import time
from typing import Any

from tests.stubs.server import Refused, Reply, Request, Stub

#: Micro-dollars per character of eleven_multilingual_v2, from the list price of $0.08 per 1000.
_MICROUSD_PER_CHARACTER = 80
_MODELS = frozenset(
    {"eleven_multilingual_v2", "eleven_flash_v2_5", "eleven_v3", "eleven_v4", "eleven_v4_turbo"}
)
#: Seconds that each character is heard.
CHARACTER_S = 0.05


class ElevenLabsStub(Stub):
    """`mp3` is what every text sounds like. `aligned` False leaves the timestamps out."""

    def __init__(self, mp3: bytes) -> None:
        super().__init__()
        self.mp3 = mp3
        self.aligned = True
        self.history: list[dict[str, Any]] = []
        speech = r"/v1/text-to-speech/([\w-]+)/with-timestamps"
        self.route("POST", speech, "create", self._speak)
        self.route("GET", "/v1/history", "list", self._list)
        self.route("GET", r"/v1/history/([\w-]+)", "item", self._item)
        self.route("GET", r"/v1/history/([\w-]+)/audio", "download", self._audio)

    @property
    def settings(self) -> dict[str, str]:
        return {
            "VOICE_PROVIDER": "elevenlabs",
            "ELEVENLABS_API_KEY": self.KEY,
            "ELEVENLABS_BASE_URL": self.url,
            "ELEVENLABS_MODEL": "eleven_multilingual_v2",
        }

    def error_body(self, status: int, message: str, kind: str) -> Any:
        if status == 422:
            return {"detail": [{"loc": ["body"], "msg": message, "type": "value_error"}]}
        return {"detail": {"status": kind or "error", "message": message}}

    def authorise(self, request: Request) -> None:
        if request.headers.get("xi-api-key") != self.KEY:
            raise Refused(401, "Invalid API key", "invalid_api_key")

    def _speak(self, request: Request) -> Reply:
        body = request.json()
        if not isinstance(body.get("text"), str) or not body["text"]:
            raise Refused(422, "Field required")
        if body.get("model_id", "eleven_multilingual_v2") not in _MODELS:
            raise Refused(400, "A model with this ID does not exist", "model_not_found")
        if request.query.get("output_format", "mp3_44100_128") != "mp3_44100_128":
            raise Refused(
                403, "This output format needs a higher tier", "output_format_not_allowed"
            )
        text: str = body["text"]
        with self.lock:
            item = {
                "history_item_id": f"hist{len(self.history):04}",
                "request_id": f"req{len(self.history):04}",
                "voice_id": request.match[0], "model_id": body.get("model_id"),
                "voice_name": "Stub", "voice_category": "premade", "text": text,
                "date_unix": int(time.time()), "character_count_change_from": 0,
                "character_count_change_to": len(text), "content_type": "audio/mpeg",
                "state": "created", "source": "TTS",
                "alignments": {"alignment": _history_alignment(text),
                               "normalized_alignment": _history_alignment(text)}
                if self.aligned else None,
            }  # fmt: skip
            self.history.insert(0, item)
        self.charge(request, len(text) * _MICROUSD_PER_CHARACTER)
        alignment = _alignment(text) if self.aligned else None
        return Reply(
            {
                "audio_base64": base64.b64encode(self.mp3).decode(),
                "alignment": alignment,
                "normalized_alignment": alignment,
            },
            headers={
                "request-id": str(item["request_id"]), "character-cost": str(len(text)),
                "current-concurrent-requests": "1", "maximum-concurrent-requests": "5",
            },
        )  # fmt: skip

    def _list(self, request: Request) -> Reply:
        query = request.query
        size = int(query.get("page_size", "100"))
        if not 1 <= size <= 1000:
            raise Refused(422, "page_size is out of range")
        with self.lock:
            items = [
                item
                for item in self.history
                if query.get("voice_id") in (None, item["voice_id"])
                and item["date_unix"] > int(query.get("date_after_unix", "-1"))
                and query.get("source") in (None, item["source"])
            ]
        ids = [item["history_item_id"] for item in items]
        after = query.get("start_after_history_item_id")
        items = items[ids.index(after) + 1 :] if after else items
        page = items[:size]
        last = page[-1]["history_item_id"] if page else None
        more = len(items) > size
        return Reply({"history": page, "last_history_item_id": last, "has_more": more})

    def _item(self, request: Request) -> Reply:
        return Reply(self._found(request.match[0]))

    def _audio(self, request: Request) -> Reply:
        self._found(request.match[0])
        return Reply(self.mp3, headers={"content-type": "audio/mpeg"})

    def _found(self, item_id: str) -> dict[str, Any]:
        with self.lock:
            for item in self.history:
                if item["history_item_id"] == item_id:
                    return item
        raise Refused(404, "History item not found", "history_item_not_found")


def _alignment(text: str) -> dict[str, Any]:
    starts = [round(at * CHARACTER_S, 3) for at in range(len(text) + 1)]
    return {
        "characters": list(text),
        "character_start_times_seconds": starts[:-1],
        "character_end_times_seconds": starts[1:],
    }


def _history_alignment(text: str) -> dict[str, Any]:
    return _alignment(text)
