"""What answers instead of a target that cannot: its declared fallbacks, in their order, and never unmarked."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Protocol, TypeVar

from autoglm.errors import APIStatusError, DeadlineExceededError, UnavailableError, UpstreamError
from deployments.router.cache import Computed, Started
from deployments.router.call import Call
from deployments.router.policy import CachedAnswer, Fallback, FixedAnswer, OtherVersion
from deployments.router.targets import Target, TargetTable

R = TypeVar("R", Computed, Started)
R_co = TypeVar("R_co", Computed, Started, covariant=True)

logger = logging.getLogger("ray.serve")

DEGRADED = (UpstreamError, UnavailableError, DeadlineExceededError)


class Substitutes(Protocol[R_co]):
    """The forms that an answer may take; whole or streamed, the chain is the same."""

    async def target(self, target: Target) -> R_co:
        """A target's own answer."""
        ...

    async def cached(self, max_age_s: float) -> R_co | None:
        """An old answer to the same request, where there is one."""
        ...

    def fixed(self, text: str, target: Target) -> R_co:
        """A declared text."""
        ...


async def degraded(target: Target, table: TargetTable, call: Call, substitutes: Substitutes[R]) -> R:
    """The target's answer, or the first fallback's that has one.

    A caller that asked for a strict model gets the target's error, as does one to whom no fallback has an answer.
    """
    try:
        return await substitutes.target(target)
    except DEGRADED as error:
        if not call.is_strict:
            for fallback in target.route.policy.fallbacks:
                try:
                    answer = await substitute(fallback, target, table, call, substitutes)
                except APIStatusError as fault:  # the target's own error is what the caller hears of
                    logger.warning("%s: its fallback cannot answer either: %s", target, fault.message)
                    continue
                if answer is not None:
                    mark = mark_of(fallback, target)
                    target.fallbacks[mark] += 1
                    return replace(answer, meta={**answer.meta, "fallback": mark}, storable=False)
        raise error


async def substitute(
    fallback: Fallback, target: Target, table: TargetTable, call: Call, substitutes: Substitutes[R]
) -> R | None:
    """One fallback's answer; None where it has none or the caller may not use it."""
    if isinstance(fallback, CachedAnswer):
        return await substitutes.cached(fallback.cached_s)
    if isinstance(fallback, FixedAnswer):
        return substitutes.fixed(fallback.answer, target)
    if isinstance(fallback, OtherVersion):
        return await substitutes.target(table.get(target.route.name, fallback.version))
    if not call.may_use(fallback.model):
        return None
    return await substitutes.target(table.get(fallback.model))


def mark_of(fallback: Fallback, target: Target) -> str:
    """How an answer of a fallback is marked."""
    if isinstance(fallback, CachedAnswer):
        return "cached"
    if isinstance(fallback, FixedAnswer):
        return "fixed"
    return f"{target.route.name}:{fallback.version}" if isinstance(fallback, OtherVersion) else fallback.model
