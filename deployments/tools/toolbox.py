"""The caller's side of the tools: what a caller may use, and calls of it that are decided before anything is sent."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from autoglm import suggestion
from autoglm.contract.grant import Grant
from autoglm.contract.tool import ToolCard
from autoglm.errors import (
    APIStatusError,
    DeadlineExceededError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    UnavailableError,
)
from deployments.caller import Caller
from deployments.clock import Clock, utc_now
from deployments.tools.call_log import Audit, CallEntry, argument_digest, outcome_of
from deployments.tools.grants import Asking, Decision, GrantTable, Rates
from deployments.tools.grants.rule import Rule
from deployments.tools.listing import Listing, Sleep, Translated, answered

DEPLOYMENT = "tools"  # of each host, whatever its application is called
GRACE_S = 2.0  # a host ends a call by itself at its time-out; one that does not hangs
RETRY_S = 1.0
MAX_NAME = 64  # characters that a tool's name has at most; what is asked for may have more
MAX_MESSAGE = 500  # characters; a caller may have many tools

Connect = Callable[[str, str], Any]  # (deployment, app) -> a Serve DeploymentHandle


class Toolbox:
    """The tools of all hosts, for the callers of one process. Not for threads.

    `connect` gives a host's handle, and `translated` turns what it raises into the error tree. `audit` is told every
    call, the refused ones too.
    """

    def __init__(
        self,
        connect: Connect,
        translated: Translated,
        audit: Audit,
        *,
        clock: Callable[[], float] = time.monotonic,
        now: Clock = utc_now,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._connect = connect
        self._translated = translated
        self._audit = audit
        self._clock = clock
        self._now = now
        self._sleep = sleep
        self._told: tuple[Grant, ...] = ()
        self._grants = GrantTable()
        self._rates = Rates(clock)
        self._listings: dict[str, Listing] = {}
        self._following: dict[str, asyncio.Task[None]] = {}

    def update(self, hosts: Iterable[str], grants: Iterable[Grant]) -> None:
        """The hosts' applications, in the order in which a name that two list is looked for, and all grants.

        Call it on the event loop that makes the calls: it is where the hosts are followed.
        """
        told = tuple(grants)
        if told != self._told:  # most of what a process is told again is of other things
            self._told, self._grants = told, GrantTable(told)
            self._rates.keep(self._grants.limited)
        wanted = list(dict.fromkeys(hosts))
        for gone in self._listings.keys() - set(wanted):
            self._following.pop(gone).cancel()
        self._listings = {app: self._listings.get(app) or self._follow(app) for app in wanted}

    @property
    def cards(self) -> Mapping[str, ToolCard]:
        """Every tool that there is, by name, whoever may use it."""
        listings = reversed(self._listings.values())
        cards = {name: card for listing in listings for name, card in listing.cards.items()}
        return dict(sorted(cards.items()))

    @property
    def faults(self) -> Mapping[str, str]:
        """The entries that could not be loaded, by name, with the reason."""
        return {name: fault for listing in self._listings.values() for name, fault in listing.faults.items()}

    def visible(self, asking: Asking) -> tuple[ToolCard, ...]:
        """What may be used now, by name. `needs_approval` says that some calls of a tool may need one."""
        decided = ((card, self._grants.decide(asking, name)) for name, card in self.cards.items())
        return tuple(with_approval(card, decision) for card, decision in decided if decision.allowed)

    def check(self, asking: Asking, name: str, arguments: Mapping[str, Any] | None = None) -> Decision:
        """Whether a call may be made, with these arguments where they are known.

        Raises:
            NotFoundError: there is no such tool.
            UnavailableError: its entry could not be loaded, or has gone; or it is not known whether there is such a
                tool, as a host has not told yet, or still loads its entry.
            PermissionDeniedError: a scope or a grant is missing, or the narrowing leaves the tool out; which, it says.
        """
        listing = self._listing(asking, name)
        decision = self._grants.decide(asking, name, arguments)
        if not decision.allowed:
            raise PermissionDeniedError(decision.reason, param="tool")
        return Decision(True, decision.needs_approval or listing.cards[name].needs_approval)

    async def call(
        self,
        asking: Asking,
        name: str,
        arguments: dict[str, Any],
        *,
        key: str,
        timeout_s: float,
        approved: bool = False,
    ) -> Any:
        """The tool's result, a JSON value. A call that is cancelled is cancelled at its host.

        Raises:
            NotFoundError, PermissionDeniedError, UnavailableError: as `check`, and where an approval is missing.
            RateLimitError: all grants that cover it are used up for now; `retry_after` is when one is not.
            UnprocessableEntityError: the arguments are no JSON, or not such as the tool takes.
            DeadlineExceededError, UpstreamError: it took too long, or it failed.
        """
        begun, at, outcome = self._clock(), self._now(), "ok"
        digest, preview = argument_digest(arguments)
        try:
            self._admit(asking, name, arguments, approved=approved)
            return await self._sent(self._listing(asking, name), name, arguments, key, timeout_s)
        except BaseException as error:
            outcome = outcome_of(error)
            raise
        finally:
            seconds = self._clock() - begun
            caller = asking.caller
            self._audit(
                CallEntry(at, str(caller), caller.tenant, name[:MAX_NAME], key, digest, preview, outcome, seconds)
            )

    def note_refusal(
        self, caller: Caller, name: str, arguments: Mapping[str, Any], error: APIStatusError, *, key: str
    ) -> None:
        """Tell the audit of a call that was refused when it was checked, and so was never made.

        It has no idempotency key yet; `key` is that of the run it was for.
        """
        digest, preview = argument_digest(arguments)
        told = str(caller), caller.tenant, name[:MAX_NAME], key, digest, preview, outcome_of(error), 0.0
        self._audit(CallEntry(self._now(), *told))

    async def aclose(self) -> None:
        """Follow no host any more."""
        following = list(self._following.values())
        self.update((), ())
        await asyncio.gather(*following, return_exceptions=True)

    def _admit(self, asking: Asking, name: str, arguments: Mapping[str, Any], *, approved: bool) -> None:
        if self.check(asking, name, arguments).needs_approval and not approved:
            raise PermissionDeniedError(
                f"tool {name!r} needs a person's approval of each call, which a task waits for: POST /v1/tasks",
                param="tool",
            )
        self._take_rate(name, self._grants.covering(asking.caller, name, arguments, approved=approved))

    def _take_rate(self, name: str, covering: Iterable[Rule]) -> None:
        """From the most generous grant that has room left."""
        waits = []
        for rule in sorted(covering, key=generosity, reverse=True):
            limit = rule.grant.calls_per_minute
            wait_s = 0.0 if limit is None else self._rates.take(rule.id, limit)
            if not wait_s:
                return
            waits.append(wait_s)
        raise RateLimitError(
            f"tool {name!r} has been called as often as its grant allows for now", param="tool", retry_after=min(waits)
        )

    async def _sent(self, listing: Listing, name: str, arguments: dict[str, Any], key: str, timeout_s: float) -> Any:
        try:
            with self._translated(f"the host of tool {name!r}"):
                async with asyncio.timeout(timeout_s + GRACE_S):
                    return await answered(listing.host.call.remote(name, arguments, key, timeout_s))
        except TimeoutError:
            raise DeadlineExceededError(f"tool {name!r} did not answer within {timeout_s:g} s") from None

    def _listing(self, asking: Asking, name: str) -> Listing:
        for listing in self._listings.values():
            if name in listing.cards:
                return listing
        if silent := [listing.app for listing in self._listings.values() if not listing.is_known]:
            raise UnavailableError(
                f"tool {name!r} is not known: {silent[0]} has not told yet what it has", retry_after=RETRY_S
            )
        if any(name.partition(".")[0] in listing.loading for listing in self._listings.values()):
            raise UnavailableError(f"tool {name!r} is not known: its entry is being loaded", retry_after=RETRY_S)
        if (fault := self._missing(name)) and self._grants.decide(asking, name).allowed:
            raise UnavailableError(f"tool {name!r} is not there: {fault}"[:MAX_MESSAGE], retry_after=RETRY_S)
        nearest = suggestion.nearest(name, [card.name for card in self.visible(asking)])
        raise NotFoundError(f"tool: there is no {name!r}; {nearest}"[:MAX_MESSAGE], param="tool")

    def _missing(self, name: str) -> str | None:
        """Why the whole entry of a tool is not there; None where there is none, or it has other tools."""
        entry = name.partition(".")[0]
        has_others = any(known.partition(".")[0] == entry for known in self.cards)
        return None if has_others else self.faults.get(entry)

    def _follow(self, app: str) -> Listing:
        listing = Listing(app, self._connect(DEPLOYMENT, app), self._translated, self._sleep)
        self._following[app] = asyncio.create_task(listing.follow())
        return listing


def with_approval(card: ToolCard, decision: Decision) -> ToolCard:
    """The card, with the approval that its entry or a grant asks for."""
    is_told = card.needs_approval or not decision.needs_approval
    return card if is_told else card.model_copy(update={"needs_approval": True})


def generosity(rule: Rule) -> float:
    """How many calls a minute a grant allows."""
    return float("inf") if rule.grant.calls_per_minute is None else rule.grant.calls_per_minute
