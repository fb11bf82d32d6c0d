"""Whether calls are the right ones, as BFCL's own checker judges them: values exactly, texts without case and marks."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

from benchmarks.planning.bfcl.case import Call, Case

MARKS = re.compile(r"[ ,./\-_*^'\"]")

Made = tuple[str, dict[str, Any]]


def functions_right(case: Case, made: Sequence[Made]) -> bool:
    """Whether the functions are right, whatever their arguments."""
    return Counter(name for name, _ in made) == Counter(name for call in case.gold for name in call)


def calls_right(case: Case, made: Sequence[Made]) -> bool:
    """Whether the calls are, arguments included, in any order."""
    left = list(case.gold)
    for name, arguments in made:
        right = next((call for call in left if name in call and _fits(call, name, arguments)), None)
        if right is None:
            return False
        left.remove(right)
    return not left


def _fits(call: Call, name: str, arguments: dict[str, Any]) -> bool:
    allowed = call[name]
    if arguments.keys() - allowed.keys():
        return False
    return all(
        any(_same(arguments[parameter], value) for value in values) if parameter in arguments else "" in values
        for parameter, values in allowed.items()
    )


def _same(ours: Any, right: Any) -> bool:
    if isinstance(ours, str) and isinstance(right, str):
        return _plain(ours) == _plain(right)
    if isinstance(ours, list) and isinstance(right, list):
        return len(ours) == len(right) and all(map(_same, ours, right))
    if isinstance(ours, dict) and isinstance(right, dict):
        return _same_fields(ours, right)
    return isinstance(ours, bool) == isinstance(right, bool) and bool(ours == right)


def _same_fields(ours: dict[str, Any], right: dict[str, Any]) -> bool:
    """Of a nested object each field has a list of right values, as a call's parameters have."""
    if ours.keys() - right.keys():
        return False
    for name, values in right.items():
        several = values if isinstance(values, list) else [values]
        if name in ours and not any(_same(ours[name], value) for value in several):
            return False
        if name not in ours and "" not in several:
            return False
    return True


def _plain(text: str) -> str:
    return MARKS.sub("", text).casefold()
