"""What a request carries beside its body, from the entry to the engine, and what happened to it on the way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from deployments.router.cache import CacheDirectives
from deployments.router.deadline import Deadline
from deployments.router.retries import RetryBudget
from deployments.router.shedding import Priority

STABLE = "stable"


def anything(name: str) -> bool:
    """A caller inside the cluster may use every model."""
    return True


@dataclass(slots=True)
class Call:
    """One request's context; the defaults are those of a caller inside the cluster.

    `permissions` stands for everything that the caller may use: answers are shared between callers of a tenant only
    where it is the same. `session`, `key` and `address` are what a consistent hash may send to one replica.
    """

    deadline: Deadline = field(default_factory=Deadline)
    retries: RetryBudget | None = None  # given by the first target, as its policy has it
    tenant: str = ""
    permissions: str = ""
    lane: str = STABLE
    priority: Priority = Priority.INTERACTIVE
    session: str | None = None
    key: str | None = None
    address: str | None = None
    directives: CacheDirectives = field(default_factory=CacheDirectives)
    is_strict: bool = False  # no fallback: this model or an error
    may_use: Callable[[str], bool] = anything
    retried: int = 0
