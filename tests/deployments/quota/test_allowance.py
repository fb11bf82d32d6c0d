"""A replica's allowances: served from leases, within the limits, whatever the control plane does."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable

import pytest

from autoglm.errors import QuotaExceededError, UnavailableError
from deployments.quota.account import MAX_WAITING
from deployments.quota.allowance import Allowances
from deployments.quota.meter import Meter
from deployments.quota.reservation import Reservation
from deployments.quota.view import QuotaView
from deployments.quota.windows import NOTHING, Amount, Window
from tests.deployments.quota.fake_bank import ACME, KEY, FakeBank, FakeClock, view

ONE = Amount(1, 10)


def replica(bank: FakeBank, *views: QuotaView) -> Allowances:
    allowances = Allowances(bank, Meter(clock=bank.clock), clock=bank.clock)
    allowances.update(views or bank.views.values())
    return allowances


async def until(condition: Callable[[], bool]) -> None:
    """Let the others run until it holds; the test's time-out ends it otherwise."""
    while not condition():  # noqa: ASYNC110 - the bank of these tests sets no event
        await asyncio.sleep(0)


def started(allowances: Allowances, count: int, amount: Amount = ONE) -> list[asyncio.Task[Reservation]]:
    return [asyncio.create_task(allowances.reserve([KEY], amount)) for _ in range(count)]


def at_once(allowances: Allowances, amount: Amount = ONE) -> Reservation:
    """The reservation of a call that waits for nothing: its coroutine ends with the first step."""
    coroutine = allowances.reserve([KEY], amount)
    try:
        coroutine.send(None)
    except StopIteration as done:
        reservation: Reservation = done.value
        return reservation
    coroutine.close()
    raise AssertionError("it waits")


async def test_without_a_quota_nothing_is_asked_or_told(clock: FakeClock) -> None:
    """Not even of the clock's minute; a view that limits nothing is no quota."""
    bank = FakeBank(clock)
    allowances = replica(bank, view())
    reservation = at_once(allowances, Amount(1, 10**9))
    assert reservation.headers() == {}
    reservation.settle(ONE)
    await allowances.tick()
    assert (bank.wanted, bank.reports) == ([], [])


async def test_a_call_without_a_request_is_refused(clock: FakeClock) -> None:
    """It could never be told from one that is over."""
    with pytest.raises(ValueError, match="at least one request"):
        await replica(FakeBank(clock)).reserve([KEY], Amount(0, 5))


async def test_many_calls_take_few_leases(clock: FakeClock) -> None:
    """The first takes what it needs; each lease after it what the calls so far needed, and most calls wait for none."""
    bank = FakeBank(clock, view(requests_per_minute=10_000))
    allowances = replica(bank)
    for _ in range(500):
        (await allowances.reserve([KEY], ONE)).settle(ONE)
    assert len(bank.wanted) <= 10
    assert (bank.wanted[0].need, bank.wanted[0].wish) == (ONE, ONE)
    at_once(allowances)


async def test_callers_that_wait_share_one_lease(clock: FakeClock) -> None:
    """It covers all that came before it was asked for; those who come while it is on its way, the next."""
    bank = FakeBank(clock, view(requests_per_minute=1000))
    allowances = replica(bank)
    bank.gate.clear()
    first = started(allowances, 20)
    await until(lambda: bool(bank.wanted))
    then = started(allowances, 30)
    await asyncio.sleep(0)
    bank.gate.set()
    await asyncio.gather(*first, *then)
    assert [wanted.wish.requests for wanted in bank.wanted][:1] == [20]
    assert len(bank.wanted) == 2


async def test_nobody_overtakes_who_waits(clock: FakeClock) -> None:
    """A large call would wait for ever where small ones took what it waits for."""
    bank = FakeBank(clock, view(tokens_per_minute=100))
    allowances = replica(bank)
    (await allowances.reserve([KEY], Amount(2, 20))).settle(NOTHING)
    bank.gate.clear()
    large, small = started(allowances, 1, Amount(1, 95)) + started(allowances, 1, Amount(1, 10))
    await until(lambda: len(bank.wanted) == 2)
    assert not small.done()
    bank.gate.set()
    await asyncio.wait([large, small])
    assert large.exception() is None
    assert isinstance(small.exception(), QuotaExceededError)


