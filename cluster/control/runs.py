"""Durable runs: who may go on with one, how far it is, what was decided. `deployments.planner.run_store` is the seam.

A claim gives a run to one worker until its lease ends, and raises the run's fence; what comes with an older fence is
refused (Gray and Cheriton's leases; the fencing token as Kleppmann names it). So a worker that was thought dead cannot
write, or act on having written, beside the one that took its place. Each method is one transaction, and blocks.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, func, or_, select, tuple_
from sqlalchemy.orm import Session

from autoglm.contract.plan import Plan
from autoglm.contract.task_run import (
    ENDED,
    ApprovalRequest,
    Planner,
    RunEvent,
    RunStatus,
    StepRun,
    TaskRequest,
    TaskRun,
    TaskRunList,
)
from autoglm.contract.usage import Usage
from autoglm.errors import ConflictError, NotFoundError, RateLimitError
from cluster.control import audit, run_rows, upsert
from cluster.control.audit import Actor
from cluster.control.database import Database
from cluster.control.tables import RunEventRow, RunRow
from deployments.caller import Caller
from deployments.clock import Clock, utc_now
from deployments.planner.graph import PLAN
from deployments.planner.run_store import Claim

METHODS = frozenset(
    {
        *("create", "claim", "renew", "planned", "step", "wait", "ended", "events"),
        *("get", "page", "events_after", "cancel", "approve"),
    }
)
ACTIVE: tuple[RunStatus, ...] = ("planning", "running")  # a worker has something to do

KEPT = timedelta(days=7)  # runs that have ended
KEPT_RUNS = 10_000
CLEARED_AT_ONCE = 100
KEPT_EVENTS = 10_000  # of one run, the newest
MAX_OPEN = 1_000  # runs of a tenant that have not ended
MAX_PAGE = 1_000
RETRY_S = 5.0


class RunLedger:
    """The runs of one database."""

    def __init__(self, database: Database, clock: Clock = utc_now) -> None:
        self._database = database
        self._clock = clock

    def create(self, run: TaskRun, request: TaskRequest, caller: Caller) -> None:
        """As `RunStore.create`; the same request of the same caller changes nothing a second time.

        Raises:
            ConflictError: the id is that of another request.
            RateLimitError: the tenant has `MAX_OPEN` runs that have not ended.
        """
        with self._database.write() as session:
            clear_away(session, self._clock())
            if (known := session.get(RunRow, run.id)) is not None:
                check_same(known, request, caller)
                return
            if run.status not in ENDED:
                check_open(session, caller.tenant)
            session.add(new_row(run, request, caller, self._clock()))
            session.flush()
            for step in run.steps:
                if step.status != "pending":
                    run_rows.put_step(session, run.id, step)

    def claim(self, worker: str, count: int, lease_s: float) -> list[Claim]:
        """As `RunStore.claim`; what was cancelled while nobody had it ends here."""
        now = self._clock()
        with self._database.write() as session:
            claims = []
            for row in claimable(session, count, now):
                if row.is_cancelled:
                    end(session, row, "cancelled", now)
                else:
                    claims.append(claimed(session, row, worker, now, now + timedelta(seconds=lease_s)))
            return claims

    def renew(self, worker: str, fences: dict[str, int], lease_s: float) -> list[str]:
        """As `RunStore.renew`. The lease of a cancelled run is prolonged too: its worker is ending it."""
        now = self._clock()
        until = now + timedelta(seconds=lease_s)
        lost = set(fences)
        with self._database.write() as session:
            for row in session.scalars(
                select(RunRow).where(RunRow.id.in_(fences)).order_by(RunRow.id).with_for_update()
            ):
                if row.worker == worker and row.fence == fences[row.id] and row.status in ACTIVE:
                    row.leased_until = until
                    count_time(row, now)
                    if not row.is_cancelled:
                        lost.remove(row.id)
        return sorted(lost)

    def planned(self, run: str, fence: int, plan: Plan, planner: Planner) -> None:
        """As `RunStore.planned`."""
        with self._database.write() as session:
            row = going(session, run, fence)
            told = {"plan": plan.model_dump(mode="json", exclude_none=True), "planner": planner}
            row.run = {**row.run, **told}
            set_status(row, "running")

    def step(self, run: str, fence: int, step: StepRun, usage: Usage | None = None) -> None:
        """As `RunStore.step`; one that is over stays as it is, and is told again only as it was.

        Raises:
            ConflictError: also where the step is over, with another outcome or none.
            PayloadTooLargeError: its result is larger than is kept (`run_rows.MAX_STEP_BYTES`, `MAX_RUN_BYTES`).
        """
        with self._database.write() as session:
            note_usage(going(session, run, fence), usage)
            if not run_rows.put_step(session, run, step):
                raise ConflictError(f"step: {step.id!r} of {run} is over, and is not done again", param="step")

    def wait(self, run: str, fence: int, waiting_for: str, usage: Usage | None = None) -> None:
        """As `RunStore.wait`; where the decision is there already, or the run was cancelled, it does not wait."""
        with self._database.write() as session:
            row = going(session, run, fence)
            release(row, self._clock())
            note_usage(row, usage)
            if row.is_cancelled:
                end(session, row, "cancelled", self._clock())
            elif waiting_for not in row.approved:
                row.run = {**row.run, "waiting_for": waiting_for}
                set_status(row, "waiting")

    def ended(self, run: TaskRun, fence: int) -> None:
        """As `RunStore.ended`; a second time changes nothing. Steps that were never told are written now."""
        with self._database.write() as session:
            row = newest(session, run.id, fence)
            if row.status in ENDED:
                return
            for step in run.steps:
                if step.status != "pending":
                    run_rows.put_step(session, run.id, step)
            row.run = {**run_rows.document(run), "created": row.run["created"]}
            end(session, row, run.status, run.finished or self._clock())

    def events(self, run: str, fence: int, events: Sequence[RunEvent]) -> None:
        """As `RunStore.events`; the last ones may come after the end."""
        with self._database.write() as session:
            newest(session, run, fence)
            rows = [{"run": run, "seq": event.seq, "event": run_rows.bounded(event)} for event in events]
            upsert.ensure_all(session, RunEventRow, rows)
            old = RunEventRow.run == run, RunEventRow.seq <= last_seq(session, run) - KEPT_EVENTS
            session.execute(delete(RunEventRow).where(*old))

    def get(self, run: str, tenant: str) -> TaskRun:
        """A run with its steps, whose results are cut.

        Raises:
            NotFoundError: the tenant has no such run.
        """
        with self._database.read() as session:
            return run_rows.shown(session, found(session, run, tenant))

    def page(self, tenant: str, after: str | None, limit: int) -> TaskRunList:
        """A tenant's runs, the newest first, without their steps; from the one behind the run `after`.

        Raises:
            NotFoundError: the tenant has no run `after`.
        """
        limit = min(limit, MAX_PAGE)
        query = select(RunRow).where(RunRow.tenant == tenant).order_by(RunRow.created.desc(), RunRow.id.desc())
        with self._database.read() as session:
            if after is not None:
                last = found(session, after, tenant)
                query = query.where(tuple_(RunRow.created, RunRow.id) < (last.created, last.id))
            rows = session.scalars(query.limit(limit + 1)).all()
            data = tuple(TaskRun.model_validate(row.run) for row in rows[:limit])
        return TaskRunList(data=data, has_more=len(rows) > limit)

    def events_after(self, run: str, tenant: str, seq: int, limit: int) -> list[RunEvent]:
        """At most `limit` events after the number `seq`, in order; raises NotFoundError as `get`."""
        query = select(RunEventRow.event).where(RunEventRow.run == run, RunEventRow.seq > seq)
        with self._database.read() as session:
            found(session, run, tenant)
            rows = session.scalars(query.order_by(RunEventRow.seq).limit(min(limit, MAX_PAGE)))
            return [RunEvent.model_validate(event) for event in rows]

    def cancel(self, run: str, tenant: str) -> TaskRun:
        """End it now, or have its worker end it, which hears of it when it renews its lease.

        Raises:
            NotFoundError: the tenant has no such run.
            ConflictError: it has ended.
        """
        now = self._clock()
        with self._database.write() as session:
            row = open_run(session, run, tenant)
            row.is_cancelled = True
            if row.leased_until is None or row.leased_until <= now:
                end(session, row, "cancelled", now)
            session.flush()
            return run_rows.shown(session, row)

    def approve(self, run: str, tenant: str, decision: ApprovalRequest, by: str) -> TaskRun:
        """Note the decision on what it waits for, with who made it in the audit; a worker then goes on.

        Raises:
            NotFoundError: the tenant has no such run.
            ConflictError: it does not wait for that.
        """
        subject = decision.step or PLAN
        with self._database.write() as session:
            row = open_run(session, run, tenant)
            check_waits(row, subject)
            row.approved = {**row.approved, subject: decision.approved}
            set_status(row, "running")
            detail = {"subject": subject, "approved": decision.approved, "reason": decision.reason}
            audit.record(session, Actor(by), "runs.approve", run, detail, self._clock())
            return run_rows.shown(session, row)


def new_row(run: TaskRun, request: TaskRequest, caller: Caller, now: datetime) -> RunRow:
    """Of a run that nobody has."""
    return RunRow(
        id=run.id,
        tenant=caller.tenant,
        caller=caller.model_dump(mode="json"),
        request=request.model_dump(mode="json", exclude_none=True),
        run=run_rows.document(run),
        status=run.status,
        approved={},
        is_cancelled=False,
        worker=None,
        fence=0,
        leased_until=None,
        seen=None,
        # One that comes while it waits was held by whoever listened to it until now.
        spent_s=max(0.0, (now - run.created).total_seconds()) if run.status == "waiting" else 0.0,
        created=run.created,
        finished=(run.finished or now) if run.status in ENDED else None,
    )


def claimable(session: Session, count: int, now: datetime) -> Sequence[RunRow]:
    """The oldest runs with something to do and nobody at it, locked; on PostgreSQL two workers see different ones."""
    free = or_(RunRow.leased_until.is_(None), RunRow.leased_until <= now)
    query = select(RunRow).where(RunRow.status.in_(ACTIVE), free).order_by(RunRow.created, RunRow.id).limit(count)
    return session.scalars(query.with_for_update(skip_locked=True)).all()


def claimed(session: Session, row: RunRow, worker: str, now: datetime, until: datetime) -> Claim:
    """The run given to a worker. What passed since the last sign of one that died is nobody's time."""
    row.worker, row.seen, row.leased_until = worker, now, until
    row.fence += 1
    session.flush()
    return Claim(
        run=run_rows.whole(session, row),
        request=TaskRequest.model_validate(row.request),
        caller=Caller.model_validate(row.caller),
        fence=row.fence,
        approved=dict(row.approved),
        seq=last_seq(session, row.id),
        spent_s=row.spent_s,
    )


