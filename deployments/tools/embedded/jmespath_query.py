"""JMESPath (https://jmespath.org) with bounds: a short query can ask for a result of any size.

`[@,@]|[@,@]|...` doubles with each step, and `to_string` or a flattening makes real memory of it. So each value that a
query builds is measured, and all of them together may have so many bytes.
"""

from __future__ import annotations

from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError
from jmespath.functions import Functions, signature
from jmespath.visitor import TreeInterpreter

from deployments.json_value import NotJsonError, OversizeError, size_of

MAX_CHARS = 500
MAX_STEPS = 200_000  # nodes of the query, each as often as it is evaluated: about a second
MAX_BYTES = 8 * 1024 * 1024  # of all values that it builds; measuring them takes below a second
NEWLINE = "\n"  # behind it an error draws the query
BUILDING = frozenset(
    {
        "filter_projection",
        "flatten",
        "function_expression",
        "multi_select_dict",
        "multi_select_list",
        "projection",
        "value_projection",
    }
)


class QueryFault(ValueError):
    """The query is none, does not fit the document, or asks for too much."""


class Budget:
    """What is left of the steps and bytes."""

    def __init__(self) -> None:
        self._steps = MAX_STEPS
        self._bytes = MAX_BYTES

    def step(self) -> None:
        """Raises QueryFault where none is left."""
        self._steps -= 1
        if self._steps < 0:
            raise QueryFault(f"takes more than {MAX_STEPS} steps; ask for less at once")

    def built(self, value: Any) -> None:
        """Raises QueryFault where the value is larger than what is left."""
        try:
            self._bytes -= size_of(value, self._bytes)
        except (OversizeError, NotJsonError):
            raise QueryFault(f"builds more than {MAX_BYTES} bytes; ask for less at once") from None


class BoundedFunctions(Functions):
    """The one function whose result is the product of its arguments' sizes is measured before it is called."""

    @signature({"types": ["string"]}, {"types": ["array-string"]})
    def _func_join(self, separator: str, texts: list[str]) -> str:
        if len(separator) * len(texts) > MAX_BYTES:
            raise QueryFault(f"join builds more than {MAX_BYTES} bytes; ask for less at once")
        return separator.join(texts)


class BoundedInterpreter(TreeInterpreter):
    """The library's, within a budget."""

    def __init__(self) -> None:
        super().__init__(jmespath.Options(custom_functions=BoundedFunctions()))
        self._budget = Budget()

    def visit(self, node: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """One node of the query over one value."""
        self._budget.step()
        value = super().visit(node, *args, **kwargs)
        if node["type"] in BUILDING:
            self._budget.built(value)
        return value


def search(query: str, document: Any) -> Any:
    """The result of a query.

    Raises:
        QueryFault: as the class says.
    """
    if len(query) > MAX_CHARS:
        raise QueryFault(f"has more than {MAX_CHARS} characters")
    try:
        return BoundedInterpreter().visit(jmespath.compile(query).parsed, document)
    except (JMESPathError, TypeError, RecursionError) as fault:
        raise QueryFault(f"cannot be answered: {str(fault).partition(NEWLINE)[0]}") from None
