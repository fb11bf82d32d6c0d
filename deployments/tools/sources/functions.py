"""Tools out of Python modules."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from autoglm import suggestion
from autoglm.errors import ConfigError
from autoglm.function_tool import FunctionTool
from autoglm.tool import mark_of
from deployments.tools.sources.listing import cut


def function_tools(target: str) -> list[FunctionTool]:
    """The function of `module:function`, marked or not; of a module alone, all marked ones that it holds.

    Raises:
        ConfigError: the module cannot be imported, has no such function or no marked one, or one that is no tool.
    """
    module_name, _, function_name = target.partition(":")
    module = imported(module_name)
    tools = [FunctionTool(each) for each in marked(module)] if not function_name else [named(module, function_name)]
    if not tools:
        raise ConfigError(f"python: {module_name} has no function that is marked by @autoglm.tool")
    return tools


def named_tools(entry: str, target: str) -> dict[str, FunctionTool]:
    """The same by their full names: a function bears its entry's, those of a module are `ENTRY.TOOL`."""
    tools = function_tools(target)
    return {entry: tools[0]} if ":" in target else {f"{entry}.{tool.name}": tool for tool in tools}


def imported(name: str) -> ModuleType:
    """The module; whatever its code raises is a fault of the declaration."""
    importlib.invalidate_caches()  # it may have been written after this process started
    try:
        return importlib.import_module(name)
    except (Exception, SystemExit) as fault:
        raise ConfigError(f"python: {name} cannot be imported: {type(fault).__name__}: {cut(str(fault))}") from fault


def named(module: ModuleType, name: str) -> FunctionTool:
    """One function, by the module's name for it."""
    function: Any = getattr(module, name, None)
    if not callable(function):
        known = [key for key, value in vars(module).items() if callable(value)]
        raise ConfigError(f"python: {module.__name__} has no function {name!r}; {suggestion.nearest(name, known)}")
    return FunctionTool(function)


def marked(module: ModuleType) -> Iterator[Any]:
    """Its marked functions in the order of their definition, those that it imported too; each once."""
    seen: set[int] = set()
    for value in vars(module).values():
        if mark_of(value) is not None and id(value) not in seen:
            seen.add(id(value))
            yield value