async def test_a_lease_takes_an_eighth_of_what_is_left_at_most(clock: FakeClock) -> None:
    """Beyond what waits: the other replicas want some too."""
    bank = FakeBank(clock, view(requests_per_minute=80))
    allowances = replica(bank)
    for _ in range(40):
        await allowances.reserve([KEY], ONE)
    shares = [wanted.wish.requests - wanted.need.requests for wanted in bank.wanted]
    assert max(shares) <= 80 // 8
    assert max(shares) >= 4


async def test_the_last_of_a_limit_is_admitted_and_no_more(clock: FakeClock) -> None:
    """Smaller calls go on where a larger one was refused; the refusal is right about when to come back."""
    bank = FakeBank(clock, view(tokens_per_minute=100, requests_per_day=50))
    allowances = replica(bank)
    big, other, small = (
        started(allowances, 1, Amount(1, 90))
        + started(allowances, 1, Amount(1, 20))
        + started(allowances, 1, Amount(1, 10))
    )
    await asyncio.wait([big, other, small])
    assert (big.exception(), small.exception()) == (None, None)
    error = other.exception()
    assert isinstance(error, QuotaExceededError)
    assert (error.param, error.retry_after) == ("tokens_per_minute", 40)
    assert bank.used(KEY, Window.MINUTE).tokens == 100


async def test_what_is_free_here_and_what_is_left_there_add_up(clock: FakeClock) -> None:
    """Neither alone would do for the call."""
    bank = FakeBank(clock, view(tokens_per_minute=100))
    allowances = replica(bank)
    (await allowances.reserve([KEY], Amount(1, 60))).settle(NOTHING)
    await allowances.reserve([KEY], Amount(1, 100))
    assert bank.wanted[-1].need == Amount(0, 40)


async def test_who_does_not_stop_is_refused_without_the_bank(clock: FakeClock) -> None:
    """For a second; what would fit is asked for, and a time to come back grows shorter."""
    bank = FakeBank(clock, view(tokens_per_minute=10))
    allowances = replica(bank)
    for _ in range(3):
        with pytest.raises(QuotaExceededError) as refused:
            await allowances.reserve([KEY], Amount(1, 11))
        assert refused.value.retry_after is None
        clock.advance(0.25)
    assert len(bank.wanted) == 1
    await allowances.reserve([KEY], ONE)
    for wait in (39.25, 38.75, 38.25):
        with pytest.raises(QuotaExceededError) as refused:
            await allowances.reserve([KEY], Amount(1, 1))
        assert refused.value.retry_after == wait
        clock.advance(0.5)
    assert len(bank.wanted) == 4


async def test_a_refusal_is_forgotten_with_its_window(clock: FakeClock) -> None:
    """The first call of the next minute is admitted."""
    bank = FakeBank(clock, view(requests_per_minute=1))
    allowances = replica(bank)
    clock.advance(39.9)
    await allowances.reserve([KEY], ONE)
    with pytest.raises(QuotaExceededError):
        await allowances.reserve([KEY], ONE)
    clock.advance(0.1)
    await allowances.reserve([KEY], ONE)


async def test_what_is_settled_is_used_and_the_rest_is_free_at_once(clock: FakeClock) -> None:
    """A second settlement changes nothing."""
    bank = FakeBank(clock, view(tokens_per_minute=100))
    allowances = replica(bank)
    reservation = await allowances.reserve([KEY], Amount(1, 100))
    for _ in range(2):
        reservation.settle(Amount(1, 30))
    await allowances.reserve([KEY], Amount(1, 70))
    assert bank.wanted[-1].need == Amount(1, 0)
    for _ in range(2):
        await allowances.tick()
    assert bank.used(KEY, Window.DAY) == Amount(2, 100)


