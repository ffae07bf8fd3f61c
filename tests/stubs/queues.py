"""The two video queues: Replicate's predictions, and fal's queue."""

from __future__ import annotations

import base64
import json
import re
import time
import uuid
from collections import deque
from datetime import UTC, datetime
from typing import Any

import httpx
from standardwebhooks import Webhook

from tests.stubs.receiver import SECRET
from tests.stubs.server import Refused, Reply, Request, Stub

#: Micro-dollars that the stubs take for a clip, whatever its length.
CLIP_MICROUSD = 250_000


class ReplicateStub(Stub):
    """Predictions, files and outputs. A prediction advances by one status with each get; where
    the stub is `instant`, to its end with the first."""

    PAGE = 3
    #: What its webhooks are signed with.
    SECRET = SECRET

    def __init__(self, mp4: bytes) -> None:
        super().__init__()
        self.mp4 = mp4
        #: Newest first, as the list gives them.
        self.predictions: list[dict[str, Any]] = []
        #: How coming predictions end: "succeeded" when this runs out.
        self.endings: deque[str] = deque()
        self.errors: deque[str] = deque()
        self.held = False
        self.instant = False
        self.expired = False
        #: The list leaves out what was created, as if there were far too many others.
        self.unlisted = False
        #: A prediction ends, and its webhook is sent, before its creation is answered.
        self.tells_at_once = False
        v1 = "/v1/predictions"
        model = r"/v1/models/([\w.-]+/[\w.-]+)/predictions"
        self.route("POST", model, "create", self._create)
        self.route("POST", v1, "create", self._create)
        self.route("GET", v1, "list", self._list)
        self.route("GET", v1 + r"/(\w+)", "get", self._get)
        self.route("POST", v1 + r"/(\w+)/cancel", "cancel", self._cancel)
        self.route("POST", "/v1/files", "upload", self._upload)
        self.route("GET", r"/out/(\w+)/clip\.mp4", "download", self._download)

    @property
    def settings(self) -> dict[str, str]:
        return {
            "VIDEO_PROVIDER": "replicate",
            "REPLICATE_API_TOKEN": self.KEY,
            "REPLICATE_BASE_URL": self.url,
            "VIDEO_USD_PER_SECOND": "0.02",
        }

    def error_body(self, status: int, message: str, kind: str) -> Any:
        body = {"title": kind or "Error", "detail": message, "status": status}
        return {**body, "retry_after": 5} if status == 429 else body

    def authorise(self, request: Request) -> None:
        if request.path.startswith("/out/"):
            return
        if request.headers.get("authorization") != f"Bearer {self.KEY}":
            raise Refused(401, "You did not pass a valid authentication token", "Unauthenticated")

    def _create(self, request: Request) -> Reply:
        body = request.json()
        if not isinstance(body.get("input"), dict) or not body["input"].get("prompt"):
            raise Refused(422, "- input.prompt is required", "Input validation failed")
        if unknown := body.keys() - {"input", "version", "webhook", "webhook_events_filter"}:
            raise Refused(422, f"unknown {sorted(unknown)}", "Input validation failed")
        if not request.match and not body.get("version"):
            raise Refused(422, "- version is required", "Input validation failed")
        if "prefer" in request.headers:
            raise Refused(400, "the stub answers at once only")
        name = uuid.uuid4().hex[:26]
        with self.lock:
            prediction = {
                "id": name, "model": request.match[0] if request.match else "",
                "version": body.get("version", "hidden"), "status": "starting",
                "input": body["input"], "output": None, "error": None, "logs": "",
                "metrics": {}, "created_at": datetime.now(UTC).isoformat(), "started_at": None,
                "completed_at": None,
                "urls": {
                    "get": f"{self.url}/v1/predictions/{name}",
                    "cancel": f"{self.url}/v1/predictions/{name}/cancel",
                },
                "_webhook": body.get("webhook"),
                "_ending": self.endings.popleft() if self.endings else "succeeded",
            }  # fmt: skip
            self.predictions.insert(0, prediction)
        self.charge(request, CLIP_MICROUSD)
        if self.tells_at_once:
            self.end(name)
        return Reply(_shown(prediction), 201)

    def end(self, name: str) -> int:
        """A prediction runs to its end, and that is told; returns the receiver's status."""
        with self.lock:
            prediction = self._found(name)
            while prediction["status"] in ("starting", "processing"):
                self._advance(prediction)
        return send_webhook(prediction["_webhook"], _shown(prediction))

    def _get(self, request: Request) -> Reply:
        with self.lock:
            prediction = self._found(request.match[0])
            if not self.held:
                self._advance(prediction)
            if self.instant:
                self._advance(prediction)
            shown = _shown(prediction)
        if self.expired and shown["status"] == "succeeded":
            shown["output"] = None
        return Reply(shown)

    def _advance(self, prediction: dict[str, Any]) -> None:
        if prediction["status"] == "starting":
            prediction["status"] = "processing"
            prediction["started_at"] = datetime.now(UTC).isoformat()
        elif prediction["status"] == "processing":
            prediction["status"] = prediction["_ending"]
            prediction["completed_at"] = datetime.now(UTC).isoformat()
            if prediction["_ending"] == "succeeded":
                prediction["output"] = f"{self.url}/out/{prediction['id']}/clip.mp4"
                prediction["metrics"] = {"predict_time": 31.5, "total_time": 33.0}
            elif prediction["_ending"] == "failed":
                prediction["error"] = self.errors.popleft() if self.errors else "CUDA error"

    def _list(self, request: Request) -> Reply:
        at = int(request.query.get("cursor", "0"))
        with self.lock:
            listed = [] if self.unlisted else self.predictions
            page = [_shown(prediction) for prediction in listed[at : at + self.PAGE]]
            more = len(listed) > at + self.PAGE
        following = f"{self.url}/v1/predictions?cursor={at + self.PAGE}" if more else None
        return Reply({"previous": None, "next": following, "results": page})

    def _cancel(self, request: Request) -> Reply:
        with self.lock:
            prediction = self._found(request.match[0])
            if prediction["status"] in ("starting", "processing"):
                prediction["status"] = "canceled"
            return Reply(_shown(prediction))

    def _upload(self, request: Request) -> Reply:
        if "multipart/form-data" not in request.headers.get("content-type", ""):
            raise Refused(400, "Missing content")
        now = datetime.now(UTC).isoformat()
        return Reply(
            {
                "id": "file1", "name": "image.jpg", "content_type": "image/jpeg",
                "size": len(request.raw), "etag": "e", "checksums": {"sha256": "0"},
                "metadata": {}, "created_at": now, "expires_at": now,
                "urls": {"get": f"{self.url}/v1/files/file1"},
            },
            201,
        )  # fmt: skip

    def _download(self, request: Request) -> Reply:
        if self.expired:
            raise Refused(404, "gone")
        if "authorization" in request.headers:
            raise Refused(400, "the token was sent to the delivery host")
        return Reply(self.mp4)

    def _found(self, name: str) -> dict[str, Any]:
        for prediction in self.predictions:
            if prediction["id"] == name:
                return prediction
        raise Refused(404, "not found", "Not found")


