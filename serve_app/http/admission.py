"""Admission: whether a caller may make a call, what it reserves, and what it used in the end."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from fastapi import Request

from autoglm.contract.price import Price
from autoglm.contract.scope import Scope
from autoglm.errors import PermissionDeniedError
from deployments.access import Principal
from deployments.quota import Allowances, Amount, Meter, Reservation, Subject
from deployments.router import Route

# What requests are metered under that are no calls of a model. Not by a tool's name: callers may make up any number.
RUN, TOOL_CALL = "tasks:run", "tools:call"


class Visit:
    """One admitted call: a context whose end settles what it reserved, whatever became of it."""

    def __init__(self, caller: Principal, name: str, price: Price, reservation: Reservation, meter: Meter) -> None:
        self.prompt_tokens = 0
        self.completion_tokens = 0
        self._caller = caller
        self._name = name
        self._price = price
        self._reservation = reservation
        self._meter = meter
        self._is_open = True

    @property
    def headers(self) -> dict[str, str]:
        """The caller's limits, as OpenAI tells them."""
        return self._reservation.headers()

    def used(self, usage: Mapping[str, Any]) -> None:
        """Note the tokens that an answer says it took."""
        self.prompt_tokens = usage.get("prompt_tokens") or 0
        self.completion_tokens = usage.get("completion_tokens") or 0

    def close(self) -> None:
        """Settle and count; the second time nothing is done. A call that failed is a request of no tokens."""
        if not self._is_open:
            return
        self._is_open = False
        cost = self._price.cost_micros(self.prompt_tokens, self.completion_tokens)
        self._reservation.settle(Amount(1, self.prompt_tokens + self.completion_tokens, cost))
        self._meter.add(
            key=payer(self._caller),
            tenant=self._caller.tenant,
            model=self._name,
            prompt_tokens=self.prompt_tokens,
            completion_tokens=self.completion_tokens,
            cost_micros=cost,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


class Admission:
    """The quotas and the meter of one router replica."""

    def __init__(self, allowances: Allowances, meter: Meter) -> None:
        self._allowances = allowances
        self._meter = meter

    async def admit(self, caller: Principal, route: Route, prompt_tokens: int, completion_tokens: int = 0) -> Visit:
        """Reserve for a call of about so many tokens.

        Raises:
            QuotaExceededError: a limit of the key or its tenant does not admit it.
        """
        cost = route.price.cost_micros(prompt_tokens, completion_tokens)
        amount = Amount(1, prompt_tokens + completion_tokens, cost)
        reservation = await self._allowances.reserve(subjects(caller), amount)
        return Visit(caller, route.name, route.price, reservation, self._meter)

    async def admit_request(self, caller: Principal, name: str) -> Visit:
        """Reserve for a request that is no call of a model, metered under `name`; what it calls is admitted by itself.

        Raises:
            QuotaExceededError: as `admit`.
        """
        reservation = await self._allowances.reserve(subjects(caller), Amount(1, 0, 0))
        return Visit(caller, name, Price(), reservation, self._meter)


def caller_of(request: Request, wanted: Scope | None = None) -> Principal:
    """Who calls, as the middleware found out.

    Raises:
        PermissionDeniedError: the credential has not the scope that is wanted.
    """
    caller: Principal = request.scope["state"]["principal"]
    if wanted is not None:
        check_scope(caller, wanted)
    return caller


def check_scope(caller: Principal, wanted: Scope) -> None:
    """Raises PermissionDeniedError where the credential has not the scope."""
    if not caller.allows(wanted):
        raise PermissionDeniedError(
            f"authorization: this credential has not the scope {str(wanted)!r}, which is needed", param="authorization"
        )


def check_model(caller: Principal, name: str, param: str) -> None:
    """Raises PermissionDeniedError where the credential is for other models, whether this one exists or not."""
    if not caller.may_use(name):
        raise PermissionDeniedError(f"{param}: this credential may not use {name!r}", param=param)


def payer(caller: Principal) -> str:
    """Who used it, in the usage report: a key's id, `local`, `user:NAME` or `token:SUBJECT`."""
    return caller.id if caller.kind in ("key", "local") else str(caller)


def subjects(caller: Principal) -> tuple[Subject, ...]:
    """Whose quotas the calls count on. The local key has none: who has it can change them."""
    if caller.kind == "local":
        return ()
    tenant = Subject("tenant", caller.tenant)
    return (Subject("key", caller.id), tenant) if caller.kind == "key" else (tenant,)