async def test_what_is_not_needed_is_given_back(clock: FakeClock) -> None:
    """Two ticks after the last call another replica has all of it, but what a call in flight has reserved."""
    bank = FakeBank(clock, view(requests_per_minute=100))
    allowances = replica(bank)
    reservations = [await allowances.reserve([KEY], ONE) for _ in range(30)]
    for reservation in reservations[1:]:
        reservation.settle(ONE)
    assert bank.used(KEY, Window.MINUTE).requests > 30
    for _ in range(2):
        await allowances.tick()
    assert bank.used(KEY, Window.MINUTE) == Amount(30, 300)
    reservations[0].settle(Amount(1, 25))
    await allowances.tick()
    assert (bank.used(KEY, Window.MINUTE), bank.leases) == (Amount(30, 315), {})
    sent = len(bank.reports)
    await allowances.tick()
    assert len(bank.reports) == sent


async def test_a_lease_ends_with_its_minute(clock: FakeClock) -> None:
    """What is used of it late is booked where it was reserved; the next minute has leases of its own."""
    bank = FakeBank(clock, view(tokens_per_minute=100))
    allowances = replica(bank)
    minute = Window.MINUTE.start(clock())
    reservation = await allowances.reserve([KEY], Amount(1, 90))
    clock.advance(40)
    await allowances.reserve([KEY], Amount(1, 95))
    reservation.settle(Amount(1, 70))
    await allowances.tick()
    assert bank.counts[KEY, Window.MINUTE, minute].tokens == 70
    assert bank.used(KEY, Window.MINUTE).tokens == 95
    assert bank.used(KEY, Window.DAY).tokens == 165


async def test_key_and_tenant_are_reserved_together(clock: FakeClock) -> None:
    """The tenant's refusal takes nothing of the key; keys without a quota share their tenant's lease."""
    bank = FakeBank(clock, view(requests_per_minute=10), view(ACME, requests_per_minute=1))
    allowances = replica(bank)
    await allowances.reserve([KEY, ACME], ONE)
    with pytest.raises(QuotaExceededError):
        await allowances.reserve([KEY, ACME], ONE)
    assert bank.used(KEY, Window.MINUTE).requests == 1


async def test_headers_tell_what_is_left_for_all(clock: FakeClock) -> None:
    """Each call sees one less, from the lease or from a new one, and a call that used less gives back."""
    bank = FakeBank(clock, view(requests_per_minute=100))
    allowances = replica(bank)
    for call in range(20):
        reservation = await allowances.reserve([KEY], ONE)
        assert reservation.headers()["x-ratelimit-remaining-requests"] == str(99 - call)
        reservation.settle(ONE)
    await allowances.tick()
    assert at_once(allowances).headers()["x-ratelimit-remaining-requests"] == "79"


async def test_a_changed_limit_holds_from_the_next_call(clock: FakeClock) -> None:
    """What was leased under the old one is not used any more; a limit taken away is none."""
    bank = FakeBank(clock, view(requests_per_minute=100))
    allowances = replica(bank)
    for _ in range(10):
        (await allowances.reserve([KEY], ONE)).settle(ONE)
    bank.views[KEY] = view(requests_per_minute=10)
    allowances.update(bank.views.values())
    await allowances.tick()
    with pytest.raises(QuotaExceededError):
        await allowances.reserve([KEY], ONE)
    allowances.update([])
    assert at_once(allowances).headers() == {}


async def test_a_caller_that_gives_up_keeps_nothing(clock: FakeClock) -> None:
    """Whether it is cancelled while it waits, or after it was admitted and before it heard of it."""
    bank = FakeBank(clock, view(requests_per_minute=100))
    allowances = replica(bank)
    bank.gate.clear()

    async def admitted_first() -> None:
        (await allowances.reserve([KEY], ONE)).settle(NOTHING)
        admitted.cancel()  # the same lease has admitted it, and its task has not run since

    first = asyncio.create_task(admitted_first())
    waiting, admitted = started(allowances, 2)
    await until(lambda: bool(bank.wanted))
    waiting.cancel()
    bank.gate.set()
    await asyncio.wait([first, waiting, admitted])
    assert waiting.cancelled()
    assert admitted.cancelled()
    for _ in range(2):
        await allowances.tick()
    assert (bank.used(KEY, Window.MINUTE), bank.leases) == (NOTHING, {})


