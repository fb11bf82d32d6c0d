"""`@autoglm.tool` marks a function as a tool. It stays what it was; `autoglm.function_tool` describes it."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar, overload

from autoglm.errors import ConfigError

F = TypeVar("F", bound=Callable[..., Any])

MARK = "autoglm_tool"  # the attribute of a function that holds its mark


@dataclass(frozen=True, slots=True)
class Mark:
    """What a function cannot say of itself.

    An `idempotent` one may be called again after an error whose effect is not known. `timeout_s` is in seconds and
    goes before its entry's.
    """

    name: str | None = None
    idempotent: bool = False
    timeout_s: float | None = None


@overload
def tool(function: F, /) -> F: ...


@overload
def tool(*, name: str | None = None, idempotent: bool = False, timeout_s: float | None = None) -> Callable[[F], F]: ...


def tool(
    function: F | None = None,
    /,
    *,
    name: str | None = None,
    idempotent: bool = False,
    timeout_s: float | None = None,
) -> F | Callable[[F], F]:
    """Mark a function as a tool, as `@tool` or `@tool(name=..., idempotent=True, timeout_s=...)`.

    Its arguments' JSON Schema comes from its annotations, its description and theirs from its docstring (in Google's
    style). One that has a parameter `idempotency_key` is given the call's: the same when a call is sent again.

    Raises:
        ConfigError: it is no function, or `timeout_s` is not above 0.
    """
    if timeout_s is not None and not timeout_s > 0:
        raise ConfigError(f"timeout_s: must be above 0 seconds, got {timeout_s}")
    mark = Mark(name=name, idempotent=idempotent, timeout_s=timeout_s)

    def marked(function: F) -> F:
        if not inspect.isfunction(function):
            raise ConfigError(f"tool: only a function can be marked, got {function!r}")
        vars(function)[MARK] = mark
        return function

    return marked if function is None else marked(function)


def mark_of(function: object) -> Mark | None:
    """The mark of a function that was decorated, else None."""
    mark = getattr(function, MARK, None)
    return mark if isinstance(mark, Mark) else None
