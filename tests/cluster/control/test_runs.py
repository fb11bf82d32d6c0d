"""The ledger of durable runs: claims, leases, fences, steps and decisions, on both databases."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from autoglm.contract.plan import Plan, Step
from autoglm.contract.task_run import ApprovalRequest, RunEvent, StepRun, TaskRequest, TaskRun
from autoglm.contract.usage import Usage
from autoglm.errors import ConflictError, NotFoundError, PayloadTooLargeError, RateLimitError
from cluster.control import audit, run_rows, runs
from cluster.control.database import Database
from cluster.control.runs import RunLedger
from deployments.caller import Caller
from deployments.planner.run_store import Claim

ANN = Caller(kind="key", id="key_1", tenant="acme")
REQUEST = TaskRequest(instruction="count", background=True)
PLAN = Plan(steps=(Step(id="a", kind="tool", name="count"), Step(id="b", kind="tool", name="send", after=("a",))))
LEASE_S = 15.0


def run_id(number: int = 1) -> str:
    return f"run_{number:032x}"


class Ledger:
    """A ledger with a clock that the test moves."""

    def __init__(self, database: Database, now: datetime) -> None:
        self.database = database
        self.now = now
        self.runs = RunLedger(database, lambda: self.now)

    def new(self, number: int = 1, **rest: Any) -> str:
        """The id of a run that was created now, before its plan is made."""
        fields = {"id": run_id(number), "instruction": "count", "status": "planning", "created": self.now, **rest}
        self.runs.create(TaskRun.model_validate(fields), REQUEST, ANN)
        return run_id(number)

    def claim(self, worker: str = "w1") -> Claim:
        """The one run that there is to do."""
        [claim] = self.runs.claim(worker, 10, LEASE_S)
        return claim

    def planned(self, worker: str = "w1") -> Claim:
        """A new run, claimed and with its plan."""
        self.new()
        claim = self.claim(worker)
        self.runs.planned(claim.run.id, claim.fence, PLAN, "model")
        return claim

    def get(self, run: str) -> TaskRun:
        return self.runs.get(run, "acme")

    def after(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def ledger(database: Database, now: datetime) -> Ledger:
    return Ledger(database, now)


def step(name: str, status: str = "succeeded", **rest: Any) -> StepRun:
    return StepRun.model_validate({"id": name, "kind": "tool", "name": "count", "status": status, **rest})


def test_a_claimed_run_is_nobody_elses_until_its_lease_ends(ledger: Ledger) -> None:
    """Each claim has a newer fence; what is not claimed yet comes the oldest first."""
    ledger.new(2)
    ledger.after(1)
    ledger.new(1)
    [first] = ledger.runs.claim("w1", 1, LEASE_S)
    [second] = ledger.runs.claim("w2", 10, 2 * LEASE_S)
    assert (first.run.id, second.run.id, first.fence) == (run_id(2), run_id(1), 1)
    assert (first.request, first.caller) == (REQUEST, ANN)
    ledger.after(LEASE_S)
    [again] = ledger.runs.claim("w2", 10, LEASE_S)
    assert (again.run.id, again.fence) == (run_id(2), 2)


def test_a_lease_is_prolonged_by_its_holder_alone(ledger: Ledger) -> None:
    """Who lost a run is told to stop it."""
    claim = ledger.planned()
    run = claim.run.id
    ledger.after(LEASE_S - 1)
    assert ledger.runs.renew("w1", {run: 1}, LEASE_S) == []
    ledger.after(LEASE_S - 1)
    assert ledger.runs.claim("w2", 10, LEASE_S) == []
    ledger.after(1)
    assert ledger.claim("w2").fence == 2
    unknown = run_id(9)
    assert ledger.runs.renew("w1", {run: 1, unknown: 1}, LEASE_S) == sorted([run, unknown])
    assert ledger.runs.renew("w2", {run: 2}, LEASE_S) == []


@pytest.mark.parametrize(
    "write",
    [
        lambda ledger, run: ledger.planned(run, 1, PLAN, "model"),
        lambda ledger, run: ledger.step(run, 1, step("a")),
        lambda ledger, run: ledger.wait(run, 1, "a"),
        lambda ledger, run: ledger.ended(TaskRun(id=run, instruction="", status="failed", created=runs.utc_now()), 1),
        lambda ledger, run: ledger.events(run, 1, [RunEvent(seq=1, type="plan")]),
    ],
)
def test_a_stale_fence_is_refused(ledger: Ledger, write: Callable[[RunLedger, str], None]) -> None:
    """A worker that slept through its lease writes nothing beside the one that took its place."""
    claim = ledger.planned()
    ledger.after(LEASE_S)
    ledger.claim("w2")
    before = ledger.get(claim.run.id)
    with pytest.raises(ConflictError, match="another worker's"):
        write(ledger.runs, claim.run.id)
    assert ledger.get(claim.run.id) == before
    assert ledger.runs.events_after(claim.run.id, "acme", 0, 10) == []


def test_a_run_goes_on_where_it_was_with_whole_results(ledger: Ledger) -> None:
    """Plan, steps, decisions and the number of the last event come with the next claim."""
    claim = ledger.planned()
    run = claim.run.id
    result = {"text": "x" * 50_000, "odd": "\x00\ud800 é", "number": 0.1}
    ledger.runs.step(run, 1, step("a", "running"))
    ledger.runs.step(run, 1, step("a", result=result, attempts=2))
    ledger.runs.step(run, 1, step("b", "running"))
    ledger.runs.events(run, 1, [RunEvent(seq=1, type="plan", plan=PLAN), RunEvent(seq=2, type="token", text="é")])
    ledger.after(LEASE_S)
    again = ledger.claim("w2")
    assert (again.run.plan, again.run.planner, again.seq) == (PLAN, "model", 2)
    assert [(one.id, one.status, one.attempts) for one in again.run.steps] == [
        ("a", "succeeded", 2),
        ("b", "running", 0),
    ]
    assert again.run.steps[0].result == result
    shown = ledger.get(run).steps[0]
    assert (shown.is_cut, len(shown.result)) == (True, run_rows.MAX_SHOWN_BYTES)


def test_the_time_that_a_run_was_held_is_added_up_over_its_workers(ledger: Ledger) -> None:
    """From claim to wait or to the last renewal of one that died; what it waited, for whomever, is not counted."""
    claim = ledger.planned()
    run = claim.run.id
    assert claim.spent_s == 0
    ledger.after(4)
    ledger.runs.renew("w1", {run: 1}, LEASE_S)
    ledger.after(3)
    ledger.runs.renew("w1", {run: 1}, LEASE_S)
    ledger.after(100)  # it was killed right after that
    assert ledger.claim("w2").spent_s == 7
    ledger.after(2)
    ledger.runs.wait(run, 2, "b")
    ledger.after(1000)
    ledger.runs.approve(run, "acme", ApprovalRequest(step="b"), "key:key_1")
    ledger.after(10)
    assert ledger.claim("w3").spent_s == 9


def test_a_run_that_comes_to_wait_has_spent_the_time_of_who_listened(ledger: Ledger) -> None:
    """Nobody claimed it before."""
    run = ledger.new(1, status="waiting", waiting_for="plan", created=ledger.now - timedelta(seconds=8))
    ledger.runs.approve(run, "acme", ApprovalRequest(), "key:key_1")
    assert ledger.claim().spent_s == 8


def test_the_tokens_that_a_worker_told_come_with_the_next_claim(ledger: Ledger) -> None:
    """With a step, or where the run waits; a step that took none changes nothing."""
    run = ledger.planned().run.id
    ledger.runs.step(run, 1, step("a", "running"), Usage(total_tokens=5))
    ledger.runs.step(run, 1, step("a"), Usage())
    ledger.after(LEASE_S)
    assert ledger.claim("w2").run.usage == Usage(total_tokens=5)
    ledger.runs.wait(run, 2, "b", Usage(total_tokens=8))
    assert ledger.get(run).usage == Usage(total_tokens=8)


def test_a_step_that_is_over_stays_as_it_is(ledger: Ledger) -> None:
    """Told again as it was, it is taken; begun again or with another outcome, it is refused, and nothing is done."""
    claim = ledger.planned()
    run, done = claim.run.id, step("a", result=[1])
    ledger.runs.step(run, 1, done)
    ledger.runs.step(run, 1, done)
    for other in (step("a", "running"), step("a", "failed"), step("a", result=[2])):
        with pytest.raises(ConflictError, match="is over"):
            ledger.runs.step(run, 1, other)
    assert ledger.get(run).steps[0].result == [1]


def test_results_are_bounded(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each, and all of a run together; a second telling of a step takes the first one's room."""
    run = ledger.planned().run.id
    monkeypatch.setattr(run_rows, "MAX_STEP_BYTES", 1_000)
    monkeypatch.setattr(run_rows, "MAX_RUN_BYTES", 1_500)
    with pytest.raises(PayloadTooLargeError, match="step 'a'"):
        ledger.runs.step(run, 1, step("a", result="x" * 1_000))
    ledger.runs.step(run, 1, step("a", "running", result="x" * 800))
    ledger.runs.step(run, 1, step("a", result="x" * 800))
    with pytest.raises(PayloadTooLargeError, match="step 'b'"):
        ledger.runs.step(run, 1, step("b", result="x" * 800))


