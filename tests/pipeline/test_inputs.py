"""A job's pictures and music: fetched once, kept, and the same for every later try."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from errors import InvalidInput
from jobs.payload import VideoJob
from pipeline.hashing import job_content
from pipeline.inputs import InputFiles
from pipeline.public_http import PublicHttp
from pipeline.storage import ObjectStorage
from tests.stubs.server import Fault, Reply, Stub


class Pictures(Stub):
    """Serves `picture` and `music`, which a test may change."""

    def __init__(self) -> None:
        super().__init__()
        self.picture = b"first"
        self.music = b"RIFF\0\0\0\0WAVE first"
        self.route("GET", "/mug.png", "get", lambda request: Reply(self.picture))
        self.route("GET", "/song", "get", lambda request: Reply(self.music))


@pytest.fixture
def site() -> Iterator[Pictures]:
    with Pictures() as stub:
        yield stub


class Waits:
    def __init__(self) -> None:
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


class Bench:
    def __init__(self, folder: Path, site: Pictures) -> None:
        self.folder = folder
        self.uploads = folder / "uploads"
        self.uploads.mkdir()
        self.waits = Waits()
        self.storage = ObjectStorage((folder / "artifacts").as_uri())
        http = PublicHttp([site.url.removeprefix("http://")])
        self.files = InputFiles([self.uploads], self.storage, http)

    def local(self, holder: str, **fields: object) -> VideoJob:
        job = VideoJob.model_validate({"id": "a", "product_name": "Mug", **fields})
        return self.files.localise(job, self.folder / holder, self.waits)


@pytest.fixture
def bench(tmp_path: Path, site: Pictures) -> Bench:
    return Bench(tmp_path, site)


def test_a_picture_that_changes_on_its_site_stays_the_same_for_the_job(
    bench: Bench, site: Pictures
) -> None:
    url = site.url + "/mug.png"
    first = bench.local("one", images=[url])
    site.picture = b"second"
    again = bench.local("two", images=[url])
    assert Path(first.images[0]).read_bytes() == Path(again.images[0]).read_bytes() == b"first"
    assert len(site.requests) == 1


def test_of_two_holders_that_fetch_at_once_the_first_to_publish_counts(
    bench: Bench, site: Pictures, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = site.url + "/mug.png"
    real, calls = bench.storage.restore, 0

    def late(key: str, destination: Path) -> bool:
        nonlocal calls
        calls += 1
        if calls == 1:  # nothing there yet; and then the other holder publishes
            bench.local("other", images=[url])
            site.picture = b"second"
            return False
        return real(key, destination)

    monkeypatch.setattr(ObjectStorage, "restore", lambda self, key, path: late(key, path))
    assert Path(bench.local("mine", images=[url]).images[0]).read_bytes() == b"first"


def test_a_host_that_fails_for_a_moment_is_asked_again(bench: Bench, site: Pictures) -> None:
    site.plan("get", Fault("status", 503), Fault("cut_before"))
    assert bench.local("one", images=[site.url + "/mug.png"]).images
    assert bench.waits.slept == [2, 4]


@pytest.mark.parametrize(
    ("faults", "reason", "asked"),
    [
        ([Fault("status", 503)] * 4, "could not be fetched", 4),
        ([Fault("status", 403)], "status 403", 1),
        ([Fault("status", 404)], "status 404", 1),
    ],
)
def test_a_picture_that_cannot_be_had_fails_the_job_and_names_the_field(
    bench: Bench, site: Pictures, faults: list[Fault], reason: str, asked: int
) -> None:
    site.plan("get", *faults)
    with pytest.raises(InvalidInput, match=reason) as caught:
        bench.local("one", images=["../x", site.url + "/mug.png"][1:])
    assert caught.value.field == "images.0"
    assert len(site.requests) == asked
    assert list((bench.folder / "artifacts").rglob("*.*")) == []


def test_a_private_address_is_never_asked(bench: Bench) -> None:
    for url in ("https://127.0.0.1/a.png", "https://localhost/a.png", "http://10.0.0.1/"):
        with pytest.raises(InvalidInput, match=r"images\.0"):
            bench.local("one", images=[url])


def test_a_path_is_still_a_path(bench: Bench) -> None:
    (bench.uploads / "mug.png").write_bytes(b"x")
    assert bench.local("one", images=["mug.png"]).images == (
        str((bench.uploads / "mug.png").resolve()),
    )
    with pytest.raises(InvalidInput, match="allowed folders"):
        bench.local("one", images=["/etc/passwd"])


def test_music_is_fetched_once_and_kept_as_pictures_are(bench: Bench, site: Pictures) -> None:
    url = site.url + "/song"
    first = bench.local("one", music=url)
    site.music = b"RIFF\0\0\0\0WAVE second"
    again = bench.local("two", music=url)
    assert Path(first.music).read_bytes() == Path(again.music).read_bytes()
    assert len(site.requests) == 1


def test_music_may_be_a_path_in_an_allowed_folder(bench: Bench) -> None:
    (bench.uploads / "song.flac").write_bytes(b"fLaC and more")
    assert bench.local("one", music="song.flac").music == str(bench.uploads / "song.flac")
    for word in ("auto", "none"):
        assert bench.local("one", music=word).music == word


@pytest.mark.parametrize(
    ("music", "words"),
    [
        ("/etc/passwd", "allowed folders"),
        ("none.mp3", "names no file"),
        ("words.mp3", "is not an MP3"),
        ("https://127.0.0.1/a.mp3", "public address"),
    ],
)
def test_music_that_cannot_be_used_is_named_before_any_stage(
    bench: Bench, music: str, words: str
) -> None:
    (bench.uploads / "words.mp3").write_text("no music at all")
    with pytest.raises(InvalidInput, match=words) as caught:
        bench.local("one", music=music)
    assert caught.value.field == "music"


def test_music_that_is_no_music_is_refused_from_its_site_too(bench: Bench, site: Pictures) -> None:
    site.music = b"<html>sign in</html>"
    with pytest.raises(InvalidInput, match="music: is not an MP3"):
        bench.local("one", music=site.url + "/song")


def test_music_counts_by_its_bytes_as_pictures_do() -> None:
    job = VideoJob.model_validate({"id": "a", "product_name": "Mug", "music": "/here/song.mp3"})
    moved = job.model_copy(update={"music": "/there/song.mp3"})
    first = job_content(job, {"/here/song.mp3": "1" * 64})
    assert first == job_content(moved, {"/there/song.mp3": "1" * 64})
    assert first != job_content(job, {"/here/song.mp3": "2" * 64})
    assert job_content(moved.model_copy(update={"music": "none"}), {})["music"] == "none"
