"""The repository of paid calls: the two-phase record, the caps, and the sums.

What counts as spent is what a call cost; of one that has not ended, its estimate.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, Row, case, func, insert, select, text, update
from sqlalchemy.sql.elements import ColumnElement

from errors import LeaseLost
from store.engine import reading, writing
from store.held import held
from store.models import JOBS, PROVIDER_CALLS, STAGE_RUNS
from store.records import utc_now

_CALLS = PROVIDER_CALLS
#: Serialises the check of a cap with the intent that counts against it, on PostgreSQL.
_CAP_LOCK = 0x63_61_70_73
_SPENT = func.coalesce(_CALLS.c.cost_microusd, _CALLS.c.estimate_microusd)


@dataclass(frozen=True)
class CallOwner:
    """Who asks, and within which stage run."""

    job_id: str
    fence: int
    tenant: str
    stage: str
    scope: str


@dataclass(frozen=True)
class Caps:
    """Limits in micro-dollars; None is none. A day is a UTC day."""

    job: int | None = None
    day: int | None = None
    tenant_day: int | None = None


class CapReached(Exception):
    """An intent would break a cap: `which` of "job", "day", "tenant_day"."""

    def __init__(self, which: str, cap_microusd: int) -> None:
        super().__init__(which)
        self.which = which
        self.cap_microusd = cap_microusd


@dataclass(frozen=True)
class CallRecord:
    """One row of provider_calls."""

    id: str
    job_id: str
    tenant: str
    stage: str
    provider: str
    request_hash: str
    state: str
    remote_id: str | None
    estimate_microusd: int
    cost_microusd: int | None
    usage: dict[str, Any]
    answer: dict[str, Any] | None = field(repr=False)
    reason: str | None
    begun_at: datetime
    ended_at: datetime | None


class CallStore:
    """Paid calls as records. Writes check the fence and raise LeaseLost; StoreUnavailable."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def begin(
        self,
        owner: CallOwner,
        provider: str,
        request_hash: str,
        *,
        call_id: str,
        estimate: int,
        caps: Caps,
    ) -> CallRecord:
        """Write the intent as `call_id`, or return the open or finished call of an earlier try.

        Raises CapReached, before anything is written. Safe to repeat with the same `call_id`:
        a result of another id is of an earlier try.
        """
        same = (
            (_CALLS.c.tenant == owner.tenant)
            & (_CALLS.c.scope == owner.scope)
            & (_CALLS.c.provider == provider)
            & (_CALLS.c.request_hash == request_hash)
            & _CALLS.c.state.in_(["intent", "submitted", "finished"])
        )
        with writing(self._engine) as connection:
            _check_holder(connection, owner)
            found = connection.execute(
                select(_CALLS).where(same).order_by(_CALLS.c.begun_at.desc()).limit(1)
            ).one_or_none()
            if found is not None:
                return _record(found)
            self._check_caps(connection, owner, estimate, caps)
            row = connection.execute(
                insert(_CALLS)
                .values(
                    id=call_id,
                    job_id=owner.job_id,
                    tenant=owner.tenant,
                    stage=owner.stage,
                    scope=owner.scope,
                    provider=provider,
                    request_hash=request_hash,
                    state="intent",
                    estimate_microusd=estimate,
                    usage="{}",
                    begun_at=utc_now(),
                )
                .returning(*_CALLS.c)
            ).one()
            return _record(row)

    def change(self, owner: CallOwner, call_id: str, state: str, **values: Any) -> CallRecord:
        """Write the next phase of a call. Safe to repeat."""
        if state not in ("intent", "submitted"):
            values["ended_at"] = utc_now()
        for name in ("usage", "answer"):
            if values.get(name) is not None:
                values[name] = json.dumps(values[name], ensure_ascii=False)
        with writing(self._engine) as connection:
            _check_holder(connection, owner)
            row = connection.execute(
                update(_CALLS)
                .where(_CALLS.c.id == call_id)
                .values(state=state, **values)
                .returning(*_CALLS.c)
            ).one()
        return _record(row)

    def named(self, call_id: str, provider: str, remote_id: str) -> bool:
        """The provider itself told the id of a call whose answer may have been lost.

        Needs no fence: it says what is so, whoever holds the job. Only an intent is changed, and
        False says that there was none. Safe to repeat.
        """
        lost = (_CALLS.c.id == call_id) & (_CALLS.c.provider == provider)
        with writing(self._engine) as connection:
            done = connection.execute(
                update(_CALLS)
                .where(lost & (_CALLS.c.state == "intent"))
                .values(state="submitted", remote_id=remote_id)
            )
        return bool(done.rowcount)

    def of_job(self, job_id: str) -> list[CallRecord]:
        """The job's calls, oldest first."""
        statement = select(_CALLS).where(_CALLS.c.job_id == job_id).order_by(_CALLS.c.begun_at)
        with reading(self._engine) as connection:
            return [_record(row) for row in connection.execute(statement)]

    def of_scope(self, tenant: str, scope: str) -> list[CallRecord]:
        """The calls made for one stage's result, in order."""
        where = (_CALLS.c.tenant == tenant) & (_CALLS.c.scope == scope)
        statement = select(_CALLS).where(where).order_by(_CALLS.c.begun_at)
        with reading(self._engine) as connection:
            return [_record(row) for row in connection.execute(statement)]

    def costs(self, by: str, *, since: datetime, tenant: str | None = None) -> list[dict[str, Any]]:
        """Sums by "day", "provider" or "tenant": calls, spent, in doubt, and thrown away.

        Thrown away is what was paid for calls whose stage was never finished by anybody while
        their job has ended.
        """
        key: ColumnElement[Any] = {
            "provider": _CALLS.c.provider,
            "tenant": _CALLS.c.tenant,
            "day": func.date(_CALLS.c.begun_at),
        }[by]
        done = (
            select(STAGE_RUNS.c.id)
            .where(
                (STAGE_RUNS.c.tenant == _CALLS.c.tenant)
                & (STAGE_RUNS.c.input_hash == _CALLS.c.scope)
                & (STAGE_RUNS.c.state == "done")
            )
            .exists()
        )
        ended = JOBS.c.finished_at.is_not(None)
        wasted = case((ended & ~done, _SPENT), (_CALLS.c.state == "failed", _SPENT), else_=0)
        doubt = case((_CALLS.c.state == "doubtful", _SPENT), else_=0)
        statement = (
            select(
                key.label("key"),
                func.count().label("calls"),
                func.sum(_SPENT).label("spent_microusd"),
                func.sum(doubt).label("doubtful_microusd"),
                func.sum(wasted).label("thrown_away_microusd"),
            )
            .select_from(_CALLS.outerjoin(JOBS, JOBS.c.id == _CALLS.c.job_id))
            .where(_CALLS.c.begun_at >= since)
            .group_by(key)
            .order_by(key)
        )
        if tenant is not None:
            statement = statement.where(_CALLS.c.tenant == tenant)
        with reading(self._engine) as connection:
            rows = [dict(row._mapping) for row in connection.execute(statement)]
        return [
            {by: str(row.pop("key")), **{name: int(value or 0) for name, value in row.items()}}
            for row in rows
        ]

    def _check_caps(
        self, connection: Connection, owner: CallOwner, estimate: int, caps: Caps
    ) -> None:
        if caps.day is None and caps.tenant_day is None and caps.job is None:
            return
        if connection.dialect.name == "postgresql":
            connection.execute(text(f"SELECT pg_advisory_xact_lock({_CAP_LOCK})"))
        today = _CALLS.c.begun_at >= utc_now().replace(hour=0, minute=0, second=0, microsecond=0)
        for which, cap, where in (
            ("job", caps.job, _CALLS.c.job_id == owner.job_id),
            ("day", caps.day, today),
            ("tenant_day", caps.tenant_day, today & (_CALLS.c.tenant == owner.tenant)),
        ):
            if cap is None:
                continue
            spent = connection.execute(select(func.sum(_SPENT)).where(where)).scalar() or 0
            if int(spent) + estimate > cap:
                raise CapReached(which, cap)


def _check_holder(connection: Connection, owner: CallOwner) -> None:
    row = select(JOBS.c.id).where(held(owner.job_id, owner.fence)).with_for_update()
    if connection.execute(row).first() is None:
        raise LeaseLost


def _record(row: Row[Any]) -> CallRecord:
    values = dict(row._mapping)
    values.pop("scope")
    values["usage"] = json.loads(values["usage"] or "{}")
    values["answer"] = json.loads(values["answer"]) if values["answer"] else None
    return CallRecord(**values)
