"""The sweep: old artefacts go, and nothing that a live job needs."""

from __future__ import annotations

import os
import time
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from database import Database
from pipeline.ports import Artifact, ArtifactMissing
from pipeline.storage import ObjectStorage
from runtime.retention import sweep
from store.engine import writing
from store.models import JOBS, STAGE_RUNS
from store.records import NewJob, utc_now
from store.stage_runs import Done, Mine, StageKey

HASH = "ab" + "0" * 62
OLD_DAYS = 10


class Bench:
    """Jobs whose one stage is finished, and a clock that is turned back for them."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database = database
        self.folder = folder
        self.storage = ObjectStorage((folder / "artifacts").as_uri())

    def key(self, job_id: str, fence: int, digest: str = HASH) -> StageKey:
        return StageKey(job_id, fence, 0, "default", "script_gen", "null/1", digest)

    def hold(self, job_id: str) -> None:
        self.database.jobs.accept(NewJob(job_id, "{}"))
        assert self.database.jobs.change.claim(job_id, fence=5, worker_id="w", instance="i")

    def publish(self, key: str) -> Artifact:
        path = self.folder / "file"
        path.write_text(key)
        return self.storage.publish(path, key)

    def made(self, job_id: str, digest: str = HASH) -> Artifact:
        """The job finishes a stage with one file, and goes on."""
        self.hold(job_id)
        stages = self.database.stages
        assert isinstance(stages.begin(self.key(job_id, 5, digest)), Mine)
        artifact = self.publish(f"default/{digest[:2]}/{digest}/5-1/out.txt")
        files = {"out.txt": artifact.as_json()}
        stages.finish(self.key(job_id, 5, digest), data={}, files=files, progress=25)
        return artifact

    def end(self, job_id: str) -> None:
        assert self.database.jobs.change.complete(job_id, fence=5, result={})

    def age(self) -> None:
        """All that is here was done ten days ago."""
        then = utc_now() - timedelta(days=OLD_DAYS)
        with writing(self.database.engine) as connection:
            connection.execute(update(STAGE_RUNS).values(finished_at=then))
            ended = JOBS.c.finished_at.is_not(None)
            connection.execute(update(JOBS).where(ended).values(finished_at=then))
        for path in (self.folder / "artifacts").rglob("*"):
            os.utime(path, (time.time() - OLD_DAYS * 86_400,) * 2)

    def sweep(self) -> int:
        return sweep(self.database.retention, self.storage, ttl_days=OLD_DAYS / 2)

    def is_there(self, artifact: Artifact) -> bool:
        try:
            self.storage.fetch(artifact, self.folder / "fetched")
        except ArtifactMissing:
            return False
        return True


@pytest.fixture
def bench(any_database: Database, tmp_path: Path) -> Bench:
    return Bench(any_database, tmp_path)


def test_an_old_result_goes_with_its_row_and_its_folders(bench: Bench) -> None:
    artifact = bench.made("a")
    bench.end("a")
    assert bench.sweep() == 0
    bench.age()
    assert bench.sweep() == 1
    assert not bench.is_there(artifact)
    assert list((bench.folder / "artifacts").iterdir()) == []
    bench.hold("b")
    assert isinstance(bench.database.stages.begin(bench.key("b", 5)), Mine)


def test_what_an_unfinished_job_has_used_stays(bench: Bench) -> None:
    artifact = bench.made("a")
    bench.end("a")
    bench.hold("b")
    assert isinstance(bench.database.stages.begin(bench.key("b", 5)), Done)
    bench.age()
    assert bench.sweep() == 0
    assert bench.is_there(artifact)


def test_what_a_job_that_ended_lately_has_used_stays(bench: Bench) -> None:
    artifact = bench.made("a")
    bench.end("a")
    bench.age()
    bench.hold("b")
    bench.database.stages.begin(bench.key("b", 5))
    bench.end("b")
    assert bench.sweep() == 0
    assert bench.is_there(artifact)


def test_what_a_killed_worker_published_and_never_checkpointed_goes(bench: Bench) -> None:
    kept = bench.made("a")
    orphan = bench.publish(f"default/ab/{HASH}/4-1/out.txt")
    lost = bench.publish(f"default/cd/cd{HASH[2:]}/4-1/out.txt")
    bench.age()
    assert bench.sweep() == 2
    assert [bench.is_there(found) for found in (kept, orphan, lost)] == [True, False, False]


def test_a_run_under_way_keeps_its_files(bench: Bench) -> None:
    bench.hold("a")
    bench.database.stages.begin(bench.key("a", 5))
    published = bench.publish(f"default/ab/{HASH}/5-1/out.txt")
    bench.age()
    assert bench.sweep() == 0
    assert bench.is_there(published)


def test_a_jobs_own_files_go_with_it(bench: Bench) -> None:
    bench.hold("live")
    bench.made("done", "ef" + HASH[2:])
    bench.end("done")
    pictures = [bench.publish(f"default/jobs/{job}/0123") for job in ("live", "done", "gone")]
    bench.age()
    assert bench.sweep() == 3  # two pictures, and the result of "done"
    assert [bench.is_there(picture) for picture in pictures] == [True, False, False]


def test_files_that_are_not_ours_are_left_alone(bench: Bench) -> None:
    other = bench.publish("readme.txt")
    bench.age()
    bench.sweep()
    assert bench.is_there(other)
