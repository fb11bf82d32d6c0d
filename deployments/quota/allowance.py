"""Quotas on a router replica: calls admitted from leases, without asking the control plane for each.

What holds, for each limit in each of its windows, over all replicas:

- What calls in flight have reserved, what ended calls used, and what leases hold for calls to come is never more than
  the limit, but for the next point: the bank grants a lease only within it, and calls reserve only within leases.
- What is booked exceeds the limit by at most the sum, over calls that used more than they had reserved, of what they
  used beyond it. A call has no excess in requests; in tokens, it is bounded by the estimate of its prompt (`estimate`).
  An excess counts on what is left at once in its replica, and for all replicas within about a second.
- A call may be refused while another replica holds what it would need: at most what that replica needed in its last
  second, or an eighth of what was left when it was leased, and for about two seconds after its last call.
- While the control plane does not answer, each replica holds to the limits by itself (`alone`).
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterable, Sequence

from autoglm.errors import UnavailableError
from deployments.clock import Clock, utc_now
from deployments.quota.account import Account
from deployments.quota.alone import Alone
from deployments.quota.bank import Bank, Report, new_id
from deployments.quota.meter import Meter
from deployments.quota.reservation import Reservation, Unlimited
from deployments.quota.subject import Subject
from deployments.quota.view import QuotaView
from deployments.quota.windows import LIMITS, Amount

ACCOUNTS_A_REPORT = 500  # so that its transaction is short
ROWS_A_REPORT = 1000


class Allowances:
    """What the callers of one replica may use, and what they did; on one event loop."""

    def __init__(self, bank: Bank, meter: Meter, *, clock: Clock = utc_now) -> None:
        self._bank = bank
        self._meter = meter
        self._clock = clock
        self._alone = Alone(clock)
        self._views: dict[Subject, QuotaView] = {}
        self._accounts: dict[tuple[Subject, ...], Account] = {}
        self._pending: Report | None = None

    def update(self, quotas: Iterable[QuotaView]) -> None:
        """Hold to these limits from now on, and to no others."""
        self._views = {view.owner: view for view in quotas if limits_anything(view)}
        self._alone.forget(self._views)
        for subjects, account in self._accounts.items():
            account.replace(tuple(self._views[subject] for subject in subjects if subject in self._views))

    async def reserve(self, subjects: Sequence[Subject], amount: Amount) -> Reservation:
        """Reserve for a call of these subjects: of all, or of none. Without a quota it costs nothing.

        Raises:
            QuotaExceededError: `param` is the limit's name, `retry_after` when its window ends; None for the budget
                and for what no window holds.
            UnavailableError: too many calls of the caller wait for a lease.
            ValueError: the amount is of no request.
        """
        if amount.requests < 1:
            raise ValueError(f"amount: got {amount}; a call is at least one request")
        limited = {subject for subject in subjects if subject in self._views}
        return await self._account(tuple(sorted(limited))).reserve(amount) if limited else Unlimited(amount)

    async def tick(self) -> None:
        """Report what was used, and give back what is not needed. To be called each second, once at a time.

        A report that failed is sent again as it was, until the bank has it; what comes meanwhile is kept for the next.
        Other faults of the bank than no answer are raised, and do not lose it either.
        """
        self._pending = self._pending or self._collected()
        if self._pending is None and not self._alone.lasts:
            return
        report = self._pending or Report(new_id())
        try:
            await self._bank.report(report)
        except (UnavailableError, TimeoutError) as fault:
            self._alone.begin(fault)
            return
        self._pending = None
        self._alone.booked(report.bookings)
        self._alone.end()

    async def close(self) -> None:
        """Refuse who waits, give back what no call has, and report; a bank that is down is not waited for."""
        await asyncio.gather(*(account.close() for account in self._accounts.values()))
        await self.tick()
        while self._pending is None and not self._alone.lasts and (last := self._collected()) is not None:
            self._pending = last
            await self.tick()

    def _account(self, subjects: tuple[Subject, ...]) -> Account:
        account = self._accounts.get(subjects)
        if account is None:
            views = tuple(self._views[subject] for subject in subjects)
            account = self._accounts[subjects] = Account(views, self._bank, self._alone, self._clock)
        return account

    def _collected(self) -> Report | None:
        """The next report; None where there is nothing to tell."""
        settlements = tuple(itertools.chain.from_iterable(account.settlements() for account in self._turn()))
        bookings, spent = self._alone.bookings(), self._meter.take(ROWS_A_REPORT)
        return Report(new_id(), settlements, bookings, spent) if settlements or bookings or spent else None

    def _turn(self) -> Iterable[Account]:
        """The accounts whose turn it is, which then are last in the row; idle ones are dropped."""
        for subjects in list(itertools.islice(self._accounts, ACCOUNTS_A_REPORT)):
            account = self._accounts.pop(subjects)
            if not account.is_idle:
                self._accounts[subjects] = account
                yield account


def limits_anything(view: QuotaView) -> bool:
    """Whether one of the limits is set."""
    return any(getattr(view, limit.name) is not None for limit in LIMITS)
