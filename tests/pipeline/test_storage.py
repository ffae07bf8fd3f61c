"""Artefacts in a folder and in a bucket: published once, checked on the way back."""

from __future__ import annotations

import urllib.request
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from errors import StorageUnavailable
from pipeline.ports import Artifact, ArtifactMissing
from pipeline.storage import ObjectStorage


@pytest.fixture(scope="module")
def s3_endpoint() -> Iterator[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from moto.server import ThreadedMotoServer

        server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
        server.start()
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
        server.stop()


@pytest.fixture(params=["folder", "bucket"])
def storage(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> ObjectStorage:
    if request.param == "folder":
        return ObjectStorage((tmp_path / "artifacts").as_uri())
    endpoint = request.getfixturevalue("s3_endpoint")
    for name, value in {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    bucket = f"b{tmp_path.name.lower().replace('_', '-')}"[:60].strip("-")
    create = urllib.request.Request(f"{endpoint}/{bucket}", method="PUT")
    urllib.request.urlopen(create).close()
    return ObjectStorage(f"s3://{bucket}/prefix")


def test_what_is_published_comes_back(storage: ObjectStorage, tmp_path: Path) -> None:
    file = tmp_path / "in.bin"
    file.write_bytes(b"x" * 3_000_000)
    artifact = storage.publish(file, "a/b/video.mp4")
    storage.fetch(artifact, tmp_path / "out.bin")
    assert (tmp_path / "out.bin").read_bytes() == file.read_bytes()
    assert artifact.size == 3_000_000


def test_publishing_never_overwrites(storage: ObjectStorage, tmp_path: Path) -> None:
    file = tmp_path / "x"
    file.write_text("one")
    assert storage.publish(file, "k/x") == storage.publish(file, "k/x")
    file.write_text("two")
    with pytest.raises(FileExistsError):
        storage.publish(file, "k/x")


def test_a_missing_or_damaged_artefact_is_said_and_nothing_is_left(
    storage: ObjectStorage, tmp_path: Path
) -> None:
    file = tmp_path / "x"
    file.write_text("one")
    good = storage.publish(file, "k/y")
    out = tmp_path / "out"
    for wrong in (Artifact("k/none", good.sha256, 3), Artifact(good.key, "0" * 64, 3)):
        with pytest.raises(ArtifactMissing):
            storage.fetch(wrong, out)
        assert not out.exists() and not out.with_name("out.part").exists()


def test_only_what_is_older_is_listed_and_what_is_removed_is_gone(
    storage: ObjectStorage, tmp_path: Path
) -> None:
    file = tmp_path / "x"
    file.write_text("x")
    for key in ("a/b/one", "a/b/two"):
        storage.publish(file, key)
    now = datetime.now(UTC)
    assert [key for batch in storage.older_than(now - timedelta(hours=1)) for key in batch] == []
    found = [key for batch in storage.older_than(now + timedelta(hours=1)) for key in batch]
    assert sorted(found) == ["a/b/one", "a/b/two"]
    storage.remove(["a/b/one", "a/b/never-was"])
    assert not storage.restore("a/b/one", tmp_path / "out")
    assert storage.restore("a/b/two", tmp_path / "out")


def test_a_bucket_that_does_not_answer_is_said_and_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    storage, file, out = ObjectStorage("s3://videos/x"), tmp_path / "x", tmp_path / "out"
    file.write_text("x")
    for asked in (
        lambda: storage.publish(file, "a/x"),
        lambda: storage.fetch(Artifact("a/x", "0" * 64, 1), out),
        lambda: storage.restore("a/x", out),
        lambda: storage.read("a/x"),
        lambda: storage.remove(["a/x"]),
        lambda: list(storage.older_than(datetime.now(UTC))),
        storage.ping,
    ):
        with pytest.raises(StorageUnavailable):
            asked()
    assert list(tmp_path.iterdir()) == [file]


def test_a_link_opens_a_file_in_a_bucket_for_anyone(storage: ObjectStorage, tmp_path: Path) -> None:
    file = tmp_path / "x"
    file.write_text("for anyone")
    storage.publish(file, "a/video.mp4")
    link = storage.signed_url("a/video.mp4", expires_s=60)
    if storage.local_path("") is not None:
        assert link is None
    else:
        assert link is not None
        assert "Signature" in link
        with urllib.request.urlopen(link) as answer:
            assert answer.read() == b"for anyone"
