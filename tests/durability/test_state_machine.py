"""Every operation on a job, in any order, cut off at any step, against a small model.

The scripts run on a real Valkey, the rows are in SQLite; time passes by moving scores and an
injected clock. TEST_LONG=1 takes the long profile.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import create_engine, text
from structlog.testing import capture_logs

from config import Settings, load_settings
from database import Database
from errors import InvalidInput, LeaseLost, QueueUnavailable, StoreUnavailable
from jobs.outcome import Outcome
from jobs.states import FINAL, JobState, may_become
from redis_queue import keys, waiting
from redis_queue.claim import Claim, Claims, RawEntry
from redis_queue.connection import connect
from redis_queue.waiting import Waiting
from runtime.housekeeping import Housekeeping
from runtime.interrupts import Interrupts
from runtime.meter import Meter
from runtime.patience import Patience
from runtime.queue_limits import QueueLimits
from runtime.settle import Settler
from runtime.submit import Jobs
from runtime.taking import Taken, Taking
from store.records import utc_now
from tests.durability.faults import STRIKES, Died, Fate, FatedClient, put_under

IDS = [f"job-{number}" for number in range(4)]
WORKERS = 2
LEASE_S = 15.0
LONG = bool(os.environ.get("TEST_LONG"))
PROFILE = settings(
    max_examples=2000 if LONG else 120,
    stateful_step_count=60 if LONG else 30,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)

#: Writes down every change of a row's state and fence, whoever makes it.
AUDIT = """
CREATE TABLE audit (n INTEGER PRIMARY KEY, id TEXT, generation INTEGER,
                    before TEXT, after TEXT, fence_before INTEGER, fence_after INTEGER);
CREATE TRIGGER audited AFTER UPDATE OF state, fence ON jobs BEGIN
  INSERT INTO audit (id, generation, before, after, fence_before, fence_after)
  VALUES (new.id, new.generation, old.state, new.state, old.fence, new.fence);
END
"""

fates = st.tuples(st.sampled_from(STRIKES), st.integers(0, 9)) | st.none()
job_ids = st.sampled_from(IDS)
hands = st.integers(0, WORKERS - 1)


class Servers:
    """What all examples share; emptied before each."""

    def __init__(self, redis_url: str, folder: Path) -> None:
        self.client = connect(redis_url.replace("db=0", "db=7"))
        self.fate = Fate()
        self.log: list[Any] = []
        url = f"sqlite:///{folder / 'machine.db'}"
        self.database = Database(url)
        self.database.init()
        self.plain = create_engine(url, isolation_level="AUTOCOMMIT")
        with self.plain.connect() as connection:
            connection.connection.executescript(AUDIT)
        put_under(self.database.engine, self.fate)
        self.settings: Settings = load_settings(
            _env_file=None,
            redis_url=redis_url,
            database_url=url,
            lease_s=LEASE_S,
            max_crashes=100_000,
        )

    def empty(self) -> None:
        self.client.flushdb()
        self.sql("DELETE FROM jobs")
        self.sql("DELETE FROM audit")

    def sql(self, statement: str, **values: Any) -> list[Any]:
        with self.plain.connect() as connection:
            result = connection.execute(text(statement), values)
            return list(result) if result.returns_rows else []


class Hand:
    """One worker's main loop, taken apart into the steps that a rule makes it take."""

    def __init__(self, servers: Servers, client: Any, number: int) -> None:
        self.interrupts = Interrupts()
        self.taking = Taking(
            servers.settings,
            client,
            servers.database,
            self.interrupts,
            worker_id=f"w{number}",
            instance=f"w{number}-{id(self):x}",
            queues=servers.settings.queues,
            limits=QueueLimits(client, {}, lease_s=servers.settings.lease_s),
        )
        self.settler = Settler(
            servers.database.jobs,
            client,
            self.interrupts,
            Patience(self.interrupts),
            worker_id=f"w{number}",
            final_ttl_s=3600,
            meter=Meter(),
        )
        self.claim: Claim | None = None
        self.taken: Taken | None = None

    @property
    def idle(self) -> bool:
        return self.claim is None and self.taken is None