async def test_callers_wait_in_bounded_number(clock: FakeClock) -> None:
    """One more hears that it is too much, at once."""
    bank = FakeBank(clock, view(requests_per_minute=10**6))
    allowances = replica(bank)
    bank.gate.clear()
    waiting = started(allowances, MAX_WAITING)
    await until(lambda: bool(bank.wanted))
    with pytest.raises(UnavailableError, match="1000 calls of this caller wait"):
        await allowances.reserve([KEY], ONE)
    bank.gate.set()
    await asyncio.gather(*waiting)


async def test_a_fault_of_the_bank_reaches_who_waits(clock: FakeClock) -> None:
    """It is not an outage, and nobody waits for ever; what it may have leased is given back."""
    bank = FakeBank(clock, view(requests_per_minute=10))
    bank.fault, bank.lose_answers = RuntimeError("out of order"), True
    allowances = replica(bank)
    for task in started(allowances, 3):
        with pytest.raises(RuntimeError, match="out of order"):
            await task
    assert bank.leases
    bank.fault = None
    await allowances.tick()
    assert bank.leases == {}


@pytest.mark.parametrize("fault", [UnavailableError("down"), TimeoutError()])
async def test_without_the_bank_a_replica_holds_to_the_limits_by_itself(
    clock: FakeClock, fault: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    """From what it knew: of what others had used, and of what it used; told once, and booked when the bank is back."""
    bank = FakeBank(clock, view(requests_per_minute=10))
    bank.book((KEY,), clock(), Amount(4, 40))
    allowances = replica(bank)
    (await allowances.reserve([KEY], ONE)).settle(ONE)
    bank.fault = fault
    caplog.set_level(logging.WARNING)
    reservations = await asyncio.gather(*started(allowances, 5))
    assert reservations[-1].headers()["x-ratelimit-remaining-requests"] == "0"
    with pytest.raises(QuotaExceededError) as refused:
        await allowances.reserve([KEY], ONE)
    assert (refused.value.param, refused.value.retry_after) == ("requests_per_minute", 40)
    for _ in range(3):
        await allowances.tick()
    assert len([record for record in caplog.records if "does not answer" in record.message]) == 1
    for reservation in reservations:
        reservation.settle(Amount(1, 2))
    asked = len(bank.wanted)
    bank.fault = None
    for _ in range(2):
        await allowances.tick()
    assert bank.used(KEY, Window.MINUTE) == Amount(10, 40 + 10 + 5 * 2)
    assert "with 5 calls admitted without it" in caplog.text
    with pytest.raises(QuotaExceededError):
        await allowances.reserve([KEY], ONE)
    assert len(bank.wanted) == asked + 1


async def test_an_outage_remembers_the_one_before(clock: FakeClock) -> None:
    """What was admitted in it counts, though the bank has not said since how much is used."""
    bank = FakeBank(clock, view(requests_per_minute=10))
    allowances = replica(bank)
    bank.fault = UnavailableError("down")
    await asyncio.gather(*started(allowances, 6))
    bank.fault = None
    await allowances.tick()
    bank.fault = UnavailableError("down")
    admitted = await asyncio.gather(*started(allowances, 6), return_exceptions=True)
    assert [isinstance(one, Reservation) for one in admitted] == [True] * 4 + [False] * 2


async def test_windows_that_begin_without_the_bank_are_counted_too(clock: FakeClock) -> None:
    """Each replica admits a limit of each; the day's and the budget's go on."""
    bank = FakeBank(clock, view(requests_per_minute=3, requests_per_day=5))
    bank.fault = UnavailableError("down")
    allowances = replica(bank)
    await asyncio.gather(*started(allowances, 3))
    clock.advance(40)
    await asyncio.gather(*started(allowances, 2))
    with pytest.raises(QuotaExceededError) as refused:
        await allowances.reserve([KEY], ONE)
    assert refused.value.param == "requests_per_day"


async def test_a_lease_whose_answer_was_lost_is_given_back(clock: FakeClock) -> None:
    """The replica named it, so it can say that it is over."""
    bank = FakeBank(clock, view(requests_per_minute=10))
    bank.fault, bank.lose_answers = TimeoutError(), True
    allowances = replica(bank)
    await allowances.reserve([KEY], ONE)
    assert bank.leases
    bank.fault = None
    for _ in range(2):
        await allowances.tick()
    assert (bank.used(KEY, Window.MINUTE), bank.leases) == (ONE, {})


async def test_a_report_whose_answer_was_lost_is_booked_once(clock: FakeClock) -> None:
    """It is sent again as it was, and what came meanwhile after it."""
    bank = FakeBank(clock, view(requests_per_minute=10))
    meter = Meter(clock=clock)
    allowances = Allowances(bank, meter, clock=clock)
    allowances.update(bank.views.values())
    (await allowances.reserve([KEY], ONE)).settle(ONE)
    meter.add(key="key_1", tenant="acme", model="chat", prompt_tokens=10)
    bank.fault, bank.lose_answers = TimeoutError(), True
    for _ in range(2):
        await allowances.tick()
        meter.add(key="key_1", tenant="acme", model="chat", prompt_tokens=1)
    bank.fault = None
    for _ in range(3):
        await allowances.tick()
    assert len({report.id for report in bank.reports}) == len(bank.reports)
    assert [row.prompt_tokens for report in bank.reports for row in report.spent] == [10, 2]
    assert bank.used(KEY, Window.MINUTE) == ONE


async def test_an_end_gives_everything_back(clock: FakeClock) -> None:
    """Who waits hears of it; use and usage are told, in as many reports as it takes."""
    bank = FakeBank(clock, view(requests_per_minute=100))
    meter = Meter(clock=clock)
    allowances = Allowances(bank, meter, clock=clock)
    allowances.update(bank.views.values())
    for _ in range(5):
        (await allowances.reserve([KEY], ONE)).settle(ONE)
    for number in range(1500):
        meter.add(key=f"key_{number}", tenant="acme", model="chat")
    bank.gate.clear()
    waiting = started(allowances, 1, Amount(90))
    await until(lambda: bank.wanted[-1].need.requests > 50)
    await allowances.close()
    with pytest.raises(UnavailableError, match="being stopped"):
        await waiting[0]
    assert (bank.used(KEY, Window.MINUTE), bank.leases) == (Amount(5, 50), {})
    assert sum(row.requests for report in bank.reports for row in report.spent) == 1500


@pytest.mark.parametrize("seed", range(5))
async def test_a_limit_is_exceeded_only_by_what_calls_used_beyond_their_reservations(
    clock: FakeClock, seed: int
) -> None:
    """Three replicas, calls that use more or less than reserved, ticks and minutes in any order: after each step the
    bank's count of each window is within the limit and the excess of single calls."""
    chance, limit = random.Random(seed), 400
    bank = FakeBank(clock, view(tokens_per_minute=limit, tokens_per_day=3 * limit), view(ACME, tokens_per_minute=300))
    replicas = [replica(bank) for _ in range(3)]
    open_calls: list[Reservation] = []
    excess = admitted = refused = 0
    for _ in range(600):
        action = chance.random()
        if action < 0.6:
            try:
                subjects = chance.choice([[KEY], [KEY, ACME], [ACME]])
                open_calls.append(await chance.choice(replicas).reserve(subjects, Amount(1, chance.randint(1, 40))))
                admitted += 1
            except QuotaExceededError:
                refused += 1
        elif action < 0.9 and open_calls:
            call = open_calls.pop(chance.randrange(len(open_calls)))
            used = chance.randint(0, call.reserved.tokens + 2)
            excess += max(0, used - call.reserved.tokens)
            call.settle(Amount(1, used))
        else:
            await chance.choice(replicas).tick()
            clock.advance(chance.choice([0, 0.5, 1, 5]))
        for (subject, window, _), count in bank.counts.items():
            view_of = bank.views[subject]
            allowed = {Window.MINUTE: view_of.tokens_per_minute, Window.DAY: view_of.tokens_per_day}.get(window)
            assert allowed is None or count.tokens <= allowed + excess
    assert admitted > 50
    assert refused > 20
    for call in open_calls:
        call.settle(NOTHING)
    for allowances in replicas:
        await allowances.close()
    assert bank.leases == {}
