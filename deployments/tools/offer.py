"""A tool as a host offers it: under its full name, with its compiled schemas, its breaker and its numbers."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pydantic import TypeAdapter, ValidationError

from autoglm.contract.tool import ToolCard, ToolName
from autoglm.errors import ConfigError, PayloadTooLargeError, UnprocessableEntityError, UpstreamError
from deployments.breaking import Breaker, BreakerConfig
from deployments.json_value import NotJsonError, OversizeError, size_of
from deployments.tools.config import ToolEntry
from deployments.tools.schema import Schema


@dataclass(slots=True)
class Tally:
    """Plain numbers since the tool is offered; `errors` are by code, `repeated` are answers kept or shared by a key."""

    answered: int = 0
    repeated: int = 0
    running: int = 0
    seconds: float = 0.0
    errors: Counter[str] = field(default_factory=Counter)


class Offer:
    """One tool of an entry.

    Raises:
        ConfigError: its name or one of its schemas cannot be used.
    """

    def __init__(self, entry: ToolEntry, card: ToolCard, clock: Callable[[], float] = time.monotonic) -> None:
        self.entry = entry
        self.origin = card
        name = checked_name(card.name)
        needs_approval = entry.needs_approval or card.needs_approval
        self.card = card.model_copy(update={"needs_approval": needs_approval})
        self.breaker = Breaker("tool", name, BreakerConfig(), clock=clock)
        self.tally = Tally()
        self._parameters = Schema(card.parameters)
        self._returns = None if card.returns is None else Schema(card.returns)

    @property
    def name(self) -> str:
        """The full name."""
        return self.card.name

    def check_arguments(self, arguments: dict[str, Any]) -> None:
        """Raises PayloadTooLargeError or UnprocessableEntityError, whose `param` is the field that does not fit."""
        limit = self.entry.max_argument_bytes
        try:
            size_of(arguments, limit)
        except OversizeError:
            raise PayloadTooLargeError(f"{self.name}: arguments: more than the {limit} bytes it takes") from None
        except NotJsonError as fault:
            raise UnprocessableEntityError(f"{self.name}: arguments: {fault} is no JSON", param="arguments") from None
        if misfit := self._parameters.fault(arguments):
            where, why = misfit
            raise UnprocessableEntityError(f"{self.name}: {where or 'arguments'}: {why}", param=where or "arguments")

    def check_result(self, result: Any) -> int:
        """Its bytes; raises UpstreamError where it is too large, no JSON, or not what the tool says it returns."""
        limit = self.entry.max_result_bytes
        try:
            size = size_of(result, limit)
        except OversizeError:
            raise UpstreamError(f"{self.name}: the result is larger than max_result_bytes, {limit}") from None
        except NotJsonError as fault:
            raise UpstreamError(f"{self.name}: the result holds {fault}, which is no JSON") from None
        if self._returns is not None and (misfit := self._returns.fault(result)):
            where, why = misfit
            raise UpstreamError(f"{self.name}: the result does not fit its schema at {where or 'its top'}: {why}")
        return size


def checked_name(name: str) -> str:
    """The name, if a tool can be called so."""
    try:
        return TypeAdapter[str](ToolName).validate_python(name)
    except ValidationError:
        raise ConfigError(f"{name!r}: a tool's name is made of letters, digits, '_', '.' and '-', 64 at most") from None
