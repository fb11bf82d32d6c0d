"""The grammar as the tests of its parts use it."""

from __future__ import annotations

from datetime import date

from autoglm.contract.plan import Plan
from deployments.planner.planning.rules import Grammar, ServedNames

GRAMMAR = Grammar.of(lambda: date(2026, 3, 1))
SERVED = ServedNames(sentiment="sentiment", iris="iris", chat="chat")


def read(instruction: str) -> Plan | None:
    """The plan of rules on 1 March 2026."""
    return GRAMMAR.read(instruction, SERVED)


def calls(instruction: str) -> list[tuple[str, dict[str, object]]]:
    """What the plan's steps call, and with what; empty where the instruction is not understood."""
    plan = read(instruction)
    return [(step.name, step.arguments) for step in plan.steps] if plan else []