def newest(session: Session, run: str, fence: int) -> RunRow:
    """The run, locked.

    Raises:
        ConflictError: the fence is not the newest, or the run is gone.
    """
    row = session.get(RunRow, run, with_for_update=True)
    if row is None or row.fence != fence:
        raise ConflictError(f"run: {run} is another worker's by now, or is kept no more", param="run")
    return row


def going(session: Session, run: str, fence: int) -> RunRow:
    """As `newest`, and it has not ended; raises ConflictError where it has."""
    row = newest(session, run, fence)
    if row.status in ENDED:
        raise ConflictError(f"run: {run} has ended: {row.status}", param="run")
    return row


def found(session: Session, run: str, tenant: str, *, locked: bool = False) -> RunRow:
    """A tenant's run; another's is none.

    Raises:
        NotFoundError: there is none.
    """
    row = session.get(RunRow, run, with_for_update=locked or None)
    if row is None or row.tenant != tenant:
        raise NotFoundError(f"run: there is no {run}; GET /v1/tasks lists the runs that are kept", param="run")
    return row


def open_run(session: Session, run: str, tenant: str) -> RunRow:
    """As `found`, locked, and it has not ended; raises ConflictError where it has."""
    row = found(session, run, tenant, locked=True)
    if row.status in ENDED:
        raise ConflictError(f"run: {run} has ended: {row.status}", param="run")
    return row


