"""Inputs and messages as Python has them, in the form that goes over the wire."""

from __future__ import annotations

import base64
import math
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel

from autoglm.errors import UnprocessableEntityError

Message = BaseModel | Mapping[str, Any]


def wire_messages(messages: str | Iterable[Message]) -> list[dict[str, Any]]:
    """A conversation; one text is one turn of the user's."""
    if isinstance(messages, str):
        return [{"role": "user", "content": messages}]
    return [_turn(message) for message in messages]


def wire_inputs(inputs: Any) -> list[Any]:
    """One input or several, as the list that `/v1/predict` takes.

    Texts stay, bytes become base64, arrays become lists. A list of numbers is one row, not several inputs.

    Raises:
        UnprocessableEntityError: an input has no such form; `param` names it.
    """
    value = _listed(inputs)
    several = isinstance(value, list | tuple) and not _is_row(value)
    return [_wire(item, f"inputs[{index}]") for index, item in enumerate(value if several else [value])]


def _turn(message: Message) -> dict[str, Any]:
    if isinstance(message, BaseModel):
        return message.model_dump(mode="json", exclude_none=True)
    return dict(message)


def _listed(value: Any) -> Any:
    """Arrays and scalars of numpy and its like have `tolist`; none of those libraries is imported for it."""
    return value.tolist() if hasattr(value, "tolist") else value


def _is_row(value: list[Any] | tuple[Any, ...]) -> bool:
    return bool(value) and all(isinstance(_listed(item), int | float) for item in value)


def _wire(value: Any, place: str) -> Any:
    value = _listed(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, list | tuple):
        return [_wire(item, f"{place}[{index}]") for index, item in enumerate(value)]
    if isinstance(value, float) and not math.isfinite(value):
        raise UnprocessableEntityError(f"{place}: got {value}; finite numbers do", param=place)
    if not isinstance(value, str | int | float | Mapping | None):
        raise UnprocessableEntityError(
            f"{place}: got {type(value).__name__}; a text, the bytes of an image or a row of numbers do", param=place
        )
    return value
