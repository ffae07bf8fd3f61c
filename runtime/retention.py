"""Removes artefacts that nobody needs any more: old, and of no job that is live or ended lately.

1. the rows of old, unneeded stage runs go (store/retention.py decides);
2. old files are listed, and those that no row names are removed: results of dropped runs, and
   what a killed worker had published and never checkpointed;
3. a job's own files (fetched pictures, its manifest) go with it.

A sweep that is cut short leaves nothing wrong: the next one goes on where it stopped.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import timedelta

from pipeline.ports import OWN_FILES
from pipeline.storage import ObjectStorage
from store.records import utc_now
from store.retention import RetentionStore

#: <tenant>/<two digits>/<input hash>/<holder>/<name>; other files are not ours to remove.
_RESULT = re.compile(r"(?P<tenant>[^/]+)/[0-9a-f]{2}/(?P<hash>[0-9a-f]{64})/")
_INPUT = re.compile(rf"(?P<tenant>[^/]+)/{OWN_FILES}/(?P<job>[^/]+)/")


def sweep(store: RetentionStore, storage: ObjectStorage, *, ttl_days: float) -> int:
    """Remove what is older than `ttl_days` and not needed; returns how many files went.

    Raises StoreUnavailable; then what was decided so far is done.
    """
    before = utc_now() - timedelta(days=ttl_days)
    store.drop_runs(before)
    removed = 0
    for batch in storage.older_than(before):
        runs: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        inputs: dict[str, list[str]] = defaultdict(list)
        for key in batch:
            if found := _RESULT.match(key):
                runs[found["tenant"]][found["hash"]].append(key)
            elif found := _INPUT.match(key):
                inputs[found["job"]].append(key)
        unneeded = [*_of_runs(store, runs)]
        needed = store.needed_jobs(inputs, before)
        unneeded += [key for job, keys in inputs.items() if job not in needed for key in keys]
        storage.remove(unneeded)
        removed += len(unneeded)
    return removed


def _of_runs(store: RetentionStore, runs: dict[str, dict[str, list[str]]]) -> Iterator[str]:
    for tenant, by_hash in runs.items():
        kept = store.kept_keys(tenant, by_hash)
        for input_hash, keys in by_hash.items():
            # A run that is under way may be a live worker's: its files wait for the next sweep.
            named: Iterable[str] | None = kept.get(input_hash, frozenset())
            if named is not None:
                yield from (key for key in keys if key not in named)