def test_a_run_waits_without_a_worker_until_it_is_decided(ledger: Ledger, database: Database) -> None:
    """And then goes on with the decision, which is in the audit with who made it."""
    claim = ledger.planned()
    run = claim.run.id
    ledger.runs.wait(run, 1, "b")
    assert (ledger.get(run).status, ledger.get(run).waiting_for) == ("waiting", "b")
    ledger.after(10 * LEASE_S)
    assert ledger.runs.claim("w2", 10, LEASE_S) == []
    for wrong in (ApprovalRequest(step="a"), ApprovalRequest()):
        with pytest.raises(ConflictError, match="it waits for 'b'"):
            ledger.runs.approve(run, "acme", wrong, "key:key_1")
    decided = ledger.runs.approve(run, "acme", ApprovalRequest(step="b", approved=False, reason="no"), "key:key_1")
    assert (decided.status, decided.waiting_for) == ("running", None)
    again = ledger.claim("w2")
    assert (again.approved, again.fence) == ({"b": False}, 2)
    with database.read() as session:
        [entry] = audit.page(session, before=None, limit=10)
    assert (entry.actor, entry.action, entry.object) == ("key:key_1", "runs.approve", run)
    assert entry.detail == {"subject": "b", "approved": False, "reason": "no"}


def test_what_is_decided_is_not_waited_for_again(ledger: Ledger) -> None:
    """A worker that was killed between the decision and the step asks a second time."""
    run = ledger.planned().run.id
    ledger.runs.wait(run, 1, "plan")
    ledger.runs.approve(run, "acme", ApprovalRequest(), "key:key_1")
    assert ledger.claim().approved == {"plan": True}
    ledger.runs.wait(run, 2, "plan")
    assert ledger.claim().fence == 3


