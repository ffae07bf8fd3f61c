"""A job's pictures and music as local files: paths are checked, URLs fetched once and kept.

What was fetched first is kept in storage under the job's own name, so that another try, on any
host, works with the same bytes: a file that changes on its web site makes no stage run, and nothing
paid for, anew.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential

from errors import InvalidInput
from jobs.payload import VideoJob
from pipeline.media import own_music
from pipeline.media.images import MAX_BYTES, check_reference
from pipeline.ports import OWN_FILES, ArtifactStorage
from pipeline.public_http import Forbidden, PublicHttp, Unreachable

#: One fetch, its redirects included.
_TIMEOUT_S = 30.0
#: As a stage's: 2, 4, 8 s between the tries.
_TRIES = 4


class Interruptible(Protocol):
    """What waiting for a host needs of pipeline.ports.Interrupts."""

    def sleep(self, seconds: float) -> None: ...


@dataclass(frozen=True)
class InputFiles:
    """`folders` are those that paths may point into."""

    folders: Sequence[Path]
    storage: ArtifactStorage
    http: PublicHttp
    wait_base_s: float = 2.0

    def localise(self, job: VideoJob, folder: Path, interrupts: Interruptible) -> VideoJob:
        """The job with its images, logo and music as local paths; fetched ones lie in `folder`.

        Raises InvalidInput with the field's name.
        """

        def local(field: str, reference: str, max_bytes: int = MAX_BYTES) -> str:
            return str(self._local(job, field, reference, folder, interrupts.sleep, max_bytes))

        found: dict[str, Any] = {
            "images": tuple(local(f"images.{n}", image) for n, image in enumerate(job.images)),
            "logo": job.logo and local("logo", job.logo),
        }
        if own_music.is_own(job.music):
            found["music"] = local(own_music.FIELD, job.music, own_music.MAX_BYTES)
            # Pictures are opened by a stage soon to come; music by the last, when all is paid for.
            own_music.check_music(Path(found["music"]))
        return job.model_copy(update=found)

    def _local(
        self,
        job: VideoJob,
        field: str,
        reference: str,
        folder: Path,
        sleep: Callable[[float], None],
        max_bytes: int,
    ) -> Path:
        if "://" not in reference:
            return check_reference(field, reference, self.folders)
        name = hashlib.sha256(reference.encode()).hexdigest()[:32]
        key, path = f"{job.tenant}/{OWN_FILES}/{job.id}/{name}", folder / name
        folder.mkdir(parents=True, exist_ok=True)
        if self.storage.restore(key, path):
            return path
        path.write_bytes(self._fetched(field, reference, sleep, max_bytes))
        try:
            self.storage.publish(path, key)
        except FileExistsError:  # another holder of the job was quicker, and the first one counts
            self.storage.restore(key, path)
        return path

    def _fetched(
        self, field: str, url: str, sleep: Callable[[float], None], max_bytes: int
    ) -> bytes:
        retrying = Retrying(
            retry=retry_if_exception_type(Unreachable),
            stop=stop_after_attempt(_TRIES),
            wait=wait_exponential(multiplier=self.wait_base_s),
            sleep=sleep,
            reraise=True,
        )
        try:
            return retrying(self._fetch, url, max_bytes)
        except Forbidden as error:
            raise InvalidInput(field, f"its URL {error}") from None
        except Unreachable as error:
            raise InvalidInput(
                field, f"could not be fetched: its host {error}; submit it again later"
            ) from None

    def _fetch(self, url: str, max_bytes: int) -> bytes:
        answer = self.http.get(url, timeout_s=_TIMEOUT_S, max_bytes=max_bytes)
        if answer.status >= 500 or answer.status in (408, 429):
            raise Unreachable(f"answers with status {answer.status}")
        if answer.status != 200:
            raise Forbidden(f"answers with status {answer.status}; check that anyone can open it")
        return answer.body
