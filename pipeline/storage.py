"""Artefacts in a folder or a bucket, over obstore: create-only, checked on the way back."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from pipeline.ports import Artifact, ArtifactMissing

_CHUNK = 1 << 20


class ObjectStorage:
    """Storage at `file:///folder`. The client is imported and opened on first use."""

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
            obstore.put(self._open(), key, path, mode="create")
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

    def local_path(self, key: str) -> Path | None:
        """Where the file lies on this host, when storage is a folder."""
        parts = urlsplit(self._url)
        return Path(unquote(parts.path)) / key if parts.scheme == "file" else None

    def _stream(self, key: str) -> Any:
        import obstore

        try:
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
            from obstore.store import LocalStore

            folder = self.local_path("")
            assert folder is not None  # config accepts no other scheme
            self._store = LocalStore(folder, mkdir=True)
        return self._store


def file_digest(path: Path) -> tuple[str, int]:
    """(SHA-256 in hex, size in bytes) of a file."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
        return digest.hexdigest(), file.tell()