def test_a_run_of_a_worker_is_cancelled_by_that_worker(ledger: Ledger) -> None:
    """It hears of it with its lease, which it keeps while it ends what runs; where it died, the run just ends."""
    run = ledger.planned().run.id
    ledger.runs.step(run, 1, step("a", "running"))
    assert ledger.runs.cancel(run, "acme").status == "running"
    assert ledger.runs.renew("w1", {run: 1}, LEASE_S) == [run]
    ledger.after(LEASE_S - 1)
    assert ledger.runs.claim("w2", 10, LEASE_S) == []
    ledger.runs.step(run, 1, step("a", "cancelled"))
    ledger.after(1)
    assert ledger.runs.claim("w2", 10, LEASE_S) == []
    ended = ledger.get(run)
    assert (ended.status, ended.finished) == ("cancelled", ledger.now)
    with pytest.raises(ConflictError, match="has ended"):
        ledger.runs.cancel(run, "acme")


@pytest.mark.parametrize("begun", [False, True])
def test_a_run_that_nobody_has_is_cancelled_at_once(ledger: Ledger, begun: bool) -> None:
    """One that waits for a person, or for a worker; its steps are over too."""
    run = ledger.planned().run.id if begun else ledger.new()
    if begun:
        ledger.runs.step(run, 1, step("a", "waiting"))
        ledger.runs.wait(run, 1, "a")
    ended = ledger.runs.cancel(run, "acme")
    assert (ended.status, ended.waiting_for) == ("cancelled", None)
    assert [one.status for one in ended.steps] == (["cancelled", "pending"] if begun else [])
    assert ledger.runs.claim("w1", 10, LEASE_S) == []


