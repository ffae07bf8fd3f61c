"""Artefacts in a folder or an S3 bucket, over obstore: create-only, checked on the way back."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from config import aws_endpoint
from errors import StorageUnavailable
from pipeline.ports import Artifact, ArtifactMissing

_CHUNK = 1 << 20
#: What a bucket tells a browser about a file, by the end of its name.
CONTENT_TYPES = {
    ".mp4": "video/mp4",
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".json": "application/json",
    ".vtt": "text/vtt; charset=utf-8",
    ".srt": "application/x-subrip; charset=utf-8",
}
_LIST_CHUNK = 1000


@contextmanager
def _translated() -> Iterator[None]:
    """Turn "the bucket is away" in all its forms into StorageUnavailable; other errors pass."""
    from obstore.exceptions import AlreadyExistsError, BaseError

    try:
        yield
    except AlreadyExistsError:
        raise
    except BaseError as error:
        raise StorageUnavailable(f"artefact storage: {type(error).__name__}") from error


class ObjectStorage:
    """Storage at `file:///folder` or `s3://bucket/prefix`; opened on first use.

    Every method raises StorageUnavailable where a bucket does not answer.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._store: Any = None

    def publish(self, path: Path, key: str) -> Artifact:
        """Store a file under a key nobody wrote yet.

        Idempotent for the same bytes; other bytes under a taken key raise FileExistsError.
        """
        import obstore
        from obstore.exceptions import AlreadyExistsError

        digest, size = file_digest(path)
        artifact = Artifact(key, digest, size)
        try:
            with _translated():
                attributes = self._attributes(key)
                obstore.put(self._open(), key, path, mode="create", attributes=attributes)
        except AlreadyExistsError:
            if not self._holds(artifact):
                raise FileExistsError(f"artefact {key} holds other bytes") from None
        return artifact

    def fetch(self, artifact: Artifact, destination: Path) -> None:
        """Copy to `destination`, whole or not at all. Raises ArtifactMissing."""
        partial = destination.with_name(destination.name + ".part")
        digest = hashlib.sha256()
        try:
            with partial.open("wb") as file:
                for chunk in self._stream(artifact.key):
                    digest.update(chunk)
                    file.write(chunk)
            if digest.hexdigest() != artifact.sha256:
                raise ArtifactMissing(f"artefact {artifact.key} is damaged")
            partial.replace(destination)
        finally:
            partial.unlink(missing_ok=True)

    def restore(self, key: str, destination: Path) -> bool:
        """Copy what was published under the key, whole or not at all; False: nothing was."""
        partial = destination.with_name(destination.name + ".part")
        try:
            with partial.open("wb") as file:
                for chunk in self._stream(key):
                    file.write(chunk)
            partial.replace(destination)
        except ArtifactMissing:
            return False
        finally:
            partial.unlink(missing_ok=True)
        return True

    def read(self, key: str) -> bytes:
        """A small file, whole. Raises ArtifactMissing."""
        return b"".join(bytes(chunk) for chunk in self._stream(key))

    def origin(self) -> str | None:
        """Where `signed_url` leads to, as `https://host`; None: storage is a folder."""
        import obstore

        if self.local_path("") is not None:
            return None
        # Signed with no real key: the answer needs neither one nor the network.
        bucket = _bucket(self._url, access_key_id="none", secret_access_key="none")  # noqa: S106
        parts = urlsplit(obstore.sign(bucket, "GET", "x", timedelta(seconds=60)))
        return f"{parts.scheme}://{parts.netloc}"

    def ping(self) -> None:
        """Ask for one file's name."""
        import obstore

        with _translated():
            next(iter(obstore.list(self._open(), chunk_size=1)), None)

    def signed_url(self, key: str, *, expires_s: int) -> str | None:
        """A link that opens the file for anyone until it expires; None: storage is a folder."""
        import obstore

        if self.local_path(key) is not None:
            return None
        with _translated():
            return obstore.sign(self._open(), "GET", key, timedelta(seconds=expires_s))

    def older_than(self, before: datetime) -> Iterator[list[str]]:
        """The keys of files last written before, in batches."""
        import obstore

        folder = self.local_path("")
        if folder is not None and not folder.is_dir():
            return
        with _translated():
            for batch in obstore.list(self._open(), chunk_size=_LIST_CHUNK):
                yield [entry["path"] for entry in batch if entry["last_modified"] < before]

    def remove(self, keys: Sequence[str]) -> None:
        """Delete files; those that are gone already are no error."""
        import obstore

        for key in keys:
            with suppress(FileNotFoundError), _translated():
                obstore.delete(self._open(), key)
            folder = self.local_path("")
            if folder is not None:
                _remove_empty(folder, (folder / key).parent)

    def local_path(self, key: str) -> Path | None:
        """Where the file lies on this host, when storage is a folder."""
        parts = urlsplit(self._url)
        return Path(unquote(parts.path)) / key if parts.scheme == "file" else None

    def _attributes(self, key: str) -> Any:
        # A folder keeps none, and its store refuses them.
        known = self.local_path("") is None and PurePosixPath(key).suffix in CONTENT_TYPES
        return {"Content-Type": CONTENT_TYPES[PurePosixPath(key).suffix]} if known else None

    def _stream(self, key: str) -> Any:
        import obstore

        try:
            with _translated():
                yield from obstore.get(self._open(), key).stream(min_chunk_size=_CHUNK)
        except FileNotFoundError:
            raise ArtifactMissing(f"artefact {key} is gone") from None

    def _holds(self, artifact: Artifact) -> bool:
        digest = hashlib.sha256()
        for chunk in self._stream(artifact.key):
            digest.update(chunk)
        return digest.hexdigest() == artifact.sha256

    def _open(self) -> Any:
        if self._store is None:
            folder = self.local_path("")
            self._store = _local(folder) if folder is not None else _bucket(self._url)
        return self._store


def _local(folder: Path) -> Any:
    from obstore.store import LocalStore

    return LocalStore(folder, mkdir=True)


def _bucket(url: str, **more: Any) -> Any:
    """`s3://bucket/prefix`; keys, region and endpoint come from the usual AWS_ variables."""
    from obstore.store import S3Store

    # A plain-http endpoint is somebody's own (MinIO, tests), and wants path-style addresses.
    plain = (aws_endpoint() or "").startswith("http://")
    if plain:
        more["client_options"] = {"allow_http": True}
    return S3Store.from_url(
        url,
        virtual_hosted_style_request=not plain,
        # The orchestrator retries stages; a retry hidden here would only add up.
        retry_config={"max_retries": 2},
        **more,
    )


def _remove_empty(root: Path, folder: Path) -> None:
    """Remove a folder and those above it, below `root`, as far as they are empty."""
    while folder != root and folder.is_relative_to(root):
        try:
            folder.rmdir()
        except OSError:  # not empty, or gone already
            return
        folder = folder.parent


def file_digest(path: Path) -> tuple[str, int]:
    """(SHA-256 in hex, size in bytes) of a file."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
        return digest.hexdigest(), file.tell()
