"""`${...}` in a plan, and what takes its place."""

from __future__ import annotations

from typing import Any

import pytest

from autoglm.errors import BadRequestError, PayloadTooLargeError, UnprocessableEntityError
from deployments.planner.references import Reference, references, resolved

RESULTS: dict[str, Any] = {
    "sum": {"value": 391, "parts": [{"x": 1.5}, None, True]},
    "page": "ask for ${sum} and $${sum}",
    "list": ["a", "b"],
}


@pytest.mark.parametrize(
    ("template", "value"),
    [
        ("${sum.value}", 391),
        ("${sum.parts[0].x}", 1.5),
        ("${sum.parts[1]}", None),
        ("${list}", ["a", "b"]),
        ("${sum.value} is ${sum.parts[2]}", "391 is true"),
        ("${page}!", "ask for ${sum} and $${sum}!"),
        ("$${sum} costs $5", "${sum} costs $5"),
        ({"k": ["${list[1]}", 7]}, {"k": ["b", 7]}),
    ],
)
def test_a_whole_string_takes_the_type_and_a_longer_one_the_text(template: Any, value: Any) -> None:
    """An escape is a plain `${`, and what a result says is never read for references."""
    assert resolved(template, RESULTS, 1000) == value


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("${sum.valeu}", r"step 'sum' has no 'valeu' at \$\{sum\}, which is an object with 'value', 'parts'"),
        ("${sum.parts[3].x}", r"step 'sum' has no \[3\] at \$\{sum.parts\}, which is a list of 3 items"),
        ("${sum.value.x}", r"no 'x' at \$\{sum.value\}, which is a number"),
        ("${other}", r"step 'other' has no result"),
    ],
)
def test_a_path_that_leads_nowhere_says_what_is_there(template: str, message: str) -> None:
    """Whoever repairs the plan, a person or a model, needs the names that would do."""
    with pytest.raises(UnprocessableEntityError, match=message):
        resolved(template, RESULTS, 1000)


@pytest.mark.parametrize("source", ["${", "${}", "${Sum}", "${a b}", "${a..b}", "${a[-1]}", "${a[x]}", "x ${a.b"])
def test_what_begins_a_reference_and_is_none_is_refused(source: str) -> None:
    """A misspelt reference that went out as text would be a wrong call that looks like a right one."""
    with pytest.raises(BadRequestError, match=r"is no reference; write \$\{id\}"):
        list(references({"k": [source]}))


def test_references_are_found_wherever_they_stand() -> None:
    """In lists and objects, several in a string; not in an escape, and not in the names of fields."""
    template = {"${no}": ["${a}", {"k": "x ${b[0].c} $${d} ${a.e}"}]}
    assert set(references(template)) == {Reference("a"), Reference("b", (0, "c")), Reference("a", ("e",))}


def test_results_that_are_put_in_often_are_bounded_together() -> None:
    """A thousand references to a small result are a large argument, in texts and in lists."""
    results = {"a": "x" * 100}
    for template in ("${a}" * 1000, ["${a}"] * 1000):
        with pytest.raises(PayloadTooLargeError, match="more than 1,000 bytes"):
            resolved(template, results, 1000)


def test_arguments_nested_without_end_are_refused() -> None:
    """Before Python's own stack is."""
    template: Any = "${a}"
    for _ in range(10_000):
        template = [template]
    for read in (lambda: list(references(template)), lambda: resolved(template, {"a": 1}, 1000)):
        with pytest.raises(BadRequestError, match="nested deeper"):
            read()