def test_a_run_that_is_cancelled_does_not_wait_any_more(ledger: Ledger) -> None:
    """Nobody would end it."""
    run = ledger.planned().run.id
    ledger.runs.cancel(run, "acme")
    ledger.runs.wait(run, 1, "b")
    assert ledger.get(run).status == "cancelled"


def test_the_end_is_kept_once_with_the_steps_that_were_never_told(ledger: Ledger) -> None:
    """Results that nobody goes on with are cut; nothing but events comes after it."""
    claim = ledger.planned()
    run = claim.run.id
    ledger.runs.step(run, 1, step("a", result="x" * 50_000))
    told = TaskRun(
        id=run,
        instruction="count",
        status="succeeded",
        plan=PLAN,
        steps=(step("a", result="cut", is_cut=True), step("b", "skipped")),
        answer="2",
        created=ledger.now,
        finished=ledger.now,
    )
    ledger.runs.ended(told, 1)
    ledger.runs.ended(told.model_copy(update={"answer": "3", "status": "failed"}), 1)
    kept = ledger.get(run)
    assert (kept.status, kept.answer, kept.finished) == ("succeeded", "2", ledger.now)
    assert [(one.id, one.status) for one in kept.steps] == [("a", "succeeded"), ("b", "skipped")]
    assert kept.steps[0].result == "x" * run_rows.MAX_SHOWN_BYTES
    with pytest.raises(ConflictError, match="has ended"):
        ledger.runs.step(run, 1, step("c"))
    ledger.runs.events(run, 1, [RunEvent(seq=1, type="answer", run=kept)])
    assert ledger.runs.claim("w1", 10, LEASE_S) == []


def test_a_run_is_created_once(ledger: Ledger) -> None:
    """A second time changes nothing; another request or another caller under its id is a conflict."""
    run = ledger.planned().run.id
    ledger.new()
    assert ledger.get(run).plan == PLAN
    theirs, other = Caller(kind="key", id="key_2", tenant="acme"), REQUEST.model_copy(update={"max_steps": 3})
    for request, caller in ((REQUEST, theirs), (other, ANN)):
        with pytest.raises(ConflictError, match="another request"):
            ledger.runs.create(ledger.get(run), request, caller)


def test_a_run_begins_as_far_as_it_is(ledger: Ledger) -> None:
    """One that waits is nobody's until it is decided; one that has ended is only kept; the rest goes on."""
    waiting = ledger.new(1, status="waiting", waiting_for="b", plan=PLAN, steps=(step("a", result=[1]),))
    ended = ledger.new(2, status="succeeded", answer="2")
    assert ledger.runs.claim("w1", 10, LEASE_S) == []
    assert ledger.get(ended).answer == "2"
    ledger.runs.approve(waiting, "acme", ApprovalRequest(step="b"), "key:key_1")
    claim = ledger.claim()
    assert (claim.run.steps[0].result, claim.approved) == ([1], {"b": True})


def test_another_tenants_run_is_none(ledger: Ledger) -> None:
    """By whatever it is asked for."""
    run = ledger.planned().run.id
    for ask in (
        lambda: ledger.runs.get(run, "other"),
        lambda: ledger.runs.events_after(run, "other", 0, 10),
        lambda: ledger.runs.cancel(run, "other"),
        lambda: ledger.runs.approve(run, "other", ApprovalRequest(), "key:key_2"),
        lambda: ledger.runs.page("other", run, 10),
    ):
        with pytest.raises(NotFoundError, match="there is no run_"):
            ask()
    assert ledger.runs.page("other", None, 10).data == ()
    assert ledger.get(run).status == "running"


