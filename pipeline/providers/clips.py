"""Clips from a remote queue, whoever runs it: submit all, poll all, fetch each at once.

1. Each scene's call is begun: one of an earlier try is re-attached by its id, or looked up.
2. What is new is submitted; its id is recorded before anything else is done.
3. All are polled, and between two polls the one of which the vendor told that it ended. A
   finished one is downloaded, checked and only then recorded as finished: after a crash in
   between, the next try re-attaches and downloads again.
4. A cancelled job cancels its clips; a stopped worker leaves them running for the next.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from errors import JobCancelled, PermanentError, ProviderUnavailable, WorkerError
from pipeline.calls import Call
from pipeline.providers.http_errors import declined
from pipeline.providers.paid import begin_without_lookup, request_hash, sending
from pipeline.providers.wire import Wire
from pipeline.stage import Json, StageContext

#: Between two polls, unless a service has its own pace.
POLL_S = 3.0
#: How often it is looked whether the vendor told of a clip.
_HEAR_S = 0.25
#: Polls in a row that may fail before the stage does.
_MAX_POLL_FAILURES = 5
#: A request that was cut off appears in the vendor's list after at most this long.
_SETTLE_S = 3.0
_CANCEL_S = 5.0


@dataclass(frozen=True)
class Shot:
    """One clip to be made. `inputs` are the model's own, `seed_field` what it calls its seed."""

    scene: int
    model: str
    inputs: Json
    seed_field: str | None
    price_microusd: int


@dataclass(frozen=True)
class Look:
    """What became of a clip. `gone`: the vendor no longer knows it, or its file."""

    state: Literal["waiting", "running", "done", "failed", "refused", "gone"]
    url: str | None = None
    usage: Json = field(default_factory=dict)


class ClipService(Protocol):
    """One vendor's queue. `can_look_up` says whether `find` works at all; `poll_s` how long to
    wait between two polls; `tells` whether it was asked to tell of what has ended."""

    name: str
    version: str
    title: str
    can_look_up: bool
    poll_s: float
    tells: bool

    def submit(self, wire: Wire, shot: Shot, call: Call, inputs: Json) -> str: ...
    def find(self, wire: Wire, call: Call, inputs: Json) -> str | None: ...
    def look(self, wire: Wire, shot: Shot, remote_id: str) -> Look: ...
    def cancel(self, wire: Wire, shot: Shot, remote_id: str, timeout_s: float) -> None: ...


class ClipChecker(Protocol):
    """Raises ProviderUnavailable for a file that is no usable clip."""

    def __call__(self, path: Path) -> None: ...


@dataclass
class _Clip:
    shot: Shot
    call: Call
    inputs: Json
    remote_id: str | None = None
    running: bool = False
    done: bool = False


