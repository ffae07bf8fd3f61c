"""Replicate films the scenes: predictions over httpx.

The `replicate` SDK fails on the status "aborted", cannot turn its retries off and drops headers.
A prediction is created without `Prefer: wait`, so its id is here at once; one whose id was lost
is found in the account's list by its own seed and prompt. Files are deleted after an hour.

With a webhook URL each prediction is asked to tell of its end there, under the name of its call:
the receiver wakes the worker that waits, and names the prediction whose id was lost. That is a
hint; what became of a prediction is always asked of Replicate itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from errors import ProviderUnavailable
from jobs.payload import VideoJob
from pipeline.calls import Call
from pipeline.providers.clip_files import check_clip, drawn, joined, shots
from pipeline.providers.clips import POLL_S, Filming, Look, Shot
from pipeline.providers.http_errors import REPLICATE, NotFound, unreadable
from pipeline.providers.paid import checked_key
from pipeline.providers.script_ports import Script, VoiceData
from pipeline.providers.video_models import clip_model
from pipeline.providers.wire import Wire
from pipeline.stage import Json, StageContext, StageOutput

_URL = "https://api.replicate.com"
_ID = re.compile(r"[a-z0-9]{1,64}")
#: How far the vendor's clock may be behind ours.
_SKEW_S = 30.0
_PAGES = 20
#: Between two polls where webhooks come: one may be lost.
_POLL_WITH_WEBHOOK_S = 30.0
_MODERATED = re.compile(r"nsfw|sensitive|moderat|flagged|safety|E005", re.IGNORECASE)
_STATES = {
    "starting": "waiting",
    "processing": "running",
    "failed": "failed",
    "canceled": "failed",
    "aborted": "failed",
}


class ReplicateVideo:
    """A clip for each scene that a camera can take; the others are drawn. The model is one of
    video_models.toml; `scale` below 1 makes small videos for tests and previews."""

    name = "replicate"
    title = REPLICATE.title
    can_look_up = True

    def __init__(
        self,
        api_token: str,
        base_url: str | None = None,
        model: str = "bytedance/seedance-1-lite",
        timeout_s: float = 120.0,
        *,
        usd_per_second: float | None = None,
        scale: float = 1.0,
        webhook_url: str | None = None,
        poll_s: float | None = None,
    ) -> None:
        key = checked_key("REPLICATE_API_TOKEN", api_token)
        self._headers = {"authorization": f"Bearer {key}"}
        self._base_url = base_url or _URL
        self._model = clip_model(self.name, model, usd_per_second)
        self._timeout_s = timeout_s
        self._scale = scale
        self._webhook_url = webhook_url
        self.tells = webhook_url is not None
        self.poll_s = poll_s or (_POLL_WITH_WEBHOOK_S if self.tells else POLL_S)
        self.version = f"1:{model}"

    def film(
        self,
        job: VideoJob,
        script: Script,
        voice: VoiceData,
        voice_files: Mapping[str, Path],
        ctx: StageContext,
    ) -> StageOutput:
        """See VideoProvider; a "clips" output."""
        plan = drawn(job, script, voice, voice_files, ctx, self._scale)
        asked = shots(job, script, plan, self._model, ctx)
        with Wire(REPLICATE, self._base_url, self._headers, timeout_s=self._timeout_s) as wire:
            raw = Filming(self, wire, ctx, check_clip).film(asked)
        return joined(plan, raw, {"provider": self.name, "model": self._model.name}, ctx)

    def submit(self, wire: Wire, shot: Shot, call: Call, inputs: Json) -> str:
        """Create a prediction; returns its id."""
        body: Json = {"input": inputs}
        if self._webhook_url is not None:
            body["webhook"] = f"{self._webhook_url}?call={call.id}"
            body["webhook_events_filter"] = ["completed"]
        path = f"/v1/models/{shot.model}/predictions"
        return _id_of(wire.ask("POST", path, body=body).data)

    def find(self, wire: Wire, call: Call, inputs: Json) -> str | None:
        """The prediction of a request whose answer was lost, in the list, newest first."""
        # Pictures come back as links of the vendor's own.
        told = {name: value for name, value in inputs.items() if not _is_picture(value)}
        url: Any = "/v1/predictions"
        for _ in range(_PAGES):
            page = wire.ask("GET", url).data
            try:
                for found in page["results"]:
                    if _created_at(found) < call.begun_at - _SKEW_S:
                        return None
                    given = found.get("input") or {}
                    if found["status"] not in ("failed", "canceled", "aborted") and all(
                        given.get(name) == value for name, value in told.items()
                    ):
                        return _id_of(found)
                url = page.get("next")
            except (TypeError, KeyError, ValueError, AttributeError):
                raise unreadable(REPLICATE) from None
            if not url:
                return None
            if not wire.is_own(url):  # the token goes nowhere else
                raise unreadable(REPLICATE)
        return None

    def look(self, wire: Wire, shot: Shot, remote_id: str) -> Look:
        """The prediction's state; "gone" where its id or its output is no longer known."""
        try:
            found = wire.ask("GET", f"/v1/predictions/{remote_id}").data
        except NotFound:
            return Look("gone")
        try:
            status, output = found["status"], found.get("output")
            metrics = found.get("metrics") or {}
            if status == "succeeded":
                url = output[0] if isinstance(output, list) and output else output
                if not isinstance(url, str) or not url:
                    return Look("gone")
                return Look("done", url, {"predict_time_s": metrics.get("predict_time")})
            if status == "failed" and _MODERATED.search(str(found.get("error") or "")):
                return Look("refused")
            return Look(_STATES[status])  # type: ignore[arg-type]
        except (TypeError, KeyError, AttributeError):
            raise ProviderUnavailable("Replicate sent a prediction that cannot be read") from None

    def cancel(self, wire: Wire, shot: Shot, remote_id: str, timeout_s: float) -> None:
        """Stop a prediction; what it has cost by then is paid."""
        wire.ask("POST", f"/v1/predictions/{remote_id}/cancel", timeout_s=timeout_s)


def _id_of(prediction: Any) -> str:
    name = prediction.get("id") if isinstance(prediction, dict) else None
    if not isinstance(name, str) or not _ID.fullmatch(name):
        raise unreadable(REPLICATE)
    return name


def _created_at(prediction: Any) -> float:
    return datetime.fromisoformat(prediction["created_at"]).timestamp()


def _is_picture(value: Any) -> bool:
    return isinstance(value, str) and value.startswith(("data:", "https://"))
