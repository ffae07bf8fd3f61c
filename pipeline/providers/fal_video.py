"""fal films the scenes: its queue API over httpx.

Its SDK talks to fal's own hosts only. A request whose id was lost cannot be looked up: it is in
doubt. Status, result and cancel live below the model's first two path components.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from errors import ProviderRefused, ProviderUnavailable
from jobs.payload import VideoJob
from pipeline.calls import Call
from pipeline.providers.clip_files import check_clip, drawn, joined, shots
from pipeline.providers.clips import POLL_S, Filming, Look, Shot
from pipeline.providers.http_errors import FAL, Declined, NotFound, unreadable
from pipeline.providers.paid import checked_key
from pipeline.providers.script_ports import Script, VoiceData
from pipeline.providers.video_models import clip_model
from pipeline.providers.wire import Wire
from pipeline.stage import Json, StageContext, StageOutput

_URL = "https://queue.fal.run"
_ID = re.compile(r"[A-Za-z0-9-]{1,64}")


class FalVideo:
    """As ReplicateVideo, on fal's queue; models with pictures are siblings of those without."""

    name = "fal"
    title = FAL.title
    can_look_up = False
    poll_s = POLL_S
    tells = False

    def __init__(
        self,
        api_key: str,
        base_url: str | None = None,
        model: str = "fal-ai/bytedance/seedance/v1/lite/text-to-video",
        timeout_s: float = 120.0,
        *,
        usd_per_second: float | None = None,
        scale: float = 1.0,
    ) -> None:
        self._headers = {"authorization": f"Key {checked_key('FAL_KEY', api_key)}"}
        self._base_url = base_url or _URL
        self._model = clip_model(self.name, model, usd_per_second)
        self._timeout_s = timeout_s
        self._scale = scale
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
        with Wire(FAL, self._base_url, self._headers, timeout_s=self._timeout_s) as wire:
            raw = Filming(self, wire, ctx, check_clip).film(asked)
        return joined(plan, raw, {"provider": self.name, "model": self._model.name}, ctx)

    def submit(self, wire: Wire, shot: Shot, call: Call, inputs: Json) -> str:
        """Queue a request; returns its id."""
        queued = wire.ask("POST", f"/{shot.model}", body=inputs).data
        name = queued.get("request_id") if isinstance(queued, dict) else None
        if not isinstance(name, str) or not _ID.fullmatch(name):
            raise unreadable(FAL)
        return name

    def find(self, wire: Wire, call: Call, inputs: Json) -> str | None:
        """fal lists no requests."""
        return None

    def look(self, wire: Wire, shot: Shot, remote_id: str) -> Look:
        """The request's state, and its result once that is there."""
        status = self._asked(wire, _request(shot, remote_id) + "/status")
        if status is None:
            return Look("gone")
        if status.get("status") != "COMPLETED":
            return Look("running" if status.get("status") == "IN_PROGRESS" else "waiting")
        try:
            result = self._asked(wire, _request(shot, remote_id))
        except Declined:
            return Look("refused")
        except ProviderRefused:  # a failed request's result is a 422
            return Look("failed")
        if result is None:
            return Look("gone")
        try:
            return Look("done", str(result["video"]["url"]))
        except (TypeError, KeyError):
            return Look("failed")

    def cancel(self, wire: Wire, shot: Shot, remote_id: str, timeout_s: float) -> None:
        """Take a request out of the queue, or stop it if its model can."""
        wire.ask("PUT", _request(shot, remote_id) + "/cancel", timeout_s=timeout_s)

    def _asked(self, wire: Wire, path: str) -> dict[str, Any] | None:
        """The JSON at `path`; None where fal does not know it."""
        try:
            data = wire.ask("GET", path).data
        except NotFound:
            return None
        if not isinstance(data, dict):
            raise ProviderUnavailable("fal sent an answer that cannot be read")
        return data


def _request(shot: Shot, remote_id: str) -> str:
    app = "/".join(shot.model.split("/")[:2])
    return f"/{app}/requests/{remote_id}"
