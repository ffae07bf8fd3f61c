"""Files: finished ones to fetch, pictures to upload."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Request, UploadFile
from fastapi.responses import FileResponse, RedirectResponse
from starlette.responses import Response

from api.models import File, Uploaded
from api.routes_jobs import files_of
from api.security import LINK_S, Caller, Reader, Submitter, caller_of
from api.shop import TheShop
from errors import InvalidInput
from pipeline.media.images import MAX_BYTES, image_size
from pipeline.ports import ArtifactMissing
from pipeline.storage import CONTENT_TYPES

router = APIRouter(tags=["files"])

_CHUNK = 1 << 20
_GONE = "the file is no longer kept"
_SUFFIX = {"PNG": ".png", "JPEG": ".jpg", "WEBP": ".webp"}
#: Read by the page's scripts and the player, which take them from the page's own origin only.
_PASSED_ON = frozenset({".json", ".vtt", ".srt"})


@router.get("/jobs/{job_id}/artifacts")
def list_files(job_id: str, caller: Reader, shop: TheShop, request: Request) -> list[File]:
    """The job's finished files."""
    return files_of(shop.job(job_id, caller), request.app.state.guard)


@router.get(
    "/jobs/{job_id}/artifacts/{name}",
    response_class=Response,
    responses={
        200: {"content": {"*/*": {}}, "description": "The file."},
        206: {"content": {"*/*": {}}, "description": "A part of it."},
        307: {"description": "Where storage has it."},
        416: {"description": "No such part."},
    },
)
def fetch(
    job_id: str,
    name: str,
    request: Request,
    shop: TheShop,
    link: Annotated[str | None, Query(max_length=400)] = None,
) -> Response:
    """A finished file, or a range of it. With a `link` no token is needed."""
    opened = link is not None and request.app.state.guard.opens(link, job_id, name)
    caller = Caller("read", None) if opened else _caller(request)
    record = shop.job(job_id, caller)
    fields = (record.result or {}).get("artifacts", {}).get(name)
    if fields is None:
        raise HTTPException(404, "the job has no such file")
    path, suffix = shop.storage.local_path(fields["key"]), Path(name).suffix
    kind = CONTENT_TYPES.get(suffix, "application/octet-stream")
    headers = {"cache-control": "private, max-age=3600", "etag": f'"{fields["sha256"]}"'}
    if path is None and suffix in _PASSED_ON:
        try:
            return Response(shop.storage.read(fields["key"]), media_type=kind, headers=headers)
        except ArtifactMissing:
            raise HTTPException(404, _GONE) from None
    if path is None:
        signed = shop.storage.signed_url(fields["key"], expires_s=LINK_S)
        return RedirectResponse(str(signed), 307)
    if not path.is_file():
        raise HTTPException(404, _GONE)
    return FileResponse(path, media_type=kind, headers=headers)


@router.post("/uploads", status_code=201)
def upload(file: UploadFile, caller: Submitter, shop: TheShop) -> Uploaded:
    """Keep a PNG, JPEG or WebP of up to 25 MB; the reference goes into a job's `images`."""
    shop.uploads.mkdir(parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    with tempfile.NamedTemporaryFile(dir=shop.uploads, delete=False) as kept:
        path = Path(kept.name)
        try:
            while piece := file.file.read(_CHUNK):
                size += len(piece)
                if size > MAX_BYTES:
                    raise InvalidInput("file", f"is larger than {MAX_BYTES / 1e6:g} MB")
                digest.update(piece)
                kept.write(piece)
            kept.flush()
            form, width, height = image_size(path, field="file")
            # Named by its content: the same picture twice is one file.
            target = shop.uploads / f"{digest.hexdigest()[:32]}{_SUFFIX[form]}"
            path.chmod(0o644)
            path.replace(target)
        finally:
            path.unlink(missing_ok=True)
    return Uploaded(reference=target.name, width=width, height=height)


def _caller(request: Request) -> Caller:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        caller = request.app.state.guard.by_token(token.strip())
        if caller is None:
            raise HTTPException(401, "this token is not known")
        return Caller(caller.role, caller.tenant)
    return caller_of(request)