def check_waits(row: RunRow, subject: str) -> None:
    """Raises ConflictError where the run does not wait for this."""
    waiting_for = row.run.get("waiting_for")
    if row.status != "waiting" or waiting_for != subject:
        state = f"it waits for {waiting_for!r}" if row.status == "waiting" else f"it is {row.status}"
        raise ConflictError(f"step: {row.id} does not wait for an approval of {subject!r}; {state}", param="step")


def check_same(row: RunRow, request: TaskRequest, caller: Caller) -> None:
    """Raises ConflictError where the run is another's, or of another request."""
    asked = request.model_dump(mode="json", exclude_none=True)
    who = caller.kind, caller.id, caller.tenant
    if (row.caller["kind"], row.caller["id"], row.tenant) != who or row.request != asked:
        raise ConflictError(
            f"idempotency-key: {row.id} was begun by another request with it; a new request needs a new key",
            param="idempotency-key",
        )


def check_open(session: Session, tenant: str) -> None:
    """Raises RateLimitError where the tenant has as many runs under way as it may."""
    query = select(func.count()).where(RunRow.tenant == tenant, RunRow.finished.is_(None))
    if session.scalars(query).one() >= MAX_OPEN:
        raise RateLimitError(
            f"tenant {tenant!r} has {MAX_OPEN:,} runs that have not ended, the most; cancel some or wait",
            retry_after=RETRY_S,
        )