def test_runs_are_listed_newest_first_in_pages(ledger: Ledger) -> None:
    """Without their steps, from the one behind the last that was seen."""
    for number in range(1, 4):
        ledger.new(number)
        ledger.after(number % 2)
    first = ledger.runs.page("acme", None, 2)
    then = ledger.runs.page("acme", first.data[-1].id, 2)
    assert [run.id for run in (*first.data, *then.data)] == [run_id(3), run_id(2), run_id(1)]
    assert (first.has_more, then.has_more) == (True, False)


def test_events_are_kept_once_in_order_and_bounded(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """The newest; of one that is too large there is left that it came."""
    monkeypatch.setattr(runs, "KEPT_EVENTS", 3)
    monkeypatch.setattr(run_rows, "MAX_EVENT_BYTES", 1_000)
    run = ledger.planned().run.id
    events = [RunEvent(seq=number, type="token", text="x" * (2_000 if number == 4 else 1)) for number in range(1, 6)]
    ledger.runs.events(run, 1, events[:3])
    ledger.runs.events(run, 1, events)
    kept = ledger.runs.events_after(run, "acme", 0, 10)
    assert [(event.seq, event.text) for event in kept] == [(3, "x"), (4, None), (5, "x")]
    assert [event.seq for event in ledger.runs.events_after(run, "acme", 3, 1)] == [4]


def test_runs_that_ended_long_ago_go_with_all_that_is_theirs(ledger: Ledger) -> None:
    """What has not ended stays, however old it is."""
    old, waiting = ledger.planned().run.id, ledger.new(2, status="waiting", waiting_for="plan")
    ledger.runs.step(old, 1, step("a"))
    ledger.runs.events(old, 1, [RunEvent(seq=1, type="plan")])
    ledger.runs.cancel(old, "acme")
    ledger.after(LEASE_S)
    assert ledger.runs.claim("w1", 10, LEASE_S) == []
    ledger.after(runs.KEPT.total_seconds() + 1)
    ledger.new(3)
    assert {run.id for run in ledger.runs.page("acme", None, 10).data} == {run_id(3), waiting}


def test_the_oldest_runs_go_where_there_are_too_many(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of those that have ended."""
    monkeypatch.setattr(runs, "KEPT_RUNS", 2)
    for number in range(1, 5):
        ledger.new(number, status="succeeded")
        ledger.after(1)
    ledger.new(5)
    assert [run.id for run in ledger.runs.page("acme", None, 10).data] == [run_id(5), run_id(4), run_id(3)]


def test_a_tenant_has_so_many_runs_under_way(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """The queue is bounded; what has ended does not count."""
    monkeypatch.setattr(runs, "MAX_OPEN", 1)
    first = ledger.new(1)
    with pytest.raises(RateLimitError, match="have not ended"):
        ledger.new(2)
    ledger.new(3, status="failed")
    ledger.runs.cancel(first, "acme")
    ledger.new(2)


def test_workers_that_race_never_hold_one_run_together(database: Database, now: datetime) -> None:
    """Four of them claim, step and lose their leases at once: each step is begun once for each fence, and every
    fence is one worker's."""
    clock = [now]
    ledger = RunLedger(database, lambda: clock[0])
    for number in range(8):
        run = TaskRun(id=run_id(number), instruction="count", status="planning", created=now)
        ledger.create(run, REQUEST, ANN)
    held: list[tuple[str, int, str]] = []
    faults: list[BaseException] = []
    barrier = threading.Barrier(4)

    def work(worker: str) -> None:
        barrier.wait()
        try:
            for _ in range(6):
                for claim in ledger.claim(worker, 2, 0.0):  # whose lease is over at once
                    try:
                        ledger.step(claim.run.id, claim.fence, step(f"s{claim.fence}", "running"))
                    except ConflictError:
                        continue
                    held.append((claim.run.id, claim.fence, worker))
        except BaseException as fault:
            faults.append(fault)

    threads = [threading.Thread(target=work, args=(f"w{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    places = [(run, fence) for run, fence, _ in held]
    assert len(set(places)) == len(places) > 0
    for number in range(8):
        begun = {one.id for one in ledger.get(run_id(number), "acme").steps}
        assert begun == {f"s{fence}" for run, fence in places if run == run_id(number)}