class Filming:
    """One stage run's clips."""

    def __init__(
        self, service: ClipService, wire: Wire, ctx: StageContext, check: ClipChecker
    ) -> None:
        self._service = service
        self._wire = wire
        self._ctx = ctx
        self._check = check
        self._clips: list[_Clip] = []

    def film(self, shots: Sequence[Shot]) -> dict[int, Path]:
        """Each shot's file by its scene. Raises ProviderRefused, ProviderUnavailable."""
        try:
            for shot in shots:
                self._open(shot)
            self._wait()
        except JobCancelled:
            self._recover_ids()
            self._cancel_all()
            raise
        except PermanentError:
            self._cancel_all()
            raise
        return {clip.shot.scene: self._path(clip) for clip in self._clips}

    def _open(self, shot: Shot) -> None:
        calls, service = self._ctx.calls, self._service
        asked = request_hash(service.version, shot.model, shot.inputs, shot.scene, self._ctx.seed)
        if service.can_look_up:
            call = calls.begin(service.name, asked, estimate_microusd=shot.price_microusd)
        else:
            call = begin_without_lookup(
                self._ctx, service.name, asked, estimate_microusd=shot.price_microusd
            )
        clip = _Clip(shot, call, _seeded(shot, call), call.remote_id)
        self._clips.append(clip)
        if clip.remote_id is None and call.resumed:
            clip.remote_id = self._found(clip)
            if clip.remote_id is not None:
                clip.call = calls.submitted(call, clip.remote_id)
        if clip.remote_id is None:
            with sending(self._ctx, call, lookup=service.can_look_up):
                clip.remote_id = service.submit(self._wire, shot, call, clip.inputs)
            clip.call = calls.submitted(call, clip.remote_id)

    def _found(self, clip: _Clip) -> str | None:
        found = self._asked_for(clip)
        if found is None:
            self._ctx.sleep(_SETTLE_S)
            found = self._asked_for(clip)
        return found

    def _asked_for(self, clip: _Clip) -> str | None:
        # A vendor that is down is left alone with this question too.
        with self._ctx.calls.slot(self._service.name):
            return self._service.find(self._wire, clip.call, clip.inputs)

    def _wait(self) -> None:
        failures = 0
        due = self._clips
        while True:
            problem = None
            try:
                for clip in due:
                    if not clip.done:
                        self._advance(clip)
                failures = 0
            except _PollFailed as failed:
                failures, problem = failures + 1, failed.error
            if problem is not None and failures > _MAX_POLL_FAILURES:
                # Polls are too many to hold places; what they come to is told to the breaker.
                with self._ctx.calls.slot(self._service.name):
                    raise problem
            ready = sum(clip.done for clip in self._clips)
            self._ctx.progress(
                0.1 + 0.7 * ready / max(1, len(self._clips)),
                f"{ready} of {len(self._clips)} clips filmed",
            )
            if ready == len(self._clips):
                return
            due = self._pause(POLL_S if problem else self._service.poll_s)

    def _pause(self, left_s: float) -> list[_Clip]:
        """Wait for the next poll, or for the vendor's word; returns what to ask about."""
        waiting = {clip.remote_id: clip for clip in self._clips if clip.remote_id and not clip.done}
        while left_s > 0:
            step_s = min(left_s, _HEAR_S) if self._service.tells else left_s
            self._ctx.sleep(step_s)
            left_s -= step_s
            if self._service.tells and (
                told := self._ctx.calls.told(self._service.name, list(waiting))
            ):
                return [waiting[remote_id] for remote_id in told]
        return self._clips

    def _advance(self, clip: _Clip) -> None:
        look = self._look(clip)
        clip.running = look.state == "running"
        if look.state == "done":
            self._fetch(clip, look)
        elif look.state == "gone":
            self._lost(clip)
        elif look.state == "refused":
            self._ctx.calls.failed(clip.call, "the content was declined")
            clip.done = True
            raise declined(self._service.title)
        elif look.state == "failed":
            self._ctx.calls.failed(clip.call, "the model failed")
            raise ProviderUnavailable(f"{self._service.title} failed to make a clip")

    def _look(self, clip: _Clip) -> Look:
        assert clip.remote_id is not None
        try:
            return self._service.look(self._wire, clip.shot, clip.remote_id)
        except ProviderUnavailable as error:
            failed = _PollFailed(error)
        raise failed

    def _fetch(self, clip: _Clip, look: Look) -> None:
        path = self._path(clip)
        for at_last in (False, True):
            if look.url is None:
                break
            if self._downloaded(look.url, path):
                self._accept(clip, look, path)
                return
            if not at_last:  # the link may have expired, and the vendor signs another
                look = self._look(clip)
        self._lost(clip)

    def _downloaded(self, url: str, path: Path) -> bool:
        """False where the vendor refuses the file."""
        try:
            return self._wire.download(url, path) == 200
        except ProviderUnavailable as error:
            failed = _PollFailed(error)
        raise failed

    def _accept(self, clip: _Clip, look: Look, path: Path) -> None:
        price = clip.shot.price_microusd
        try:
            self._check(path)
        except ProviderUnavailable as error:
            self._ctx.calls.failed(clip.call, str(error), cost_microusd=price)
            raise
        clip.done = True
        if clip.call.state != "finished":
            usage = {**look.usage, "model": clip.shot.model}
            clip.call = self._ctx.calls.finished(clip.call, cost_microusd=price, usage=usage)

    def _lost(self, clip: _Clip) -> None:
        self._ctx.calls.failed(
            clip.call, "its file is no longer kept", cost_microusd=clip.shot.price_microusd
        )
        raise ProviderUnavailable(
            f"{self._service.title} no longer keeps a clip that it made; it is filmed anew"
        )

    def _recover_ids(self) -> None:
        """The cancellation may have come while a request was under way."""
        for clip in self._clips:
            if clip.remote_id is None and self._service.can_look_up:
                with suppress(WorkerError):
                    clip.remote_id = self._service.find(self._wire, clip.call, clip.inputs)

    def _cancel_all(self) -> None:
        for clip in self._clips:
            if clip.done or clip.remote_id is None:
                continue
            # Best effort on the way out: the job ends as it was asked to, whatever fails here.
            with suppress(WorkerError):
                self._service.cancel(self._wire, clip.shot, clip.remote_id, _CANCEL_S)
                cost = clip.shot.price_microusd if clip.running else 0
                self._ctx.calls.failed(clip.call, "cancelled", cost_microusd=cost)

    def _path(self, clip: _Clip) -> Path:
        return self._ctx.workdir / f"raw-{clip.shot.scene}.mp4"


class _PollFailed(Exception):
    """A poll or a download that may work the next time round."""

    def __init__(self, error: ProviderUnavailable) -> None:
        super().__init__(str(error))
        self.error = error


def _seeded(shot: Shot, call: Call) -> Json:
    """The inputs with a seed that is this call's own: it tells a lost clip from its likes."""
    if shot.seed_field is None:
        return shot.inputs
    digest = hashlib.sha256(call.id.encode()).digest()
    return {**shot.inputs, shot.seed_field: int.from_bytes(digest[:4], "big") >> 1}
