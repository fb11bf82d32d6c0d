"""Which step of a plan waits for which: named by references, by conditions and by `after`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from graphlib import CycleError, TopologicalSorter

from autoglm.contract.plan import Step
from autoglm.errors import BadRequestError
from deployments.planner.references import references

PLAN = "plan"  # what a run waits for whose plan is to be approved, and the key of that decision; no step is called so


def needs(step: Step) -> frozenset[str]:
    """The steps without whose results it cannot run: those of its arguments and its condition.

    A condition with `exists` asks whether there is a result, and so needs none.
    """
    named = {reference.step for reference in references(step.arguments)}
    if step.when is not None and step.when.op != "exists":
        named |= {reference.step for reference in references(step.when.ref)}
    return frozenset(named)


def dependencies(step: Step) -> frozenset[str]:
    """The steps that must have ended before it begins.

    These are its needs, those of `after`, and what only its fallback or an `exists` refers to.

    Raises:
        BadRequestError: a reference is malformed.
    """
    return needs(step) | _later(step)


class Graph:
    """The steps of a plan with their `needs` and `dependencies`, by id: their text is read once.

    Raises:
        BadRequestError: a reference is malformed.
    """

    def __init__(self, steps: Sequence[Step]) -> None:
        self.needs = {step.id: needs(step) for step in steps}
        self.dependencies = {step.id: self.needs[step.id] | _later(step) for step in steps}

    def order(self, done: Collection[str] = ()) -> TopologicalSorter[str]:
        """What tells which steps may run, in time that grows with steps and edges; those that are `done` are left out.

        Raises:
            graphlib.CycleError: steps wait for each other.
        """
        sorter = TopologicalSorter(
            {step: waits.difference(done) for step, waits in self.dependencies.items() if step not in done}
        )
        sorter.prepare()
        return sorter

    def cycle(self) -> tuple[str, ...]:
        """The ids of a cycle, each waiting for the one before it, the first once more at the end; empty without one."""
        try:
            self.order()
        except CycleError as error:
            return tuple(error.args[1])
        return ()


def checked(steps: Sequence[Step], known: Collection[str] = ()) -> Graph:
    """The graph of steps that can be put in an order; `known` steps ended before, and may be named.

    Raises:
        BadRequestError: an id stands twice or is kept for the plan, a step is named that is not there, or steps wait
            for each other.
    """
    if any(step.id == PLAN for step in steps):
        raise BadRequestError(f"the id {PLAN!r} is kept for the approval of the plan itself; take another", param=PLAN)
    for step, count in Counter(step.id for step in steps).items():
        if count > 1:
            raise BadRequestError(f"steps: there are {count} with the id {step!r}; give each its own", param=step)
    graph = Graph(steps)
    for step, waits in graph.dependencies.items():
        if missing := waits - graph.dependencies.keys() - set(known):
            names = ", ".join(map(repr, sorted(missing)))
            raise BadRequestError(f"step {step!r} names {names}, and there is no such step", param=step)
    if found := graph.cycle():
        raise BadRequestError(f"steps wait for each other: {' -> '.join(found)}; break the circle", param=found[0])
    return graph


def _later(step: Step) -> frozenset[str]:
    """What must come first, and is not needed."""
    if step.when is None and step.fallback is None:
        return frozenset(step.after)
    named = [step.when.ref if step.when else None, step.fallback.arguments if step.fallback else None]
    return frozenset(step.after).union(reference.step for reference in references(named))
