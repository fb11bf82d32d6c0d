"""All grants, and what they say of a call."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from autoglm.contract.grant import Grant, GrantKind
from deployments.caller import Caller
from deployments.tools.grants.asking import Asking
from deployments.tools.grants.decision import Decision
from deployments.tools.grants.rule import Rule

Owner = tuple[GrantKind, str]


class GrantTable:
    """Grants by whom they are given to. It does not change; another takes its place."""

    def __init__(self, grants: Iterable[Grant] = ()) -> None:
        self._exact: defaultdict[tuple[Owner, str], list[Rule]] = defaultdict(list)
        self._prefixes: defaultdict[Owner, list[Rule]] = defaultdict(list)
        self._limited: list[Rule] = []
        for rule in map(Rule, grants):
            owner: Owner = (rule.grant.kind, rule.grant.subject)
            (self._prefixes[owner] if rule.is_prefix else self._exact[owner, rule.grant.tool]).append(rule)
            if rule.grant.calls_per_minute is not None:
                self._limited.append(rule)

    @property
    def limited(self) -> set[str]:
        """The ids of all grants that have a rate."""
        return {rule.id for rule in self._limited}

    def decide(self, asking: Asking, tool: str, arguments: Mapping[str, Any] | None = None) -> Decision:
        """Scope, the request's `tools` and grants; the rate is taken when the call is made.

        A grant covers a call whole or not at all, and of several that do the most permissive counts. Without arguments
        it is whether any call of the tool can be allowed, and whether some that are would need approval.
        """
        if missing := self._missing(asking, tool):
            return Decision(False, reason=missing)
        named = self._named(asking.caller, tool)
        if arguments is None:
            return Decision(bool(named), any_needs_approval(named), needed(asking.caller, tool) if not named else "")
        covering = [rule for rule in named if rule.unmatched(arguments) is None]
        if not covering:
            return Decision(False, reason=needed(asking.caller, tool, uncovered(named, arguments)))
        return Decision(True, all(rule.grant.needs_approval for rule in covering))

    def covering(self, caller: Caller, tool: str, arguments: Mapping[str, Any], *, approved: bool) -> Sequence[Rule]:
        """The grants that cover the call; those that need an approval only where there is one."""
        return [
            rule
            for rule in self._named(caller, tool)
            if (approved or not rule.grant.needs_approval) and rule.unmatched(arguments) is None
        ]

    def _missing(self, asking: Asking, tool: str) -> str:
        """What a grant could not mend; empty where nothing is."""
        if not asking.has_scope(tool):
            return f"tool {tool!r} needs the scope 'tools:{tool}', or 'tools:*', which this credential has not"
        if not asking.leaves(tool):
            return f"tool {tool!r} is left out by the request's `tools`"
        return ""

    def _named(self, caller: Caller, tool: str) -> list[Rule]:
        return [rule for owner in owners(caller) for rule in self._owned(owner, tool) if rule.patterns is not None]

    def _owned(self, owner: Owner, tool: str) -> Iterator[Rule]:
        yield from self._exact.get((owner, tool), ())
        yield from (rule for rule in self._prefixes.get(owner, ()) if rule.names(tool))


def owners(caller: Caller) -> Iterator[Owner]:
    """Whose grants a caller has. A user or a token may be called as some key is, and has not that key's."""
    if caller.kind == "key":
        yield "key", caller.id
    yield "tenant", caller.tenant


def any_needs_approval(named: Sequence[Rule]) -> bool:
    """Whether there are calls that some of these allow and that would need approval."""
    is_always_free = any(not rule.patterns and not rule.grant.needs_approval for rule in named)
    return not is_always_free and any(rule.grant.needs_approval for rule in named)


def uncovered(named: Sequence[Rule], arguments: Mapping[str, Any]) -> str:
    """Why no grant of the tool covers the arguments, by the first of them; empty where there is none."""
    if not named:
        return ""
    name = named[0].unmatched(arguments)
    return "" if name is None else f"the argument {name!r} must match {named[0].grant.arguments[name]!r}"


def needed(caller: Caller, tool: str, why: str = "") -> str:
    """Which grant is missing, and how it is made."""
    whose = " or ".join(f"{kind} {subject!r}" for kind, subject in owners(caller))
    found = f"of those of {whose} none covers these arguments: {why}" if why else f"{whose} has none"
    return f"tool {tool!r} needs a grant: {found}; `autoglm grants add tenant {caller.tenant} {tool}` makes one"