def send_webhook(url: str, body: Any, **changed: Any) -> int:
    """Post a webhook as Replicate does; `secret` and `at` change its signature."""
    raw, name = json.dumps(body), f"msg_{uuid.uuid4().hex}"
    at: datetime = changed.get("at") or datetime.now(UTC)
    signed = Webhook(changed.get("secret") or SECRET).sign(name, at, raw)
    headers = {
        "content-type": "application/json",
        "webhook-id": name,
        "webhook-timestamp": str(int(at.timestamp())),
        # Replicate sends several while its key is being changed.
        "webhook-signature": f"v1,{base64.b64encode(b'older key').decode()} {signed}",
    }
    return httpx.post(url, content=raw, headers=headers, timeout=10).status_code


class FalStub(Stub):
    """`POST /{model}`, then the request's status, result and cancel. `instant` as above."""

    def __init__(self, mp4: bytes) -> None:
        super().__init__()
        self.mp4 = mp4
        self.jobs: dict[str, dict[str, Any]] = {}
        self.held = False
        self.instant = False
        self.expired = False
        #: Bodies that coming results fail with (HTTP 422) instead of succeeding.
        self.failures: deque[Any] = deque()
        asked = r"/([\w.-]+/[\w.-]+)/requests/([\w-]+)"
        self.route("GET", asked + "/status", "get", self._status)
        self.route("PUT", asked + "/cancel", "cancel", self._cancel)
        self.route("GET", asked, "result", self._result)
        self.route("GET", r"/out/([\w-]+)\.mp4", "download", self._download)
        self.route("POST", r"/([\w.-]+/[\w.-]+(?:/[\w./-]+)?)", "create", self._create)

    @property
    def settings(self) -> dict[str, str]:
        return {
            "VIDEO_PROVIDER": "fal",
            "FAL_KEY": self.KEY,
            "FAL_BASE_URL": self.url,
            "VIDEO_USD_PER_SECOND": "0.02",
        }

    def authorise(self, request: Request) -> None:
        if request.path.startswith("/out/"):
            return
        if request.headers.get("authorization") != f"Key {self.KEY}":
            raise Refused(401, "Authentication is required to access this application")

    def _create(self, request: Request) -> Reply:
        body = request.json()
        if not isinstance(body.get("prompt"), str):
            raise Refused(422, "field required")
        name = str(uuid.uuid4())
        app = "/".join(request.match[0].split("/")[:2])
        with self.lock:
            self.jobs[name] = {"status": "IN_QUEUE", "app": app, "input": body, "at": time.time()}
        self.charge(request, CLIP_MICROUSD)
        base = f"{self.url}/{app}/requests/{name}"
        return Reply(
            {
                "request_id": name, "status": "IN_QUEUE", "queue_position": 0,
                "response_url": base, "status_url": f"{base}/status",
                "cancel_url": f"{base}/cancel",
            }
        )  # fmt: skip

    def _status(self, request: Request) -> Reply:
        with self.lock:
            job = self._found(request)
            steps = {"IN_QUEUE": "IN_PROGRESS", "IN_PROGRESS": "COMPLETED"}
            if not self.held:
                job["status"] = steps.get(job["status"], job["status"])
            if self.instant:
                job["status"] = "COMPLETED"
            status = job["status"]
        body = {"status": status, "request_id": request.match[1]}
        return Reply(body, 200 if status == "COMPLETED" else 202)

    def _result(self, request: Request) -> Reply:
        job = self._found(request)
        if job["status"] != "COMPLETED":
            raise Refused(400, "Request is still in progress")
        with self.lock:
            if "failure" not in job and self.failures:
                job["failure"] = self.failures.popleft()
        if "failure" in job:
            return Reply(job["failure"], 422)
        url = f"{self.url}/out/{request.match[1]}.mp4"
        return Reply({"video": {"url": url, "content_type": "video/mp4"}, "seed": 1})

    def _cancel(self, request: Request) -> Reply:
        with self.lock:
            job = self._found(request)
            if job["status"] == "COMPLETED":
                return Reply({"status": "ALREADY_COMPLETED"}, 400)
            job["status"] = "CANCELED"
        return Reply({"status": "CANCELLATION_REQUESTED"}, 202)

    def _download(self, request: Request) -> Reply:
        if self.expired:
            raise Refused(404, "gone")
        if "authorization" in request.headers:
            raise Refused(400, "the key was sent to the delivery host")
        return Reply(self.mp4)

    def _found(self, request: Request) -> dict[str, Any]:
        job = self.jobs.get(request.match[1])
        if job is None or not re.fullmatch(re.escape(job["app"]), request.match[0]):
            raise Refused(404, "Request not found")
        return job


def _shown(prediction: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in prediction.items() if not name.startswith("_")}
