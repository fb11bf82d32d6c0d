"""Whether a step's condition holds."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

from autoglm.contract.plan import Comparison, Condition
from autoglm.errors import BadRequestError, UnprocessableEntityError
from deployments.planner.references import Reference, parsed

ORDERS: dict[Comparison, Callable[[Any, Any], bool]] = {
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
}


def holds(condition: Condition, results: Mapping[str, Any]) -> bool:
    """The result that `ref` stands for, compared with `value`.

    Numbers are ordered with numbers and strings with strings; `in` and `contains` look into lists, into strings for
    strings and into objects for field names. `exists` with the value false holds where there is nothing: then the step
    is the other branch of one that was skipped.

    Raises:
        BadRequestError: `ref` is no reference.
        UnprocessableEntityError: there is nothing to compare, or the two cannot be compared.
    """
    reference = _reference(condition)
    if condition.op == "exists":
        return _exists(reference, results) is (condition.value is not False)
    found = reference.value(results)
    match condition.op:
        case "eq":
            return _equal(found, condition.value)
        case "ne":
            return not _equal(found, condition.value)
        case "in":
            return _contains(condition, condition.value, found)
        case "contains":
            return _contains(condition, found, condition.value)
    return _ordered(condition, found)


def _reference(condition: Condition) -> Reference:
    match parsed(condition.ref):
        case [Reference() as reference]:
            return reference
    raise BadRequestError(f"when.ref: got {condition.ref!r}; one reference would do, such as ${{id.field}}")


def _exists(reference: Reference, results: Mapping[str, Any]) -> bool:
    try:
        reference.value(results)
    except UnprocessableEntityError:
        return False
    return True


def _equal(one: Any, other: Any) -> bool:
    """As JSON has it: true is not 1."""
    return one == other and isinstance(one, bool) == isinstance(other, bool)


def _contains(condition: Condition, whole: Any, part: Any) -> bool:
    if isinstance(whole, list | tuple):
        return any(_equal(one, part) for one in whole)
    if isinstance(whole, str | dict) and isinstance(part, str):
        return part in whole
    raise _mismatch(condition, part, whole)


def _ordered(condition: Condition, found: Any) -> bool:
    for kind in (int | float, str):
        if all(isinstance(side, kind) and not isinstance(side, bool) for side in (found, condition.value)):
            return ORDERS[condition.op](found, condition.value)
    raise _mismatch(condition, found, condition.value)


def _mismatch(condition: Condition, one: Any, other: Any) -> UnprocessableEntityError:
    kinds = f"{type(one).__name__} and {type(other).__name__}"
    return UnprocessableEntityError(f"when: {condition.ref} {condition.op}: {kinds} cannot be compared so")