class Queue(RuleBasedStateMachine):
    """The model is small: who was accepted, and who may not be lost, completed or run again."""

    servers: ClassVar[Servers]

    def __init__(self) -> None:
        super().__init__()
        servers = self.servers
        servers.fate.spare()
        servers.empty()
        self.fate = servers.fate
        self.client = servers.client
        self.fated = FatedClient(self.client, self.fate)
        self.store = servers.database.jobs
        self.jobs = Jobs(servers.database, self.fated, final_ttl_s=3600)
        self.hands = [Hand(servers, self.fated, number) for number in range(WORKERS)]
        self.now = 1000.0
        self.keeper = self.new_keeper()
        self.audited = 0
        #: Bare pushes that Redis answered for, and that no wipe has taken since.
        self.pushed: set[str] = set()
        #: Called off while they waited; they may not complete until replayed.
        self.called_off: set[str] = set()

    def new_keeper(self) -> Housekeeping:
        return Housekeeping(
            self.fated,
            self.servers.database,
            instance="keeper",
            lease_s=LEASE_S,
            max_crashes=100_000,
            final_ttl_s=3600,
            clock=lambda: self.now,
            patience_s=0.0,
        )

    @contextlib.contextmanager
    def under(self, fate: tuple[str, int] | None, hand: Hand | None = None) -> Iterator[None]:
        """What happens inside may be struck; a hand that dies is replaced by a fresh one."""
        if fate is not None:
            self.fate.strike, self.fate.steps_left = fate
        try:
            yield
        except Died:
            if hand is not None:
                self.replace(hand)
            else:
                self.keeper = self.new_keeper()
        except (QueueUnavailable, StoreUnavailable):
            pass
        finally:
            self.fate.spare()

    def replace(self, hand: Hand) -> None:
        number = self.hands.index(hand)
        self.hands[number] = Hand(self.servers, self.fated, number)

    # ---- what producers do -------------------------------------------------------------------

    @rule(job=job_ids, later=st.booleans(), fate=fates)
    def submit(self, job: str, later: bool, fate: tuple[str, int] | None) -> None:
        data: dict[str, Any] = {"id": job, "product_name": "Mug"}
        if later:
            data["run_at"] = (utc_now() + timedelta(days=1)).isoformat()
        with self.under(fate), contextlib.suppress(InvalidInput):
            self.jobs.submit(data)

    @rule(job=job_ids, later=st.booleans(), fate=fates)
    def push_bare(self, job: str, later: bool, fate: tuple[str, int] | None) -> None:
        due = utc_now() + timedelta(days=1) if later else None
        payload = json.dumps({"id": job, "product_name": "Mug", "run_at": due and due.isoformat()})
        new = Waiting(job, payload, due_ms=round(due.timestamp() * 1000) if due else None)
        with self.under(fate):
            self.pushed.discard(job)
            if waiting.enqueue(self.fated, new, recorded=False):
                self.pushed.add(job)

    @rule(job=job_ids)
    def double_an_entry(self, job: str) -> None:
        """A list entry is only a hint: somebody pushes the id of a known job once more."""
        if self.store.get(job) is not None:
            self.client.rpush(keys.VIDEO_LIST, job)

    @rule(job=job_ids, fate=fates)
    def cancel(self, job: str, fate: tuple[str, int] | None) -> None:
        with self.under(fate):
            if self.jobs.cancel(job) in ("pending", "scheduled"):
                self.called_off.add(job)

    @rule(job=job_ids)
    def cancel_in_redis_only(self, job: str) -> None:
        before = waiting.cancel(self.client, job, recorded=False, final_ttl_s=3600)
        row = self.store.get(job)
        stale = row is not None and row.state not in (JobState.PENDING, JobState.SCHEDULED)
        if before in ("pending", "scheduled") and not stale:
            self.called_off.add(job)

    @rule(job=job_ids, stage=st.sampled_from([None, "video_gen"]), fate=fates)
    def replay(self, job: str, stage: str | None, fate: tuple[str, int] | None) -> None:
        row = self.store.get(job)
        if row is not None and row.state in FINAL:
            self.called_off.discard(job)
        with self.under(fate), contextlib.suppress(InvalidInput):
            self.jobs.replay(job, from_stage=stage)

    # ---- what workers do ---------------------------------------------------------------------

    @rule(number=hands, fate=fates)
    def claim_in_redis(self, number: int, fate: tuple[str, int] | None) -> None:
        hand = self.hands[number]
        if hand.idle:
            with self.under(fate, hand):
                self._note(hand, hand.taking.next(wait=False))

    @rule(number=hands, fate=fates)
    def pop_then_claim(self, number: int, fate: tuple[str, int] | None) -> None:
        hand = self.hands[number]
        lists = [keys.list_of(name) for name in ("video-high", "video", "video-low")]
        if hand.idle and any(self.client.llen(name) for name in lists):
            with self.under(fate, hand):
                # As `next` does it when the claim before found nothing.
                hand.taking._popped = hand.taking.claims.wait()
                self._note(hand, hand.taking.next(wait=False))

    @rule(number=hands)
    def pop_and_die(self, number: int) -> None:
        hand = self.hands[number]
        if hand.idle and self.client.llen(keys.VIDEO_LIST):
            hand.taking.claims.wait()
            self.replace(hand)

    @rule(number=hands, fate=fates)
    def claim_the_row(self, number: int, fate: tuple[str, int] | None) -> None:
        hand = self.hands[number]
        if hand.claim is not None:
            claim, hand.claim = hand.claim, None
            with self.under(fate, hand):
                try:
                    hand.taken = hand.taking.take(claim)
                except StoreUnavailable:
                    hand.taking.give_back(claim)

    @rule(number=hands)
    def renew(self, number: int) -> None:
        hand = self.hands[number]
        if hand.taken is not None:
            try:
                hand.taken.lease.renew()
            except LeaseLost:
                self.replace(hand)

    @rule(number=hands)
    def progress(self, number: int) -> None:
        hand = self.hands[number]
        if hand.taken is not None:
            before = self.client.hgetall(keys.job(hand.taken.record.id))
            if not hand.taken.lease.holder.progress("script_gen", 7, "{}"):
                assert self.client.hgetall(keys.job(hand.taken.record.id)) == before

    @rule(
        number=hands,
        ending=st.sampled_from(["completed", "failed", "cancelled", "handed back", "parked"]),
        then=st.booleans(),
        fate=fates,
    )
    def settle(self, number: int, ending: str, then: bool, fate: tuple[str, int] | None) -> None:
        hand = self.hands[number]
        if hand.taken is None:
            return
        taken, hand.taken = hand.taken, None
        outcome = {
            "completed": Outcome.completed({"stages": {}}),
            "failed": Outcome.failed("broken"),
            "cancelled": Outcome.cancelled(),
            "handed back": Outcome.handed_back(),
            "parked": Outcome.parked("later", 3600.0, 1),
        }[ending]
        claims: Claims | None = hand.taking.claims if then else None
        with self.under(fate, hand):
            self._note(
                hand,
                hand.settler.settle(taken.record, taken.lease, outcome, claims, hand.taking.epoch),
            )

    @rule(number=hands)
    def die(self, number: int) -> None:
        self.replace(self.hands[number])

    @rule(number=hands)
    def forget_that_time_passed(self, number: int) -> None:
        """A worker that was stopped wakes and thinks that its lease is fresh: fences must do."""
        hand = self.hands[number]
        if hand.taken is not None:
            hand.taken.lease._renewed_at = hand.taken.lease._clock()

    # ---- what time and accidents do ----------------------------------------------------------

    @rule(job=job_ids)
    def lease_runs_out(self, job: str) -> None:
        self.client.zadd(keys.LEASES, {job: 1}, xx=True)

    @rule(job=job_ids)
    def schedule_is_due(self, job: str) -> None:
        self.client.zadd(keys.SCHEDULED, {job: 1}, xx=True)
        past = (utc_now() - timedelta(seconds=1)).replace(tzinfo=None).isoformat(" ")
        self.servers.sql(
            "UPDATE jobs SET due_at = :past WHERE id = :id AND state = 'scheduled'",
            id=job,
            past=past,
        )

    @rule()
    def wipe(self) -> None:
        self.client.flushdb()
        self.pushed.clear()
        # A cancellation that only Redis knew is gone with it.
        self.called_off = {job for job in self.called_off if self._state(job) == "cancelled"}

    @rule()
    def redis_restarts(self) -> None:
        known = self.client.get(keys.EPOCH)
        if known is not None:
            self.client.set(keys.EPOCH, known.partition(b":")[0] + b":another-server")

    @rule(fate=fates)
    def keep_house(self, fate: tuple[str, int] | None) -> None:
        self.now += 5
        with self.under(fate):
            self.keeper._round()
        assert not [line for line in self.servers.log if "exc_info" in line]
        self.servers.log.clear()

    # ---- what must hold ----------------------------------------------------------------------

    @invariant()
    def rows_change_only_as_the_table_allows_and_fences_never_fall(self) -> None:
        changes = self.servers.sql("SELECT * FROM audit WHERE n > :n ORDER BY n", n=self.audited)
        for n, job, _generation, before, after, fence_before, fence_after in changes:
            self.audited = n
            assert before == after or may_become(JobState(before), JobState(after)), (
                f"{job}: {before} -> {after}"
            )
            assert fence_after >= fence_before, f"{job}: fence fell"

    @invariant()
    def every_job_is_in_exactly_one_place_in_redis(self) -> None:
        ledger = {name.decode() for name in self.client.zrange(keys.LEDGER, 0, -1)}
        leases = {name.decode() for name in self.client.zrange(keys.LEASES, 0, -1)}
        scheduled = {name.decode() for name in self.client.zrange(keys.SCHEDULED, 0, -1)}
        for job in IDS:
            status = (self.client.hget(keys.job(job), "status") or b"").decode()
            places = {
                place
                for place, ids in (
                    ("pending", ledger),
                    ("processing", leases),
                    ("scheduled", scheduled),
                )
                if job in ids
            }
            expected = {status} if status in ("pending", "processing", "scheduled") else set()
            assert places == expected, f"{job} is {status} and in {places}"

    @invariant()
    def no_two_workers_hold_one_job(self) -> None:
        held = Counter(
            hand.taken.record.id
            for hand in self.hands
            if hand.taken is not None and self._holds(hand.taken)
        )
        assert all(count == 1 for count in held.values()), held

    @invariant()
    def nothing_completes_twice(self) -> None:
        twice = self.servers.sql(
            "SELECT id FROM audit WHERE after = 'completed' AND before <> 'completed'"
            " GROUP BY id, generation HAVING count(*) > 1"
        )
        assert twice == []

    def teardown(self) -> None:
        """Let it all come to rest: every worker dies, then one works all that is left."""
        for hand in list(self.hands):
            self.replace(hand)
        worker = self.hands[0]
        for _ in range(12):
            for job in IDS:
                self.lease_runs_out(job)
                self.schedule_is_due(job)
            self.client.delete(keys.RECONCILE_LOCK)
            self.now += 100
            self.keeper._round()
            while isinstance(found := worker.taking.next(wait=False), (Claim, RawEntry)):
                if isinstance(found, RawEntry):
                    worker.taking.adopt(found)
                elif taken := worker.taking.take(found):
                    done = Outcome.completed({"stages": {}})
                    worker.settler.settle(
                        taken.record, taken.lease, done, None, worker.taking.epoch
                    )
        self.rows_change_only_as_the_table_allows_and_fences_never_fall()
        self.every_job_is_in_exactly_one_place_in_redis()
        self.nothing_completes_twice()
        rows = {row.id: row for row in self.store.page(limit=1000)}
        lost = {job: row.state.value for job, row in rows.items() if row.state not in FINAL}
        assert lost == {}, f"accepted and never finished: {lost}"
        assert self.pushed <= rows.keys(), f"pushed and lost: {self.pushed - rows.keys()}"
        assert rows.keys() <= set(IDS), f"invented: {rows.keys() - set(IDS)}"
        for job, row in rows.items():
            status = self.client.hget(keys.job(job), "status")
            assert status is None or status.decode() == row.state, f"{job}: {status!r} {row.state}"
        ran = {job for job in self.called_off & rows.keys() if rows[job].state != "cancelled"}
        assert ran == set(), f"called off and yet run: {ran}"
        assert waiting.counts(self.client) == {"waiting": 0, "running": 0, "scheduled": 0}
        assert sum(waiting.depths(self.client).values()) == 0

    def _note(self, hand: Hand, found: object) -> None:
        if isinstance(found, Claim):
            hand.claim = found
        elif isinstance(found, RawEntry):
            hand.taking.adopt(found)

    def _holds(self, taken: Taken) -> bool:
        row = self.store.get(taken.record.id)
        mine, _ = taken.lease.holder.peek()
        return (
            mine
            and row is not None
            and row.state == JobState.PROCESSING
            and (row.fence == taken.lease.claim.fence)
        )

    def _state(self, job: str) -> str:
        row = self.store.get(job)
        return row.state.value if row else ""


def test_every_order_of_events_keeps_the_promises(
    redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    Queue.servers = Servers(redis_url, tmp_path_factory.mktemp("machine"))
    try:
        with capture_logs() as log:  # thousands of lines that say nothing about a failure
            Queue.servers.log = log
            run_state_machine_as_test(Queue, settings=PROFILE)
    finally:
        Queue.servers.plain.dispose()
        Queue.servers.database.close()
        Queue.servers.client.close()