def end(session: Session, row: RunRow, status: RunStatus, now: datetime) -> None:
    """The run is over: nobody needs more of its results than is shown."""
    row.run = {**row.run, "finished": now.isoformat()}
    row.finished = now
    set_status(row, status)
    release(row, now)
    run_rows.close(session, row.id)


def set_status(row: RunRow, status: RunStatus) -> None:
    """In the column and in what is told; only a run that waits waits for something."""
    told = {**row.run, "status": status}
    if status != "waiting":
        told.pop("waiting_for", None)
    row.run, row.status = told, status


def release(row: RunRow, now: datetime) -> None:
    """Nobody has the run from now on."""
    count_time(row, now)
    row.worker, row.leased_until, row.seen = None, None, None


def count_time(row: RunRow, now: datetime) -> None:
    """The worker that has the run gives a sign: the time since its last one was the run's."""
    if row.seen is not None:
        row.spent_s += max(0.0, (now - row.seen).total_seconds())
        row.seen = now


def note_usage(row: RunRow, usage: Usage | None) -> None:
    """What the run has taken so far, for whoever goes on with it; most steps take no tokens, and are not written."""
    told = None if usage is None or not usage.total_tokens else usage.model_dump(mode="json")
    if told is not None and row.run.get("usage") != told:
        row.run = {**row.run, "usage": told}


def last_seq(session: Session, run: str) -> int:
    """The number of the last event that is kept; 0 where there is none."""
    return session.scalars(select(func.max(RunEventRow.seq)).where(RunEventRow.run == run)).one() or 0


def clear_away(session: Session, now: datetime) -> None:
    """Forget runs that ended too long ago, and the oldest where there are too many; a few at once."""
    ended = select(RunRow.finished).where(RunRow.finished.is_not(None)).order_by(RunRow.finished.desc())
    too_many = session.scalars(ended.offset(KEPT_RUNS).limit(1)).one_or_none()
    oldest = now - KEPT if too_many is None else max(too_many, now - KEPT)
    # On PostgreSQL two that clear away the same rows in another order would wait for each other.
    surplus = (
        select(RunRow.id).where(RunRow.finished <= oldest).limit(CLEARED_AT_ONCE).with_for_update(skip_locked=True)
    )
    ids = session.scalars(surplus).all()
    session.execute(delete(RunRow).where(RunRow.id.in_(ids)), execution_options={"synchronize_session": False})
